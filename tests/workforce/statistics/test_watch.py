"""The watch over quality: who has dropped, and nobody else."""

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pytest

from workforce.periods import week_of
from workforce.statistics.watch import Alarm, Watch, WeeklyCount, quality_watch

WEEKS = [week_of(dt.date(2026, 1, 5) + dt.timedelta(weeks=k)) for k in range(52)]
LOCALES = ("de-DE", "en-US", "ja-JP")
LATE = WEEKS[29]


def year(
    seed: int, falls_to: float = 0.97, locales: Iterable[str] = LOCALES, gold: int = 12
) -> list[WeeklyCount]:
    """Two vendors, of whom the first falls in some locales from week 30 on."""
    random = np.random.default_rng(seed)
    found = []
    for week in WEEKS:
        for vendor in ("vendor-a", "vendor-b"):
            for locale in LOCALES:
                fallen = vendor == "vendor-a" and locale in locales and week.starts >= LATE.starts
                wrong = random.binomial(gold, 1 - (falls_to if fallen else 0.97))
                found.append(WeeklyCount(vendor, locale, week, int(wrong), gold))
    return found


def test_healthy_years_are_quiet() -> None:
    assert sum(bool(quality_watch(year(seed))) for seed in range(10)) <= 2


def test_a_vendor_that_drops_everywhere_is_named_and_since_when() -> None:
    alarm = quality_watch(year(1, falls_to=0.85))[0]
    assert (alarm.vendor, alarm.locale) == ("vendor-a", None)
    assert LATE.starts <= alarm.week.starts <= WEEKS[35].starts
    assert abs((alarm.since.starts - LATE.starts).days) <= 21
    assert alarm.n_wrong > 2 * alarm.expected


def test_a_drop_in_one_locale_is_found_there() -> None:
    found = quality_watch(year(1, falls_to=0.7, locales=["ja-JP"]))
    assert ("vendor-a", "ja-JP") in {(each.vendor, each.locale) for each in found}
    assert {each.locale for each in found} <= {None, "ja-JP"}
    assert {each.vendor for each in found} == {"vendor-a"}


def test_an_alarm_stays_as_it_was_raised_when_weeks_are_added() -> None:
    counts = year(1, falls_to=0.85)
    first = quality_watch(counts)[0]
    until = [each for each in counts if each.week.starts <= first.week.starts]
    assert quality_watch(until) == [first]


def test_the_order_of_the_counts_and_how_they_are_split_do_not_matter() -> None:
    counts = year(1, falls_to=0.85)
    halves = [
        WeeklyCount(each.vendor, each.locale, each.week, *part)
        for each in reversed(counts)
        for part in ((each.n_wrong, each.n // 2), (0, each.n - each.n // 2))
    ]
    assert quality_watch(halves) == quality_watch(counts)


def test_one_locale_alone_has_one_chart() -> None:
    only = [each for each in year(1, falls_to=0.7) if each.locale == "de-DE"]
    assert [(each.vendor, each.locale) for each in quality_watch(only)] == [("vendor-a", None)]


@pytest.mark.parametrize("n_weeks", [0, 1, 13])
def test_a_baseline_alone_warns_of_nobody(n_weeks: int) -> None:
    early = {week.name for week in WEEKS[:n_weeks]}
    assert quality_watch(each for each in year(0, 0.5) if each.week.name in early) == []


def test_no_answers_and_no_baseline_warn_of_nobody() -> None:
    nothing = [WeeklyCount("a", "de-DE", week, 0, 0) for week in WEEKS]
    late = [*nothing, WeeklyCount("a", "de-DE", WEEKS[-1], 5, 5)]
    assert quality_watch(nothing) == quality_watch(late) == []


def test_a_first_error_after_a_baseline_without_any_is_no_alarm() -> None:
    clean = [WeeklyCount("a", "de-DE", week, int(week == WEEKS[20]), 10) for week in WEEKS]
    assert quality_watch(clean) == []


def test_more_risk_finds_no_later() -> None:
    counts = year(3, falls_to=0.9)

    def first(risk: float) -> Alarm:
        return quality_watch(counts, Watch(false_alarms_per_year=risk))[0]

    assert first(0.2).week.starts <= first(0.01).week.starts
