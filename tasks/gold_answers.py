"""The vendors' answers to gold questions, compared: vendor with vendor, quarter with quarter."""

import datetime as dt
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import pandas as pd

from catalog.performance import Log
from tasks.performance import work_known
from tasks.settings import Settings
from workforce.performance.metrics import observations
from workforce.performance.observations import Observations
from workforce.performance.working_time import moment
from workforce.periods import Period
from workforce.statistics.comparison import Answers, Difference, difference
from workforce.statistics.variance import Component, components

FACTORS = {"annotator": "annotator", "cluster": "question", "vendor": "site", "locale": "locale"}
"""What differences of answers may come from, and the column that tells."""


@dataclass(frozen=True)
class Side:
    """The answers of a vendor in a locale and a period that are compared with others."""

    vendor: str
    locale: str
    period: str


@dataclass(frozen=True)
class GoldAnswers:
    """The standing answers to gold questions, one a row: `site`, `locale`, `annotator`, `question`,
    `at` (int64 microseconds, UTC) and `right`."""

    rows: pd.DataFrame

    @classmethod
    def of(cls, log: Log, observed: Observations) -> Self:
        gold = observed.gold()
        asked = log.answers["question"].to_numpy()[gold["answer"]]
        columns = ["site", "locale", "annotator", "at", "right"]
        return cls(gold[columns].assign(question=asked))

    @classmethod
    def known(cls, settings: Settings, as_of: dt.datetime) -> Self:
        """Those of the catalogue, as they were known at a moment."""
        log, known = work_known(settings, as_of)
        return cls.of(log, observations(log, known))

    def within(self, period: Period) -> "GoldAnswers":
        """Those that were given in a period."""
        at = self.rows["at"]
        inside = (at >= moment(period.begins)) & (at < moment(period.over))
        return GoldAnswers(self.rows[inside])

    def of_vendor(self, site: str) -> "GoldAnswers":
        return GoldAnswers(self.rows[self.rows["site"] == site])

    def sides(self, period: Period) -> dict[Side, Answers]:
        """The answers of each vendor in each locale in a period."""
        rows = self.within(period).rows
        return {
            Side(str(site), str(locale), period.name): Answers(
                own["right"].to_numpy(), own["annotator"].to_numpy(), own["question"].to_numpy()
            )
            for (site, locale), own in rows.groupby(["site", "locale"], observed=True)
        }

    def between_vendors(self, period: Period) -> dict[tuple[Side, Side], Difference]:
        """The differences of every two vendors in each locale that both serve."""
        sides = self.sides(period)
        pairs = (
            (one, other)
            for one, other in combinations(sorted(sides, key=_in_order), 2)
            if one.locale == other.locale
        )
        return {pair: difference(*(sides[each] for each in pair)) for pair in pairs}

    def between_periods(
        self, period: Period, earlier: Period
    ) -> dict[tuple[Side, Side], Difference]:
        """How each vendor in each locale differs from what it was."""
        sides, before = self.sides(period), self.sides(earlier)
        pairs = (
            (side, Side(side.vendor, side.locale, earlier.name))
            for side in sorted(sides, key=_in_order)
        )
        return {
            (side, then): difference(sides[side], before[then])
            for side, then in pairs
            if then in before
        }

    def components(self) -> dict[str, Component]:
        """What differences between the answers go back to, and the noise that is left.

        Without what has only one level, to which no difference can go back. Raises ValueError where
        there are too few answers to tell.
        """
        factors = {name: self.rows[column].to_numpy() for name, column in FACTORS.items()}
        several = {name: levels for name, levels in factors.items() if len(set(levels)) > 1}
        return components(self.rows["right"].to_numpy(float), several)


def _in_order(side: Side) -> tuple[str, str]:
    return side.locale, side.vendor
