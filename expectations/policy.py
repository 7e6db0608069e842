"""The gate's thresholds and the severity of its rules, in one place that a review can read."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, Field, model_validator

PLACEHOLDERS = (
    # What people type when they have no name, folded: NFKC, lower case, no punctuation around it.
    *("x", "xx", "xxx", "xxxx", "na", "n/a", "none", "null", "nil", "nan", "tbd", "todo", "test"),
    *("unknown", "unnamed", "untitled", "no name", "noname", "product", "item", "other", "misc"),
    *("unbekannt", "ohne namen", "kein name", "produkt", "artikel", "sonstiges"),
    *("okänd", "okänt", "inget namn", "övrigt"),
    *("不明", "不詳", "未定", "名称不明", "名前なし", "なし", "無し", "商品"),
    *("غير معروف", "مجهول", "بدون اسم", "لا يوجد", "لا أعرف", "منتج"),
)


class Severity(StrEnum):
    """What a broken rule leads to: quarantine or a held batch, or a line in the report."""

    CRITICAL = "critical"
    WARNING = "warning"


class Band(BaseModel, frozen=True, extra="forbid"):
    """A closed interval."""

    low: float
    high: float

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.low <= self.high:
            raise ValueError(f"low = {self.low} must not exceed high = {self.high}")
        return self

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


class Severities(BaseModel, frozen=True, extra="forbid"):
    """How much each rule matters, by the name of the rule."""

    image_is_ingested: Severity = Severity.CRITICAL
    image_is_unchanged: Severity = Severity.CRITICAL
    one_product_per_image: Severity = Severity.CRITICAL
    no_decision_contradicts: Severity = Severity.CRITICAL
    nobody_is_asked_about_a_contradiction: Severity = Severity.WARNING
    has_product: Severity = Severity.CRITICAL
    has_name: Severity = Severity.CRITICAL
    name_is_normalized: Severity = Severity.CRITICAL
    name_says_something: Severity = Severity.CRITICAL
    name_is_in_the_script: Severity = Severity.CRITICAL
    locale_is_known: Severity = Severity.CRITICAL
    locale_is_the_images: Severity = Severity.CRITICAL
    vendor_is_known: Severity = Severity.CRITICAL
    verdict_is_known: Severity = Severity.CRITICAL
    guarantee_holds: Severity = Severity.CRITICAL
    agreement_is_a_share: Severity = Severity.CRITICAL
    agreement_is_enough: Severity = Severity.CRITICAL
    posterior_is_enough: Severity = Severity.CRITICAL
    annotator_is_named: Severity = Severity.CRITICAL
    annotator_is_not_suspended: Severity = Severity.CRITICAL
    annotator_keeps_the_contract: Severity = Severity.CRITICAL
    vendor_keeps_the_contract: Severity = Severity.CRITICAL
    seconds_are_plausible: Severity = Severity.WARNING
    near_duplicates_agree: Severity = Severity.WARNING
    label_is_believable: Severity = Severity.CRITICAL
    image_is_no_outlier: Severity = Severity.WARNING
    something_is_accepted: Severity = Severity.WARNING
    mean_agreement: Severity = Severity.CRITICAL
    largest_product_share: Severity = Severity.CRITICAL
    products_stay_balanced: Severity = Severity.WARNING
    locales_stay_balanced: Severity = Severity.WARNING
    confirmed_share_is_usual: Severity = Severity.WARNING
    mean_agreement_is_usual: Severity = Severity.WARNING
    quarantined_share_is_usual: Severity = Severity.WARNING


class Bars(BaseModel, frozen=True, extra="forbid"):
    """The bars of one locale, where they differ from everybody's."""

    agreement_at_least: float | None = Field(default=None, ge=0, le=1)
    posterior_at_least: float | None = Field(default=None, ge=0, le=1)
    gold_accuracy_at_least: float | None = Field(default=None, ge=0, le=1)
    seconds_per_picture: Band | None = None
    mean_agreement_per_locale: float | None = Field(default=None, ge=0, le=1)


class LabelPolicy(BaseModel, frozen=True, extra="forbid"):
    """What a verified label and a batch of them must be to join the training set."""

    agreement_at_least: float = Field(
        0.6,
        ge=0,
        le=1,
        description="a label on whose question the annotators agreed less is quarantined",
    )
    posterior_at_least: float = Field(
        0.7,
        ge=0,
        le=1,
        description="a label that is right with less probability, by all answers to its question "
        "and what is known of those who gave them, is quarantined",
    )
    gold_accuracy_at_least: float = Field(
        0.7,
        ge=0,
        le=1,
        description="share of gold questions that an annotator and a vendor must answer rightly; "
        "a label is quarantined only when the upper end of the 95 % interval of the share is lower",
    )
    gold_judged_from: int = Field(
        5, ge=1, description="answers to gold questions from which an accuracy is judged"
    )
    seconds_per_picture: Band = Field(
        Band(low=0.05, high=60.0),
        description="a decision made faster or slower than this is reported",
    )
    images_hashed: int = Field(
        10_000,
        ge=0,
        description="images of a batch whose bytes are read again and compared with their "
        "identity: all of a smaller batch, a sample of a larger one",
    )
    label_quality_at_least: float = Field(
        0.2,
        ge=0,
        le=1,
        description="a label whose picture looks like those of another product is quarantined; "
        "1 is like its own product only, 0 like one other only",
    )
    typicality_at_least: float = Field(
        0.01,
        ge=0,
        le=1,
        description="a label whose picture looks like no other is reported; a typical one has 0.37",
    )
    placeholders: tuple[str, ...] = Field(
        PLACEHOLDERS,
        description="names that say nothing; a label with one of them is quarantined",
    )
    mean_agreement_per_locale: float = Field(
        0.75,
        ge=0,
        le=1,
        description="a batch in which a locale's mean agreement is lower is held",
    )
    largest_product_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="a batch of which one product takes a larger share is held",
    )
    shares_judged_from: int = Field(
        100,
        ge=1,
        description="labels that a batch needs before its shares mean anything",
    )
    product_shift_at_most: float = Field(
        0.5,
        ge=0,
        le=1,
        description="total variation by which a batch may move the training set's products "
        "before it is reported",
    )
    locale_shift_at_most: float = Field(
        0.2,
        ge=0,
        le=1,
        description="total variation by which a batch may move the training set's locales "
        "before it is reported",
    )
    history_from: int = Field(
        8, ge=3, description="passages after which the usual is known, in each locale"
    )
    history_at_most: int = Field(
        50, ge=3, description="newest passages that tell what is usual; held ones never do"
    )
    severity: Severities = Field(
        Severities(), description="critical quarantines or holds, a warning is only reported"
    )
    locales: Mapping[str, Bars] = Field(
        {}, description="bars of single locales that differ from the ones above"
    )

    def of_locale(self, locale: str) -> "LabelPolicy":
        """The policy with the bars of one locale in place of everybody's."""
        bars = self.locales.get(locale, Bars()).model_dump(exclude_none=True)
        own = {name: getattr(self.locales[locale], name) for name in bars}
        return self.model_copy(update={**own, "locales": {}})

    def in_words(self, bar: str) -> str:
        """A bar with its exceptions, as a rule's text has it: "0.6 (ja-JP: 0.9)"."""
        exceptions = [
            f"{locale}: {_in_words(own)}"
            for locale, bars in sorted(self.locales.items())
            if (own := getattr(bars, bar)) is not None
        ]
        everybodys = _in_words(getattr(self, bar))
        return f"{everybodys} ({', '.join(exceptions)})" if exceptions else everybodys


def _in_words(value: float | Band) -> str:
    return str(value) if isinstance(value, Band) else f"{value:g}"
