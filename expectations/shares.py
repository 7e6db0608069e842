"""What the set rules read: how the accepted labels share out, and how each locale does."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from expectations.policy import LabelPolicy


def with_shares(accepted: pd.DataFrame, current: pd.DataFrame, policy: LabelPolicy) -> pd.DataFrame:
    """What the set rules read about the accepted of the labels.

    `accepted` has the columns product_id, locale and agreement, where it counts. The facts about
    shares are missing in a batch of fewer than `policy.shares_judged_from`.
    """
    judged = 1.0 if len(accepted) >= policy.shares_judged_from else np.nan
    products, locales = accepted["product_id"], accepted["locale"]
    return pd.DataFrame(
        {
            "locale": locales,
            "agreement": accepted["agreement"],
            "share_of_product": products.map(_shares(products)).astype(float) * judged,
            "product_shift": shift(products, current["product_id"]) * judged,
            "locale_shift": shift(locales, current["locale"]) * judged,
        },
        index=accepted.index,
    )


def shift(batch: pd.Series, current: pd.Series) -> pd.Series:
    r"""A number per row of `batch` whose mean is how far the batch moves the current set's shares.

    With shares p in the batch, q in the current set and r in both together, the move is their total
    variation :math:`\frac{1}{2} \sum_k |r_k - q_k| = b \sum_k \max(0, p_k - q_k)`, b being the
    batch's part of the whole. Spreading class k over its :math:`n p_k` rows gives
    :math:`b \max(0, 1 - q_k / p_k)`. It is missing when the current set is empty.
    """
    if current.empty:
        return pd.Series(np.nan, index=batch.index)
    joined = len(batch) / (len(batch) + len(current))
    in_batch = batch.map(_shares(batch)).astype(float)
    in_current = batch.map(_shares(current)).astype(float).fillna(0.0)
    return joined * (1 - in_current / in_batch).clip(lower=0)


def by_locale(
    labels: pd.DataFrame, accepted: pd.DataFrame, decided: pd.DataFrame, locales: Collection[str]
) -> pd.DataFrame:
    """The figures of each locale that its history is kept of, and `n_…` that each is the mean of.

    One row per locale of `locales`. A figure of nothing is missing.
    """
    judged, passed = (frame.groupby("locale").size() for frame in (labels, accepted))
    of_locale = pd.DataFrame(index=pd.Index(sorted(locales), dtype=object))
    of_locale["locale"] = of_locale.index
    asked = decided.set_index("locale").reindex(of_locale.index).astype(float)
    of_locale["confirmed_share"] = asked["n_confirmed"] / asked["n"].where(asked["n"] > 0)
    of_locale["n_confirmed_share"] = asked["n"].fillna(0.0)
    of_locale["mean_agreement"] = accepted.groupby("locale")["agreement"].mean()
    of_locale["n_mean_agreement"] = accepted.groupby("locale")["agreement"].count()
    of_locale["quarantined_share"] = 1 - passed.reindex(judged.index, fill_value=0) / judged
    of_locale["n_quarantined_share"] = judged
    return of_locale.fillna(dict.fromkeys(("n_mean_agreement", "n_quarantined_share"), 0))


def _shares(values: pd.Series) -> pd.Series:
    return values.value_counts(normalize=True)
