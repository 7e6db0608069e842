"""Join what the rules need onto each row, so that every rule is a plain rule about one column.

A fact that is true or false is 1.0 or 0.0. It is missing where it does not apply: a name that is
not there has no script, and another rule speaks of that.
"""

import re
import unicodedata
from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from expectations.policy import LabelPolicy
from expectations.scripts import is_written_for

LABEL_COLUMNS = (
    "image_id",
    "product_id",
    "name",
    "locale",
    "origin",
    "annotators",
    "agreement",
    "seconds",
)
IMAGE_COLUMNS = ("image_id", "locale")
CURRENT_COLUMNS = ("image_id", "product_id", "locale")


def with_facts(
    labels: pd.DataFrame,
    images: pd.DataFrame,
    current: pd.DataFrame,
    policy: LabelPolicy,
    known_locales: Collection[str],
) -> pd.DataFrame:
    """What the row rules read about each label.

    Parameters
    ----------
    labels : `LABEL_COLUMNS`, indexed by label id. `product_id`, `name` and `seconds` (per picture)
        may be missing; `annotators` is a list or tuple of names.
    images : `IMAGE_COLUMNS` of the ingested images, one row each.
    current : `CURRENT_COLUMNS` of the labels that are in the training set and still in force.
    policy : its placeholders are read here.
    known_locales : the locales that have annotators, as BCP 47 tags.

    Returns
    -------
    A new frame with the index of `labels`.
    """
    locale_of_image = labels["image_id"].map(images.set_index("image_id")["locale"])
    ingested = locale_of_image.notna()
    contested = labels["image_id"].isin(_contested(labels, current))
    known = labels["locale"].isin(list(known_locales))
    named = labels["name"].notna()
    names = labels.loc[named, ["name"]]
    local_names = labels.loc[named & known, ["name", "locale"]]
    return pd.DataFrame(
        {
            "locale": labels["locale"],
            "agreement": labels["agreement"].astype(float),
            "has_product": labels["product_id"].notna().astype(float),
            "has_name": named.astype(float),
            "ingested": ingested.astype(float),
            "image_shows_one_product": (~contested).astype(float),
            "name_is_nfc": _of_distinct(
                names, lambda row: unicodedata.is_normalized("NFC", row[0])
            ),
            "name_says_something": _of_distinct(
                names, lambda row: not is_placeholder(row[0], policy.placeholders)
            ),
            "name_is_in_script": _of_distinct(local_names, lambda row: is_written_for(*row)),
            "locale_is_known": known.astype(float),
            "locale_is_the_images": (labels["locale"] == locale_of_image)
            .astype(float)
            .where(ingested),
            "agreement_is_a_share": labels["agreement"].between(0, 1).astype(float),
            "seconds_per_picture": labels["seconds"]
            .astype(float)
            .where(labels["origin"] == "decision"),
            "annotator_is_named": [float(_are_named(names)) for names in labels["annotators"]],
        },
        index=labels.index,
    )


def with_shares(accepted: pd.DataFrame, current: pd.DataFrame, policy: LabelPolicy) -> pd.DataFrame:
    """What the set rules read about the accepted of the labels.

    `accepted` has the columns product_id, locale and agreement. The facts about shares are missing
    in a batch of fewer than `policy.shares_judged_from`.
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


def is_placeholder(name: str, placeholders: Collection[str]) -> bool:
    """True of a name that holds no letter or digit, or that is one of `placeholders`."""
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    bare = re.sub(r"^[\W_]+|[\W_]+$", "", folded)
    return not bare or bare in placeholders


def _contested(labels: pd.DataFrame, current: pd.DataFrame) -> pd.Series:
    """The images that show one product by one label and another by another."""
    pairs = pd.concat([frame[["image_id", "product_id"]] for frame in (labels, current)])
    images = pairs.dropna().drop_duplicates()["image_id"]
    return images[images.duplicated()]


def _of_distinct(rows: pd.DataFrame, judge: Callable[[tuple[str, ...]], bool]) -> pd.Series:
    """1.0 or 0.0 per row; products recur, so each distinct row is looked at once."""
    groups = rows.groupby(list(rows.columns), sort=False)
    verdicts = [float(judge(tuple(row))) for row in groups.size().index.to_frame().to_numpy()]
    return pd.Series(np.array(verdicts)[groups.ngroup()], index=rows.index, dtype=float)


def _are_named(annotators: Collection[str]) -> bool:
    return len(annotators) > 0 and all(map(str.strip, annotators))


def _shares(values: pd.Series) -> pd.Series:
    return values.value_counts(normalize=True)
