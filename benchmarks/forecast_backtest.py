"""How far forecasts can be trusted: `python -m benchmarks.forecast_backtest`.

Histories of a vendor's labels are drawn that are steady, grow, have a Christmas, ramp up, are held
up by outages, or wander; each is forecast every four weeks with what was known then.
"""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from catalog.schema import QuestionKind
from workforce import Vendor, Work, Workforce
from workforce.billing.charges import Done
from workforce.foresight.backtest import ASKED, N_PATHS, Case, backtest, score
from workforce.foresight.throughput import A_DAY, WEEK, Calendars

FIRST = dt.date(2025, 6, 2)
WEEKS = 78
SHAPES = ("steady", "growing", "seasonal", "ramp", "outages", "wandering", "in waves")
STAFF = Workforce(
    vendors=(
        Vendor.model_validate(
            {
                "site": "vendor-a",
                "name": "Alpha",
                "country": "DE",
                "subdivision": "BE",
                "time_zone": "Europe/Berlin",
                "closed": ["2025-12-24", "2025-12-31", "2026-12-24"],
                "paid_hours_per_day": 8,
                "locales": {"de-DE": {}},
            }
        ),
    )
)
Float = np.ndarray


def main(
    histories: Annotated[int, typer.Option(help="Histories of each shape.")] = 40,
    out: Annotated[Path, typer.Option()] = Path("benchmarks/results/forecast_backtest.md"),
) -> None:
    start = time.perf_counter()
    lines = []
    for shape in SHAPES:
        cases = [
            case
            for number in range(histories)
            for case in backtest(
                list(_history(shape, np.random.default_rng([SHAPES.index(shape), number]))),
                STAFF,
                FIRST + (WEEKS * WEEK - 1) * A_DAY,
            )
        ]
        for weeks in ASKED:
            lines.append(_line(shape, weeks, [case for case in cases if case.weeks == weeks]))
            print(lines[-1], flush=True)
    took = time.perf_counter() - start
    out.write_text(
        "\n".join(
            [
                "# Forecasts beside what then happened",
                "",
                f"{histories} histories of {WEEKS} weeks of each shape, forecast every four weeks"
                " from the eighth on, with what was known then: when will there be as many labels"
                " as 4 or 13 weeks bring at the mean rate so far? `within` is how often it was by"
                " the P50 and the P85. The bias is the median of days by which the P50 told a later"
                " day; the errors are mean absolute days: of the P50, of going by the last week,"
                " and of going by the mean of all weeks. The noise of a week is 10 to 35 %.",
                "",
                "| history | weeks | cases | within P50 | within P85 | bias | error | last week |"
                " mean |",
                "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
                *lines,
                "",
                "*Steady*: noise around one level. *Growing*: 1 % a week. *Seasonal*: a wave of"
                " 15 % over the year, and half of the work from Christmas to New Year, besides the"
                " holidays. *Ramp*: a new vendor who needs half a year to come to speed. *Outages*:"
                " a day in twenty without work, and three weeks at a fifth. *Wandering*: the level"
                " moves by 5 % a week. *In waves*: weeks resemble the week before.",
                "",
                f"{N_PATHS} paths for each forecast; the whole took {took:.0f} s.",
                "",
            ]
        )
    )


def _line(shape: str, weeks: int, cases: list[Case]) -> str:
    found = score(cases)
    assert found is not None
    return (
        f"| {shape} | {weeks} | {found.n:,} | {found.within_p50:.0%} | {found.within_p85:.0%} |"
        f" {found.bias:+.1f} | {found.error:.1f} | {found.error_of_last:.1f} |"
        f" {found.error_of_mean:.1f} |"
    )


def _history(shape: str, draw: np.random.Generator) -> Iterator[Done]:
    calendars = Calendars(STAFF)
    level = 300 * draw.lognormal(0, 0.5) * _course(shape, draw)
    level = level * draw.lognormal(0, draw.uniform(0.1, 0.35), WEEKS)
    for place in range(WEEKS * WEEK):
        day = FIRST + place * A_DAY
        lost = shape == "outages" and draw.random() < 0.05
        if calendars.works_on("vendor-a", day) and not lost:
            half = 0.5 if shape == "seasonal" and (day.month, day.day) >= (12, 22) else 1.0
            n = int(draw.poisson(half * level[place // WEEK]))
            work = Work("de-DE", QuestionKind.VERIFY, n // 3, 0, 10.0 * n, n)
            yield Done("vendor-a", day, work)


def _course(shape: str, draw: np.random.Generator) -> Float:
    """The level of each week, beside the usual one, float64 (WEEKS,)."""
    weeks = np.arange(WEEKS)
    course = np.ones(WEEKS)
    match shape:
        case "growing":
            course = np.exp(0.01 * weeks)
        case "seasonal":
            course = 1 + 0.15 * np.sin(2 * np.pi * (weeks + draw.integers(52)) / 52)
        case "ramp":
            course = 1 - 0.8 * np.exp(-weeks / 10)
        case "outages":
            start = draw.integers(WEEKS - 3)
            course[start : start + 3] = 0.2
        case "wandering":
            course = np.exp(np.cumsum(draw.normal(0, 0.05, WEEKS)))
        case "in waves":
            noise = np.zeros(WEEKS)
            for week in range(1, WEEKS):
                noise[week] = 0.7 * noise[week - 1] + draw.normal(0, 0.15)
            course = np.exp(noise)
    return course


if __name__ == "__main__":
    typer.run(main)
