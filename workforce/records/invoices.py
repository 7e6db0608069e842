"""Invoices and credit notes, as vendors wrote them; whether they are right is found elsewhere."""

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from catalog.schema import QuestionKind
from workforce.errors import WorkforceError
from workforce.money import Money
from workforce.records.contracts import Unit
from workforce.records.record import Currency, Dated, Key, LocaleTag

Number = Annotated[Decimal, Field(max_digits=18, allow_inf_nan=False)]


class Billed(StrEnum):
    """What a line bills: a unit of the rate card, a month's minimum, a credit, anything else."""

    HOUR = "hour"
    QUESTION = "question"
    LABEL = "label"
    MINIMUM = "minimum"
    CREDIT = "credit"
    OTHER = "other"

    @property
    def unit(self) -> Unit | None:
        """The unit of the rate card that it is, if any."""
        return next((unit for unit in Unit if unit.value == self.value), None)


class Item(BaseModel, frozen=True, extra="forbid"):
    """A line of an invoice. Without `locale` or `kind` it is for all of them together."""

    description: str = Field("", max_length=500)
    locale: LocaleTag | None = None
    kind: QuestionKind | None = None
    unit: Billed = Billed.OTHER
    quantity: Number = Decimal(1)
    price: Number
    amount: Number

    def holds(self, kind: str, locale: str) -> bool:
        return (self.kind is None or self.kind == kind) and (
            self.locale is None or self.locale == locale
        )


class Invoice(Dated, frozen=True, extra="forbid"):
    """What a vendor billed for work from `starts` to `ends`; a credit note's amounts are negative.

    `order` is the purchase order that it names, `corrects` the number of the invoice that a credit
    note is for. Amounts of lines are without tax.
    """

    kind = "invoice"

    number: Key
    vendor: Key
    issued: dt.date
    currency: Currency
    order: Key | None = None
    corrects: Key | None = None
    items: tuple[Item, ...] = Field(min_length=1)
    tax: Number = Decimal(0)
    total: Number

    @property
    def key(self) -> str:
        return f"{self.vendor}/{self.number}"

    @property
    def summary(self) -> str:
        return f"{self.money} of {self.issued}, for {self.starts} to {self.ends}"

    @property
    def money(self) -> Money:
        """What is billed, without tax."""
        return Money(sum((each.amount for each in self.items), Decimal(0)), self.currency)

    def check_follows(self, before: Self) -> None:
        raise WorkforceError(
            f"invoice {self.key} is recorded with other contents ({before.summary}): if the vendor"
            " sent another one, it needs a number of its own; if it was copied wrongly, withdraw it"
            f" first by `groundtruth workforce withdraw invoice {self.key}`"
        )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.money.amount + self.tax != self.total:
            raise ValueError(
                f"the lines ({self.money.amount}) and the tax ({self.tax}) do not add up to the"
                f" total {self.total}: ask the vendor for one that is right, or correct what was"
                " copied"
            )
        return self
