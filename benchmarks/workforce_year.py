"""Whether warnings find a vendor that degrades or bills too much, and leave the healthy alone.

`python -m benchmarks.workforce_year` draws sample years (`workforce.sample_year`): healthy ones,
and ones in which one vendor degrades from week 30 and another bills too much in four months. Each
year is looked at week by week, with the rules that the daily flow `watch` uses, knowing what was
known then. Years are counted without a catalogue; that the counts are those of the rows, a test
shows (`tests/workforce/test_sample_year.py`). Writes `benchmarks/results/workforce_year.md`.
"""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from statsmodels.stats.proportion import proportion_confint

from workforce.billing.matching import matched
from workforce.foresight import warnings
from workforce.performance.figures import Metric
from workforce.periods import FiscalCalendar, Period
from workforce.records import Workforce
from workforce.reviews.review import InvoiceLine
from workforce.sample_year import VENDORS, SampleYear
from workforce.sample_year.billing import Sent, done, sent
from workforce.sample_year.counts import due, figures, gold
from workforce.sample_year.course import DEGRADES_IN_WEEK
from workforce.statistics.watch import WeeklyCount, quality_watch

YEARS = (2026, 2027, 2028)  # the last one is a leap year
TARGET = 0.95  # of what is due, that is to be on time: `agreed.LEVELS`
RESULTS = Path(__file__).parent / "results" / "workforce_year.md"


@dataclass(frozen=True)
class Billing:
    """An invoice with its fault, if any: what is too much, and the variance that was warned of."""

    sent: Sent
    warned: Decimal | None


@dataclass(frozen=True)
class Looked:
    """What was warned of in a year: the week in which each vendor's first warning came."""

    year: SampleYear
    quality: dict[str, int]
    levels: dict[str, int]
    invoices: Sequence[Billing]


def looked(year: SampleYear) -> Looked:
    """A year, looked at by the rules of the daily watch."""
    calendar = FiscalCalendar(first_month=1)
    whole = calendar.period(f"{year.year}")
    weeks = [week for week in whole.weeks() if week.ends <= whole.ends]
    # A copy does not hold all that was drawn, which would be sent between processes.
    drawn = replace(year)
    return Looked(drawn, _quality(year, weeks), _levels(year, weeks), _invoices(year))


def _quality(year: SampleYear, weeks: Sequence[Period]) -> dict[str, int]:
    """An alarm depends on nothing later, so that one look at the whole year tells each week."""
    known = set(weeks)
    counts = [
        WeeklyCount(str(cell.vendor), str(cell.locale), cell.period, n - right, n)
        for cell, (right, n) in gold(year).items()
        if cell.period in known
    ]
    found: dict[str, int] = {}
    for alarm in quality_watch(counts):
        found.setdefault(alarm.vendor, alarm.week.starts.isocalendar().week)
    return found


def _levels(year: SampleYear, weeks: Sequence[Period]) -> dict[str, int]:
    every = figures(Metric.SLA_ATTAINMENT, due(year), weeks)
    found: dict[str, int] = {}
    for week in weeks:
        so_far = [each for each in every if each.cell.period.starts <= week.starts]
        for warning in warnings.levels(so_far, lambda _vendor, _locale: TARGET):
            found.setdefault(str(warning.vendor), week.starts.isocalendar().week)
    return found


def _invoices(year: SampleYear) -> list[Billing]:
    bills = sent(year)
    agreed = year.agreed
    workforce = Workforce.of([*agreed.records(), *(each.invoice for each in bills)])
    end = dt.datetime(year.year + 1, 2, 1, tzinfo=dt.UTC)
    found = matched(workforce, done(year, lambda _day: end), dt.date(year.year, 12, 31))
    lines: dict[str, list[InvoiceLine]] = defaultdict(list)
    for each in bills:
        lines[each.invoice.vendor] += found.lines[each.invoice.key]
    warned = {
        warning.about: warning.what.values["variance"].amount  # type: ignore[union-attr]
        for warning in warnings.invoices(lines, end.date())
    }
    return [Billing(each, warned.get(each.invoice.key)) for each in bills]


def main(
    healthy: Annotated[int, typer.Option(help="Healthy years.")] = 200,
    faulty: Annotated[int, typer.Option(help="Years with vendors at fault.")] = 24,
    answers: Annotated[int, typer.Option(help="Answers of a year.")] = 40_000,
    processes: int = 2,
) -> None:
    """Look at every year, and write the page."""
    begins = time.perf_counter()
    well = [
        SampleYear(year=YEARS[seed % len(YEARS)], seed=seed, answers=answers)
        for seed in range(healthy)
    ]
    ill = [
        SampleYear(
            year=YEARS[seed % len(YEARS)],
            seed=10_000 + seed,
            answers=answers,
            degrades=VENDORS[seed % len(VENDORS)],
            overbills=VENDORS[(seed + 1 + seed // 3 % 2) % len(VENDORS)],
        )
        for seed in range(faulty)
    ]
    with ProcessPoolExecutor(processes) as pool:
        seen_ill = list(pool.map(looked, ill))
        seen_well = list(pool.map(looked, well))
    page = "\n".join(_page(seen_well, seen_ill, answers))
    RESULTS.write_text(f"{page}\n", encoding="utf-8")
    typer.echo(f"{page}\n{time.perf_counter() - begins:.0f} s")


def _page(well: Sequence[Looked], ill: Sequence[Looked], answers: int) -> Iterable[str]:
    yield from (
        "# Warnings over sample years",
        "",
        f"`python -m benchmarks.workforce_year --healthy {len(well)} --faulty {len(ill)}"
        f" --answers {answers}`: three vendors, five locales, four versions of contracts, seeds"
        " fixed, a third of the years leap years. The rules are those of the daily `watch`.",
        "",
        "## Healthy years",
        "",
        "| false warning of | years | share | 95 % interval |",
        "|---|--:|--:|--:|",
    )
    any_invoice = [any(each.warned is not None for each in seen.invoices) for seen in well]
    for name, false in (
        ("quality", [bool(seen.quality) for seen in well]),
        ("a service level", [bool(seen.levels) for seen in well]),
        ("an invoice", any_invoice),
        (
            "**any of these**",
            [
                bool(seen.quality or seen.levels or invoice)
                for seen, invoice in zip(well, any_invoice, strict=True)
            ],
        ),
    ):
        low, high = proportion_confint(sum(false), len(false), method="wilson")
        yield (
            f"| {name} | {sum(false)} of {len(false)} | {sum(false) / len(false):.1%}"
            f" | {low:.1%} to {high:.1%} |"
        )
    yield from (
        "",
        "## A vendor degrades from week 30",
        "",
        "Its slips grow over ten weeks to 5.5 times the usual ones, its delays to 1.8 times.",
        "",
        "| warning of | found | before week 30 | first, median and last week | other vendors |",
        "|---|--:|--:|--:|--:|",
    )
    for name, weeks in (
        ("quality", [seen.quality for seen in ill]),
        ("a service level", [seen.levels for seen in ill]),
        ("either", [_first(seen) for seen in ill]),
    ):
        own = [
            of_year[seen.year.degrades]
            for seen, of_year in zip(ill, weeks, strict=True)
            if seen.year.degrades in of_year
        ]
        right = [week for week in own if week >= DEGRADES_IN_WEEK]
        others = sum(
            bool(of_year.keys() - {seen.year.degrades})
            for seen, of_year in zip(ill, weeks, strict=True)
        )
        span = f"{min(right)}, {median(right):.0f}, {max(right)}" if right else "-"
        yield (
            f"| {name} | {len(right)} of {len(ill)} | {len(own) - len(right)} | {span}"
            f" | {others} of {len(ill)} years |"
        )
    yield from (
        "",
        "## A vendor bills too much",
        "",
        "Four invoices of a year: 8 % more units, a tier not granted, a line twice.",
        "",
        "| fault | invoices | warned of | planted | of it found |",
        "|---|--:|--:|--:|--:|",
    )
    billed = [each for seen in ill for each in seen.invoices]
    for fault in sorted({each.sent.fault for each in billed if each.sent.fault}):
        of_fault = [each for each in billed if each.sent.fault == fault]
        planted: dict[str, Decimal] = defaultdict(Decimal)
        seen_of: dict[str, Decimal] = defaultdict(Decimal)
        for each in of_fault:
            planted[each.sent.excess.currency] += each.sent.excess.amount
            seen_of[each.sent.excess.currency] += each.warned or Decimal(0)
        amounts = ", ".join(f"{name} {amount:,}" for name, amount in sorted(planted.items()))
        shares = ", ".join(
            f"{name} {seen_of[name] / amount:.1%}" for name, amount in sorted(planted.items())
        )
        n_warned = sum(each.warned is not None for each in of_fault)
        yield f"| {fault} | {len(of_fault)} | {n_warned} | {amounts} | {shares} |"
    right_ones = [each for each in billed if each.sent.fault is None]
    n_false = sum(each.warned is not None for each in right_ones)
    yield from (
        "",
        f"Of {len(right_ones)} invoices of these years without a fault, {n_false} were warned of.",
    )


def _first(seen: Looked) -> dict[str, int]:
    return {
        vendor: min(each[vendor] for each in (seen.quality, seen.levels) if vendor in each)
        for vendor in seen.quality.keys() | seen.levels.keys()
    }


if __name__ == "__main__":
    typer.run(main)
