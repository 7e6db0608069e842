"""Join what the rules need onto each row, so that every rule is a plain rule about one column.

A fact is 1.0 where it is true and 0.0 where not. It is missing where it does not apply: a name that
is not there has no script, and another rule speaks of that.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from expectations.policy import LabelPolicy
from expectations.scripts import is_written_for

LABEL_COLUMNS = (
    *("image_id", "product_id", "name", "locale", "origin", "site", "verdict", "annotators"),
    *("agreement", "posterior", "seconds", "differs", "disputed", "quality", "typicality"),
    "guaranteed",
)
IMAGE_COLUMNS = ("image_id", "locale", "unchanged", "near_duplicates")
CURRENT_COLUMNS = ("image_id", "product_id", "locale")
GOLD_COLUMNS = ("annotator", "site", "locale", "n_right", "n")
DECIDED_COLUMNS = ("locale", "n_confirmed", "n")
HISTORY_COLUMNS = ("passage", "rule", "locale", "value", "n")

VERDICTS = ("same", "different")
"""Decisions that labels follow from: images of one product, or of several."""


def _empty(columns: tuple[str, ...]) -> Callable[[], pd.DataFrame]:
    return lambda: pd.DataFrame({column: [] for column in columns})


@dataclass(frozen=True)
class Known:
    """What labels are judged by, besides themselves.

    Attributes
    ----------
    images : `IMAGE_COLUMNS` of the ingested images, one row each. `unchanged` is 1.0 where the
        bytes are the ones that were ingested, 0.0 where not, missing where nobody looked;
        `near_duplicates` names the group of images that are nearly the same, if there are others.
    current : `CURRENT_COLUMNS` of the labels that are in the training set and still in force.
    locales : those that have annotators, as BCP 47 tags.
    vendors : the sites in the settings.
    suspended : annotators whose word counts no more.
    gold : `GOLD_COLUMNS`: of n gold questions, how many each annotator answered rightly.
    decided : `DECIDED_COLUMNS`: of n questions that were decided since the last passage, how many
        were confirmed; one row per locale.
    history : `HISTORY_COLUMNS`: what each rule saw in earlier passages, numbered in their order.
    """

    images: pd.DataFrame
    current: pd.DataFrame
    locales: Collection[str]
    vendors: Collection[str] = ()
    suspended: Collection[str] = ()
    gold: pd.DataFrame = field(default_factory=_empty(GOLD_COLUMNS))
    decided: pd.DataFrame = field(default_factory=_empty(DECIDED_COLUMNS))
    history: pd.DataFrame = field(default_factory=_empty(HISTORY_COLUMNS))


def with_facts(labels: pd.DataFrame, known: Known, policy: LabelPolicy) -> pd.DataFrame:
    """What the row rules read about each label.

    Parameters
    ----------
    labels : `LABEL_COLUMNS`, indexed by label id. `annotators` is a list or tuple of names.
        `product_id`, `name` and `seconds` (per picture) may be missing, and so may `site`,
        `verdict` and `posterior` of a label about which nobody was asked. `differs` is true where
        the image is known not to show the product, `disputed` where people are asked which of two
        decisions about it is right. `quality` and `typicality` are those of
        `expectations.suspicion`, missing where nothing can be said. `guaranteed` is true of a label
    that was accepted without asking people while the guarantee held; it says nothing of others.

    Returns
    -------
    A new frame with the index of `labels`, float64 but for the locale: what Great Expectations
    compares as a whole column.
    """
    images = known.images.set_index("image_id")
    locale_of_image = labels["image_id"].map(images["locale"])
    ingested = locale_of_image.notna()
    in_known_locale = labels["locale"].isin(list(known.locales))
    named = labels["name"].notna()
    names = labels.loc[named, ["name"]]
    local_names = labels.loc[named & in_known_locale, ["name", "locale"]]
    decided = labels["origin"] == "decision"
    unasked = labels["origin"] == "accepted"
    team, teams = _teams(labels["annotators"])
    judged = _accuracy_of_annotators(known.gold, policy)
    vendors = _accuracy_of_vendors(known.gold, policy)
    found = {
        "ingested": ingested,
        "unchanged": labels["image_id"].map(images["unchanged"]),
        "image_shows_one_product": ~labels["image_id"].isin(_contested(labels, known.current)),
        "not_known_to_differ": ~labels["differs"].astype(bool),
        "not_disputed": ~labels["disputed"].astype(bool),
        "has_product": labels["product_id"].notna(),
        "has_name": named,
        "name_is_nfc": _of_distinct(names, lambda row: unicodedata.is_normalized("NFC", row[0])),
        "name_says_something": _of_distinct(
            names, lambda row: not is_placeholder(row[0], policy.placeholders)
        ),
        "name_is_in_script": _of_distinct(local_names, lambda row: is_written_for(*row)),
        "locale_is_known": in_known_locale,
        "locale_is_the_images": _where(ingested, labels["locale"] == locale_of_image),
        "vendor_is_known": _where(labels["site"].notna(), labels["site"].isin(list(known.vendors))),
        "verdict_is_known": _where(decided | unasked, labels["verdict"].isin(VERDICTS)),
        "guarantee_holds": _where(unasked, labels["guaranteed"].eq(True)),
        "agreement_is_a_share": labels["agreement"].between(0, 1),
        "agreement_is_enough": _at_least(
            labels["agreement"].where(~unasked), labels["locale"], policy, "agreement_at_least"
        ),
        "posterior_is_enough": _at_least(
            labels["posterior"], labels["locale"], policy, "posterior_at_least"
        ),
        "annotator_is_named": _where(
            ~unasked, pd.Series([_are_named(teams[each]) for each in team], index=labels.index)
        ),
        "annotator_is_not_suspended": np.array(
            [set(known.suspended).isdisjoint(each) for each in teams], dtype=float
        )[team],
        "annotator_keeps_the_contract": _of_distinct(
            pd.DataFrame({"team": team, "locale": labels["locale"]}, index=labels.index),
            lambda row: _worst(judged.get((name, row[1])) for name in teams[row[0]]),
        ),
        "vendor_keeps_the_contract": _of_distinct(
            labels.loc[decided, ["site", "locale"]].dropna(), lambda row: vendors.get(row, np.nan)
        ),
        "seconds_are_plausible": _are_plausible(labels[decided], policy),
        "near_duplicates_agree": _near_duplicates_agree(labels, known),
        "label_is_believable": _where(
            labels["quality"].notna(), labels["quality"] >= policy.label_quality_at_least
        ),
        "image_is_no_outlier": _where(
            labels["typicality"].notna(), labels["typicality"] >= policy.typicality_at_least
        ),
    }
    facts = pd.DataFrame(found, index=labels.index).astype(float)
    facts.insert(0, "locale", labels["locale"])
    return facts


def is_placeholder(name: str, placeholders: Collection[str]) -> bool:
    """True of a name that holds no letter or digit, or that is one of `placeholders`."""
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    bare = re.sub(r"^[\W_]+|[\W_]+$", "", folded)
    return not bare or bare in placeholders


def _where(applies: "pd.Series[bool]", fact: "pd.Series[bool]") -> "pd.Series[float]":
    """The fact as 1.0 or 0.0, missing where it does not apply."""
    return fact.astype(float).where(applies)


def _bars(locale: "pd.Series[str]", policy: LabelPolicy, name: str, part: str = "") -> Any:
    """The bar of each row's locale."""
    own = {tag: getattr(policy.of_locale(tag), name) for tag in policy.locales}
    everybodys = getattr(policy, name)
    if part:
        own = {tag: getattr(band, part) for tag, band in own.items()}
        everybodys = getattr(everybodys, part)
    return locale.map(own).astype(float).fillna(everybodys) if own else everybodys


def _at_least(
    values: "pd.Series[float]", locale: "pd.Series[str]", policy: LabelPolicy, name: str
) -> "pd.Series[float]":
    values = values.astype(float)
    return _where(values.notna(), values >= _bars(locale, policy, name))


def _are_plausible(decided: pd.DataFrame, policy: LabelPolicy) -> "pd.Series[float]":
    seconds = decided["seconds"].astype(float)
    low, high = (
        _bars(decided["locale"], policy, "seconds_per_picture", part) for part in ("low", "high")
    )
    return _where(seconds.notna(), (seconds >= low) & (seconds <= high))


def _teams(annotators: "pd.Series[Any]") -> tuple[NDArray[np.intp], list[tuple[str, ...]]]:
    """The number of each label's annotators among the distinct ones, and these: teams recur."""
    numbers: dict[tuple[str, ...], int] = {}
    team = [numbers.setdefault(tuple(names), len(numbers)) for names in annotators]
    return np.array(team, dtype=np.intp), list(numbers)


def _accuracy_of_annotators(gold: pd.DataFrame, policy: LabelPolicy) -> dict[Hashable, float]:
    """1.0 or 0.0 by (annotator, locale): whether they keep the contract; none: too little gold."""
    return _keeps(gold.groupby(["annotator", "locale"])[["n_right", "n"]].sum(), policy)


def _accuracy_of_vendors(gold: pd.DataFrame, policy: LabelPolicy) -> dict[Hashable, float]:
    """The same by (vendor, locale)."""
    return _keeps(gold.groupby(["site", "locale"])[["n_right", "n"]].sum(), policy)


def _keeps(counted: pd.DataFrame, policy: LabelPolicy) -> dict[Hashable, float]:
    """Whether who was right on n_right of n is not shown to be below the bar of the locale.

    Shown, because the upper end of the 95 % interval by Wilson (JASA 22, 1927) lies below it.
    """
    enough = counted[counted["n"] >= policy.gold_judged_from]
    if enough.empty:
        return {}
    _, high = proportion_confint(enough["n_right"], enough["n"], method="wilson")
    bars = [policy.of_locale(locale).gold_accuracy_at_least for _, locale in enough.index]
    return dict(zip(enough.index, (np.asarray(high) >= bars).astype(float), strict=True))


def _worst(found: Iterable[float | None]) -> float:
    return min((each for each in found if each is not None), default=np.nan)


def _near_duplicates_agree(labels: pd.DataFrame, known: Known) -> "pd.Series[float]":
    """Whether all labels of images that are nearly the same name one product."""
    group_of = known.images.dropna(subset="near_duplicates").set_index("image_id")[
        "near_duplicates"
    ]
    both = pd.concat([frame[["image_id", "product_id"]] for frame in (labels, known.current)])
    said = pd.DataFrame(
        {"group": both["image_id"].map(group_of), "product": both["product_id"]}
    ).dropna()
    n_products = said.drop_duplicates()["group"].value_counts()
    n_named = labels["image_id"].map(group_of).map(n_products)
    return _where(n_named.notna(), n_named == 1)


def _contested(labels: pd.DataFrame, current: pd.DataFrame) -> pd.Series:
    """The images that show one product by one label and another by another."""
    pairs = pd.concat([frame[["image_id", "product_id"]] for frame in (labels, current)])
    images = pairs.dropna().drop_duplicates()["image_id"]
    return images[images.duplicated()]


def _of_distinct(
    rows: pd.DataFrame, judge: Callable[[tuple[Any, ...]], float]
) -> "pd.Series[float]":
    """What `judge` says of each row; products recur, so each distinct row is looked at once."""
    if rows.empty:
        return pd.Series(np.nan, index=rows.index)
    groups = rows.groupby(list(rows.columns), sort=False)
    verdicts = [float(judge(tuple(row))) for row in groups.size().index.to_frame().to_numpy()]
    return pd.Series(np.array(verdicts)[groups.ngroup()], index=rows.index, dtype=float)


def _are_named(annotators: Collection[str]) -> bool:
    return len(annotators) > 0 and all(map(str.strip, annotators))
