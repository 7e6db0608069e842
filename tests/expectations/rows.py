"""A batch of labels that the gate accepts, to be spoilt one label at a time."""

from typing import Any

import pandas as pd

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
        "annotators": ("anna", "bo"),
        "agreement": 1.0,
        "seconds": 2.0,
        **changes,
    }


def frame_of(*labels: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(labels), index=[f"label-{n}" for n in range(len(labels))])


def good_batch(n_labels: int, **changes: Any) -> pd.DataFrame:
    return frame_of(*(good_label(n, **changes) for n in range(n_labels)))


def images_of(labels: pd.DataFrame) -> pd.DataFrame:
    """The image of each label, ingested in the label's locale."""
    return labels[["image_id", "locale"]].drop_duplicates("image_id").reset_index(drop=True)


def judged(
    labels: pd.DataFrame,
    images: pd.DataFrame | None = None,
    current: pd.DataFrame = NO_CURRENT,
    policy: LabelPolicy | None = None,
) -> Verdict:
    return judge(
        labels,
        images_of(labels) if images is None else images,
        current,
        policy or LabelPolicy(),
        KNOWN_LOCALES,
    )


def outcome(verdict: Verdict, words: str) -> RuleOutcome:
    """The outcome of the one rule whose text contains `words`."""
    [found] = [rule for rule in verdict.rules if words in rule.rule]
    return found
