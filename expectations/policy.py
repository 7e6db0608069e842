"""Every threshold of the gate, in one typed place that a review can read."""

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


class Band(BaseModel, frozen=True, extra="forbid"):
    """A closed interval."""

    low: float
    high: float

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.low <= self.high:
            raise ValueError(f"low = {self.low} must not exceed high = {self.high}")
        return self


class LabelPolicy(BaseModel, frozen=True, extra="forbid"):
    """What a verified label and a batch of them must be to join the training set."""

    agreement_at_least: float = Field(
        0.6,
        ge=0,
        le=1,
        description="a label on whose question the annotators agreed less is quarantined",
    )
    seconds_per_picture: Band = Field(
        Band(low=0.05, high=60.0),
        description="a decision made faster or slower than this is reported, not stopped",
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
