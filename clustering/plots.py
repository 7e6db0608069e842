"""Pictures of a linkage and of the clusters that follow from it; each returns matplotlib axes.

axes = plot_reliability(probability, same)
axes.figure.savefig("reliability.png")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from sklearn.utils.validation import check_is_fitted

from clustering.linkage import Linkage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from clustering.lander import HiLander

BINS = 10
MOST_CLUSTERS = 60
"""Leaves of a dendrogram that can still be told apart."""

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Reliability:
    """What was predicted and what was true, in bins of equal width that are not empty.

    Attributes
    ----------
    predicted, true : float64 (B,)
        Mean probability, and the share that came true.
    counts : int64 (B,)
        Predictions in each bin.
    """

    predicted: Float
    true: Float
    counts: Int

    @property
    def expected_error(self) -> float:
        """Expected calibration error: the mean of |predicted - true| over all predictions."""
        return float(np.average(np.abs(self.predicted - self.true), weights=self.counts))


def measure_reliability(probability: ArrayLike, same: ArrayLike) -> Reliability:
    """Sort probabilities (E,) of links into bins and compare with whether ends are of one class.

    Naeini et al., *Obtaining Well Calibrated Probabilities Using Bayesian Binning*, AAAI 2015.

    Raises
    ------
    ValueError
        If there is no link, lengths differ or a probability is outside [0, 1].
    """
    said, outcomes = _check_links(probability, same)
    bins = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = counts > 0
    sums = [np.bincount(bins, values, BINS)[filled] for values in (said, outcomes)]
    return Reliability(sums[0] / counts[filled], sums[1] / counts[filled], counts[filled])


def plot_reliability(probability: ArrayLike, same: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw what share of the links came true against what was predicted.

    On the diagonal probabilities are honest; below it they promise too much. Areas of the points
    are in proportion to the number of links.

    Parameters
    ----------
    probability : array-like of float (E,)
        Linkage probabilities in [0, 1].
    same : array-like of bool (E,)
        Whether both ends are of one class.
    ax : matplotlib.axes.Axes, optional
        Default: axes on a figure of their own.

    Raises
    ------
    ValueError
        If there is no link, lengths differ or a probability is outside [0, 1].
    """
    found = measure_reliability(probability, same)
    axes = _axes() if ax is None else ax
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, label="honest")
    axes.plot(found.predicted, found.true, color="C0", linewidth=1.5, label="predicted")
    areas = 15 + 285 * found.counts / found.counts.max()
    axes.scatter(found.predicted, found.true, s=areas, color="C0", alpha=0.55, linewidths=0)
    axes.set(xlabel="predicted probability", ylabel="share of one class")
    axes.set_title(f"reliability, expected error {found.expected_error:.3f}")
    axes.legend(loc="upper left", frameon=False)
    return _as_unit_square(axes)


def plot_precision_recall(probability: ArrayLike, same: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw precision against recall of the links kept at every tau; some taus are marked.

    Parameters and errors are those of `plot_reliability`; one end of one link at least must be of
    the same class as the other.
    """
    said, outcomes = _check_links(probability, same)
    if not outcomes.any():
        raise ValueError("same is nowhere true; recall needs a link whose ends are of one class.")
    order = np.argsort(-said, kind="stable")
    last = np.append(np.diff(said[order]) != 0, True)
    hits, kept = np.cumsum(outcomes[order])[last], (np.arange(len(said)) + 1)[last]
    precision, recall = hits / kept, hits / outcomes.sum()
    axes = _axes() if ax is None else ax
    axes.plot(recall, precision, color="C0", linewidth=1.5)
    axes.axhline(outcomes.mean(), color="0.6", linestyle="--", linewidth=1)
    axes.annotate(
        "all links", (0.02, outcomes.mean()), (0, 3), textcoords="offset points", color="0.4"
    )
    for tau in (0.3, 0.5, 0.7, 0.9):
        place = int((said[order][last] >= tau).sum()) - 1
        if place >= 0:
            point = (recall[place], precision[place])
            axes.plot(*point, marker="o", color="C0")
            axes.annotate(
                rf"$\tau$ = {tau}", point, (-6, -12), textcoords="offset points", ha="right"
            )
    axes.set(xlabel="recall of links", ylabel="precision of links", title="precision and recall")
    return _as_unit_square(axes)


def plot_dendrogram(lander: HiLander, ax: Axes | None = None) -> Axes:
    """Draw how the clusters of the last `predict` would join further.

    Two clusters are as close as they are linked on average, see `linkage_between`; trees grow by
    average linkage. Leaves are the largest clusters, at most 60, and show their sizes.

    Raises
    ------
    ValueError
        If there are fewer than two clusters.
    sklearn.exceptions.NotFittedError
        If `predict` has not been called.
    """
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    check_is_fitted(lander, "linkage_")
    sizes = np.bincount(lander.labels_)
    if len(sizes) < 2:
        raise ValueError(f"there is {len(sizes)} cluster; a dendrogram joins at least 2.")
    shown = np.sort(np.argsort(-sizes, kind="stable")[:MOST_CLUSTERS])
    closeness = linkage_between(lander.linkage_, lander.labels_)[np.ix_(shown, shown)]
    tree = linkage(squareform(1.0 - closeness, checks=False), method="average")
    axes = _axes(width=max(4.5, 0.18 * len(shown))) if ax is None else ax
    dendrogram(
        tree,
        labels=sizes[shown].astype(str),
        ax=axes,
        color_threshold=0.0,
        above_threshold_color="C0",
        leaf_rotation=90,
        leaf_font_size=7,
    )
    deepest = 1.0 - tree[:, 2].min()
    axes.set_ylim(1.0 - 1.15 * max(deepest, 0.01), 1.005)
    axes.yaxis.set_major_formatter(lambda height, _: f"{1.0 - height:.3g}")
    axes.set(xlabel="clusters, by number of images", ylabel="mean linkage probability")
    axes.set_title(f"how the {len(shown)} largest of {len(sizes)} clusters would join")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def linkage_between(linkage: Linkage, labels: Int) -> Float:
    """Return the mean linkage probability between every two of C clusters, float64 (C, C).

    The sum of r_ij and r_ji over the links that the smaller cluster could have with the larger, k
    from each of its images or as many as there are, from either side. Ones on the diagonal.
    """
    i, j, probability = linkage.edges()
    sizes = np.bincount(labels)
    clusters = len(sizes)
    ends = (labels[i], labels[j])
    total = coo_matrix((probability.astype(np.float64), ends), (clusters, clusters)).toarray()
    smaller, larger = np.minimum.outer(sizes, sizes), np.maximum.outer(sizes, sizes)
    possible = 2.0 * smaller * np.minimum(linkage.neighbours.shape[1], larger)
    closeness: Float = np.minimum((total + total.T) / possible, 1.0)
    np.fill_diagonal(closeness, 1.0)
    return closeness


def _check_links(probability: ArrayLike, same: ArrayLike) -> tuple[Float, NDArray[np.bool_]]:
    said, outcomes = np.asarray(probability, dtype=np.float64), np.asarray(same, dtype=bool)
    if said.ndim != 1 or said.shape != outcomes.shape:
        raise ValueError(
            f"probability has shape {said.shape} and same {outcomes.shape}; give one number and "
            "one truth for each link."
        )
    if not len(said):
        raise ValueError("probability is empty; there is nothing to draw without a link.")
    if not ((said >= 0) & (said <= 1)).all():
        raise ValueError("probability has numbers outside [0, 1]; give probabilities, not logits.")
    return said, outcomes


def _axes(width: float = 4.5) -> Axes:
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(width, 4.5), layout="constrained")
    axes: Axes = figure.subplots()
    return axes


def _as_unit_square(axes: Axes) -> Axes:
    axes.set(xlim=(0, 1.01), ylim=(0, 1.01), aspect="equal")
    axes.spines[["top", "right"]].set_visible(False)
    return axes
