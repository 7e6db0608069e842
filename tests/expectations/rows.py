"""A batch of labels that the gate accepts, to be spoilt one label at a time."""

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from expectations.facts import Known
from expectations.gate import judge
from expectations.policy import LabelPolicy
from expectations.verdict import RuleOutcome, Verdict

KNOWN_LOCALES = ("de-DE", "ja-JP", "ar-EG")
NO_CURRENT = pd.DataFrame({"image_id": [], "product_id": [], "locale": []}, dtype="str")


def good_label(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "image_id": f"image-{number}",
        "product_id": f"product-{number}",
        "name": f"Kakao {number}",
        "locale": "de-DE",
        "origin": "decision",
        "site": "vendor-a",
        "verdict": "same",
        "annotators": ("anna", "bo"),
        "agreement": 1.0,
        "posterior": 0.95,
        "seconds": 2.0,
        "differs": False,
        "disputed": False,
        "quality": 0.9,
        "typicality": 0.4,
        "guaranteed": False,
        **changes,
    }


def frame_of(*labels: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(labels), index=[f"label-{n}" for n in range(len(labels))])


def good_batch(n_labels: int, **changes: Any) -> pd.DataFrame:
    return frame_of(*(good_label(n, **changes) for n in range(n_labels)))


def images_of(labels: pd.DataFrame) -> pd.DataFrame:
    """The image of each label, ingested in the label's locale."""
    images = labels[["image_id", "locale"]].drop_duplicates("image_id").reset_index(drop=True)
    return images.assign(unchanged=1.0, near_duplicates=None)


def known_of(labels: pd.DataFrame, **changes: Any) -> Known:
    """What `labels` are judged by: nothing that speaks against them."""
    given = {
        "images": images_of(labels),
        "current": NO_CURRENT,
        "locales": KNOWN_LOCALES,
        "vendors": ("vendor-a",),
        **changes,
    }
    return Known(**given)


def judged(
    labels: pd.DataFrame,
    policy: LabelPolicy | None = None,
    overruled: Mapping[str, Collection[str]] | None = None,
    **known: Any,
) -> Verdict:
    return judge(
        labels, known_of(labels, **known), policy or LabelPolicy(), overruled=overruled or {}
    )


def outcome(verdict: Verdict, words: str) -> RuleOutcome:
    """The outcome of the one rule whose text contains `words`."""
    [found] = [rule for rule in verdict.rules if words in rule.rule]
    return found
