"""Contracts: what was agreed with a vendor, version by version, each from a day on."""

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, Field, PositiveInt, model_validator

from workforce.performance.definitions import DEFINITIONS, SHARES_OF_WORK
from workforce.performance.figures import Metric
from workforce.records.record import Currency, Dated, Hours, Price, Scope, Share, Text


class Unit(StrEnum):
    """What a price is for: a paid hour, an answer to a question, an accepted label."""

    HOUR = "hour"
    QUESTION = "question"
    LABEL = "label"


class Tier(BaseModel, frozen=True, extra="forbid"):
    """The price of what goes beyond `above` units in a calendar month."""

    above: PositiveInt
    price: Price


class Rate(Scope, frozen=True, extra="forbid"):
    """A line of a rate card: the price of a unit, and of units beyond a volume."""

    unit: Unit
    price: Price
    tiers: tuple[Tier, ...] = ()

    def __str__(self) -> str:
        about = " ".join((*self.kinds, *self.locales)) or "all"
        tiers = "".join(f", {tier.price} above {tier.above:,}" for tier in self.tiers)
        return f"{self.price} per {self.unit} ({about}{tiers})"

    @model_validator(mode="after")
    def _falls_with_volume(self) -> Self:
        steps = [(0, self.price), *((tier.above, tier.price) for tier in self.tiers)]
        for (above, price), (next_above, next_price) in pairwise(steps):
            if next_above <= above or next_price >= price:
                raise ValueError(
                    f"the tier above {next_above} at {next_price} does not lower the price {price}"
                    f" above {above}: list tiers by volume, each cheaper than the one before"
                )
        return self


class Turnaround(Scope, frozen=True, extra="forbid"):
    """A service level: questions come back within so many of the vendor's working days."""

    working_days: Hours


class Rush(BaseModel, frozen=True, extra="forbid"):
    """What is needed sooner than the turnaround: by when it can be had, at which multiple."""

    working_days: Hours
    factor: Decimal = Field(ge=1, le=100)


class ServiceLevel(Scope, frozen=True, extra="forbid"):
    """What a month's work must reach, and what the vendor owes where it does not.

    `metric` is a share: `at_least` where more is better, `at_most` where less is. For each `step`
    that is begun beyond it, the credit is `credit` of the month's bill for the work in scope, up to
    `credit_at_most` of it; `penalty` is due besides in a month that misses. A month with fewer than
    `judged_from` measured is not judged.
    """

    metric: Metric = Metric.SLA_ATTAINMENT
    at_least: Share | None = None
    at_most: Share | None = None
    step: Share = Decimal("0.01")
    credit: Decimal = Field(Decimal(0), ge=0, le=1)
    credit_at_most: Share = Decimal(1)
    penalty: Price = Decimal(0)
    judged_from: PositiveInt = 1

    @model_validator(mode="after")
    def _can_be_missed(self) -> Self:
        if self.metric not in SHARES_OF_WORK:
            known = ", ".join(sorted(SHARES_OF_WORK))
            raise ValueError(
                f"{self.metric} is no share that can be agreed on: name one of {known}"
            )
        bound = "at_most" if DEFINITIONS[self.metric].less_is_better else "at_least"
        if (self.at_least is None) == (self.at_most is None) or getattr(self, bound) is None:
            raise ValueError(f"a level of {self.metric} needs `{bound}`, and nothing else")
        return self

    @property
    def target(self) -> Decimal:
        bound = self.at_least if self.at_least is not None else self.at_most
        assert bound is not None
        return bound

    def missed_by(self, value: Decimal) -> Decimal:
        """How far a share is on the wrong side of the target; 0 where it is not."""
        below = self.target - value if self.at_least is not None else value - self.target
        return max(below, Decimal(0))


class Acceptance(BaseModel, frozen=True, extra="forbid"):
    """When work is accepted: a share of it is audited, and too many defects refuse it all."""

    audited: Share
    refused_above: Share


class Allowed(BaseModel, frozen=True, extra="forbid"):
    """Which values are allowed: those of `only` (empty: all), but never those of `never`."""

    only: tuple[Text, ...] = ()
    never: tuple[Text, ...] = ()

    def allows(self, value: str | None) -> bool:
        return (not self.only or value in self.only) and value not in self.never


EVERYTHING = Allowed()


class Confidentiality(BaseModel, frozen=True, extra="forbid"):
    """Which images may be sent to a vendor: by their source, locale and category.

    An image that was found in several places may be sent where all of them allow it. What states no
    source or category is not among those that `only` names.
    """

    sources: Allowed = EVERYTHING
    locales: Allowed = EVERYTHING
    categories: Allowed = EVERYTHING

    def refusal(self, source: str | None, locale: str, category: str | None) -> str | None:
        """Why an image from there may not be sent; None where it may."""
        for name, allowed, value in (
            ("source", self.sources, source),
            ("locale", self.locales, locale),
            ("category", self.categories, category),
        ):
            if not allowed.allows(value):
                return f"{name} {value}" if value is not None else f"no {name}"
        return None


UNLIMITED = Confidentiality()


class Contract(Dated, frozen=True, extra="forbid"):
    """A version of what was agreed with a vendor; from its first day it replaces earlier versions.

    What a vendor is paid is the sum of all rates that hold for a piece of work. Work that no rate
    holds for was not agreed, and is not given to the vendor. `response_hours` are the working hours
    within which the vendor answers what it is asked. Without notice until `notice_by` the contract
    goes on for `renews_for_months` after it ends, or not at all; what it then says is recorded as
    another version.
    """

    kind = "contract"

    vendor: str
    version: PositiveInt
    currency: Currency
    rates: tuple[Rate, ...] = Field(min_length=1)
    minimum_per_month: Price = Decimal(0)
    turnaround: tuple[Turnaround, ...] = ()
    rush: Rush | None = None
    quality_bar: float | None = Field(None, gt=0, lt=1)
    response_hours: Hours | None = None
    levels: tuple[ServiceLevel, ...] = ()
    acceptance: Acceptance | None = None
    confidentiality: Confidentiality = UNLIMITED
    notice_by: dt.date | None = None
    renews_for_months: PositiveInt | None = None

    @property
    def key(self) -> str:
        return f"{self.vendor}/{self.version}"

    @property
    def summary(self) -> str:
        prices = (str(rate) for rate in self.rates)
        return f"{self.starts} to {self.ends}, {self.currency}: {', '.join(prices)}"

    @model_validator(mode="after")
    def _says_everything_once(self) -> Self:
        for name, each in (("rates", self.rates), ("turnaround", self.turnaround)):
            for later, two in enumerate(each):
                for earlier, one in enumerate(each[:later]):
                    same_unit = getattr(one, "unit", None) == getattr(two, "unit", None)
                    if same_unit and one.meets(two):
                        raise ValueError(
                            f"{name}[{earlier}] and {name}[{later}] are about the same kind,"
                            " locale and unit: keep one, or set `kinds` and `locales` apart"
                        )
        return self

    def covers(self, kind: str, locale: str) -> bool:
        """Whether the work was agreed: some rate holds for it."""
        return any(rate.holds(kind, locale) for rate in self.rates)

    def returned_within(self, kind: str, locale: str) -> Decimal | None:
        """The service level in working days; None where none was agreed."""
        return next(
            (each.working_days for each in self.turnaround if each.holds(kind, locale)), None
        )
