"""New images against known products: which of them does an image belong to, if to any?

The answer learns from training images half of whose classes are hidden: an image of a hidden class
belongs to none of those that are left, however near they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from clustering.calibration import fit_logistic
from clustering.linkage import Linkage

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Attachment:
    """Where new images belong.

    Attributes
    ----------
    products : int64 (M,)
        The likeliest known product of each image; -1 where it is linked to none.
    probability : float64 (M,)
        That it belongs there.
    """

    products: Int
    probability: Float


def signs_of_attachment(
    linkage: Linkage, products: Int, own: Int | None = None
) -> tuple[Int, Float]:
    """Return the known product that each image is linked with most, and the signs for it.

    Parameters
    ----------
    linkage : Linkage
        Of n images.
    products : int64 (n,)
        Known product 0..P-1 of each image, -1 where it is not known.
    own : int64 (n,), optional
        A product that each image is not asked about: its links to it count for nothing.

    Returns
    -------
    best : int64 (n,)
        -1 where no link leads to a known product.
    signs : float64 (n, 4)
        Expected number of links with the product, their share of all, the best link's log-odds,
        and how far the product is ahead of the next.
    """
    i, j, probability = linkage.edges()
    if own is not None:
        elsewhere = products[j] != own[i]
        i, j, probability = i[elsewhere], j[elsewhere], probability[elsewhere]
    n = len(products)
    known = products[j] >= 0
    i_known, product = i[known], products[j[known]]
    width = int(products.max(initial=-1)) + 1
    mass = coo_matrix((probability[known], (i_known, product)), (n, max(width, 1))).tocsr()
    total = np.bincount(i, probability, n)
    row = np.repeat(np.arange(n), np.diff(mass.indptr))
    by_mass = np.lexsort((mass.indices, -mass.data, row))
    place = np.arange(len(row)) - mass.indptr[:-1][row]
    ranked = np.zeros((n, 2))
    ranked[row[place < 2], place[place < 2]] = mass.data[by_mass][place < 2]
    best = np.full(n, -1, dtype=np.int64)
    best[row[place == 0]] = mass.indices[by_mass][place == 0]
    to_best = known & (products[j] == best[i])
    strongest = np.full(n, 1e-3)
    np.maximum.at(strongest, i[to_best], np.clip(probability[to_best], 1e-3, 1 - 1e-3))
    signs = np.column_stack(
        [
            np.log1p(ranked[:, 0]),
            ranked[:, 0] / np.maximum(total, 1e-9),
            np.log(strongest / (1 - strongest)),
            np.log1p(ranked[:, 0]) - np.log1p(ranked[:, 1]),
        ]
    )
    return best, signs


def learn_attachment(linkage: Linkage, classes: Int, random: np.random.Generator) -> Float:
    """Fit the weights of the signs, (5,), with half of the classes hidden, then the other half."""
    n_classes = int(classes.max()) + 1
    hidden = random.permutation(n_classes) < n_classes // 2
    signs, outcomes = [], []
    for known in (~hidden[classes], hidden[classes]):
        best, found = signs_of_attachment(linkage, np.where(known, classes, -1))
        linked = best >= 0
        signs.append(found[linked])
        outcomes.append(best[linked] == classes[linked])
    return fit_logistic(np.concatenate(signs), np.concatenate(outcomes))
