"""How rarely the watch over quality cries wolf, and how soon it finds a drop.

    python -m benchmarks.quality_watch

Years of weekly gold answers are drawn: three vendors, five locales each. In a healthy year nothing
changes, and any alarm is a false one. In the others the first vendor drops from week 30 on. Beside
it stands what it replaces: a p chart of each vendor and locale with limits of three standard
deviations.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from workforce.periods import week_of
from workforce.statistics.charts import p_chart
from workforce.statistics.watch import Watch, WeeklyCount, quality_watch

VENDORS = ("vendor-a", "vendor-b", "vendor-c")
LOCALES = ("de-DE", "en-US", "fr-FR", "ja-JP", "sv-SE")
WEEKS = [week_of(dt.date(2026, 1, 5) + dt.timedelta(weeks=k)) for k in range(52)]
DROP_WEEK = 30


Run = Callable[[Callable[[int], float], Iterable[int]], Iterable[float]]
"""Calls a function with many seeds, on several processes."""


@dataclass(frozen=True)
class World:
    """How a year is drawn.

    `gold` answers a week of each vendor and locale, a fifth more or less; `differ` is the standard
    deviation of the logarithm of the rates of vendors and locales, `correlated` the correlation of
    the errors of one week (beta-binomial). The first vendor falls to `falls_to` in `locales`, over
    so many weeks `within`.
    """

    accuracy: float = 0.97
    gold: int = 8
    differ: float = 0.3
    correlated: float = 0.0
    falls_to: float = 0.97
    within: int = 1
    locales: Sequence[str] = LOCALES

    def year(self, seed: int) -> list[WeeklyCount]:
        random = np.random.default_rng(seed)
        usual = (1 - self.accuracy) * np.exp(self.differ * random.standard_normal((3, 5)))
        found = []
        for number, week in enumerate(WEEKS, start=1):
            fallen = np.clip((number - DROP_WEEK + 1) / self.within, 0, 1)
            for (v, vendor), (place, locale) in (
                (a, b) for a in enumerate(VENDORS) for b in enumerate(LOCALES)
            ):
                rate = float(usual[v, place])
                if v == 0 and locale in self.locales:
                    rate += float(fallen) * (self.accuracy - self.falls_to)
                if self.correlated:
                    sizes = 1 / self.correlated - 1
                    rate = float(random.beta(rate * sizes, (1 - rate) * sizes))
                n = int(random.integers(round(0.8 * self.gold), round(1.2 * self.gold) + 1))
                n_wrong = int(random.binomial(n, min(rate, 1)))
                found.append(WeeklyCount(vendor, locale, week, n_wrong, n))
        return found


def false_alarm(world: World, watch: Watch, seed: int) -> bool:
    return bool(quality_watch(world.year(seed), watch))


def false_alarm_of_p_charts(world: World, watch: Watch, seed: int) -> bool:
    counts = world.year(seed)
    of_weeks = np.array([(each.n_wrong, each.n) for each in counts]).reshape(52, 15, 2)
    baseline = slice(watch.baseline_weeks)
    charts = [p_chart(*of_weeks[:, stream].T, baseline) for stream in range(15)]
    return any(each.out[watch.baseline_weeks :].any() for each in charts)


def weeks_until_found(world: World, watch: Watch, seed: int) -> float:
    """Weeks of the drop that had passed at the first alarm about the vendor; infinite if none."""
    alarms = quality_watch(world.year(seed), watch)
    of_vendor = [each for each in alarms if each.vendor == VENDORS[0]]
    found = [WEEKS.index(each.week) + 2 - DROP_WEEK for each in of_vendor]
    return min((each for each in found if each > 0), default=np.inf)


def main(
    years: Annotated[int, typer.Option(help="Healthy years of the first world.")] = 2000,
    few: Annotated[int, typer.Option(help="Healthy years of the other worlds.")] = 200,
    dropping: Annotated[int, typer.Option(help="Years with a drop, of each kind.")] = 100,
    processes: int = 2,
    out: Path = Path("benchmarks/results/quality_watch.md"),
) -> None:
    with ProcessPoolExecutor(processes) as pool:
        run = partial(pool.map, chunksize=5)
        page = "\n".join([*_healthy(run, years, few), "", *_drops(run, dropping)]) + "\n"
    print(page)
    out.write_text(page)


def _healthy(run: Run, years: int, few: int) -> Iterable[str]:
    usual, watch = World(), Watch()
    worlds = {
        "locales differ (standard deviation of logarithms 30 %)": usual,
        "all alike": replace(usual, differ=0.0),
        "locales differ much (60 %)": replace(usual, differ=0.6),
        "errors of a week correlate by .03": replace(usual, correlated=0.03),
        "40 gold answers of each vendor and locale": replace(usual, gold=40),
    }
    yield "# The watch over quality"
    yield ""
    yield (
        "`python -m benchmarks.quality_watch`. Years of 52 weeks, three vendors, five locales each,"
        " eight gold answers a week of each (6 to 10), 97 % of them right. The first 13 weeks are"
        " the baseline. Promised is a false alarm in at most 3 % of healthy years, over all 18"
        " charts together."
    )
    yield ""
    yield "| healthy years | years | with a false alarm | with one on p charts |"
    yield "|---|---:|---:|---:|"
    start = time.perf_counter()
    for name, world in worlds.items():
        for n in (few, years) if world is usual else (few,):
            false = list(run(partial(false_alarm, world, watch), range(n)))
            p_charts = list(run(partial(false_alarm_of_p_charts, world, watch), range(n)))
            yield f"| {name} | {n:,} | {_share(false)} | {_share(p_charts)} |"
    taken = time.perf_counter() - start
    yield ""
    yield f"{taken / (years + few * len(worlds)):.2f} s of the clock a year, on two shared cores."


def _drops(run: Run, dropping: int) -> Iterable[str]:
    usual = World(falls_to=0.90, within=10)
    worlds = {
        "to 90 % over ten weeks": usual,
        "to 90 % at once": replace(usual, within=1),
        "to 94 % over ten weeks": replace(usual, falls_to=0.94),
        "to 85 % over ten weeks": replace(usual, falls_to=0.85),
        "to 80 % at once, in one locale": replace(
            usual, falls_to=0.80, within=1, locales=LOCALES[:1]
        ),
        "to 90 % over ten weeks, 40 gold answers of each locale": replace(usual, gold=40),
        "to 90 % at once, 40 gold answers of each locale": replace(usual, gold=40, within=1),
    }
    yield (
        f"The first vendor falls from week {DROP_WEEK} on; {dropping} years each. Weeks that the"
        " drop had lasted at the alarm: a drop over ten weeks is whole in the tenth."
    )
    yield ""
    yield "| drop | baseline | half found within | nine of ten within | found in the year |"
    yield "|---|---:|---:|---:|---:|"
    for name, world in worlds.items():
        for watch in (Watch(), Watch(baseline_weeks=26)):
            found = np.array(list(run(partial(weeks_until_found, world, watch), range(dropping))))
            half, most = (
                "–" if np.isinf(each) else f"{each:.0f} weeks"
                for each in np.quantile(found, [0.5, 0.9], method="inverted_cdf")
            )
            share = np.isfinite(found).mean()
            yield f"| {name} | {watch.baseline_weeks} weeks | {half} | {most} | {share:.0%} |"


def _share(found: Sequence[float]) -> str:
    return f"{np.mean(found):.1%}"


if __name__ == "__main__":
    typer.run(main)
