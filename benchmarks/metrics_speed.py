"""How long a scrape of the catalogue's metrics takes at a million answers.

`python -m benchmarks.metrics_speed` fills a PostgreSQL server of its own below `--directory` with
`--answers` answers (`benchmarks.workforce_speed` says how they are spread over a quarter) and reads
the metrics at the evening of its last day, `--times` times. Writes
`benchmarks/results/metrics_speed.md`: the median and the longest scrape, and the median of each
query that takes more than a hundredth of it.
"""

import datetime as dt
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from sqlalchemy import Engine, event

from benchmarks.catalogue_scale import postgresql
from benchmarks.workforce_speed import fill
from deployments.observability.of_catalogue import of_catalogue
from tasks.settings import Settings

RESULTS = Path(__file__).parent / "results" / "metrics_speed.md"
EVENING = dt.datetime(2026, 9, 28, 18, tzinfo=dt.UTC)
TABLES = ("image", "question", "answer", "decision", "verified_label", "judgement")


def main(
    directory: Path,
    answers: int = 1_000_000,
    times: Annotated[
        int, typer.Option(help="Scrapes that are measured, after one that is not.")
    ] = 9,
) -> None:
    """Fill, scrape, and write the page."""
    with postgresql(directory) as url:
        fill(url, answers)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            counts = {
                name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()
                for name in TABLES
            }
        settings = Settings(data=directory / "watched", catalogue=url)
        seconds: dict[str, list[float]] = defaultdict(list)
        whole = []
        _hear(seconds)
        for number in range(times + 1):
            began = time.perf_counter()
            n_metrics = sum(len(each.samples) for each in of_catalogue(settings, EVENING))
            if number:
                whole.append(time.perf_counter() - began)
            else:
                seconds.clear()
        settings.catalog.close()
    RESULTS.write_text(_page(answers, counts, whole, seconds, n_metrics))


def _hear(seconds: dict[str, list[float]]) -> None:
    """Note how long each statement takes in the database."""

    @event.listens_for(Engine, "before_cursor_execute")
    def begin(connection: Any, _cursor: Any, _statement: str, *_rest: Any) -> None:
        connection.info["began"] = time.perf_counter()

    @event.listens_for(Engine, "after_cursor_execute")
    def end(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seconds[" ".join(statement.split())].append(time.perf_counter() - connection.info["began"])


def _page(
    answers: int,
    counts: dict[str, Any],
    whole: list[float],
    seconds: dict[str, list[float]],
    n_metrics: int,
) -> str:
    slow = {
        statement: statistics.median(each)
        for statement, each in seconds.items()
        if statistics.median(each) > statistics.median(whole) / 100
    }
    rows = ", ".join(f"{n:,} of {name}" for name, (n,) in counts.items())
    lines = "\n".join(
        f"| {median * 1000:,.0f} | `{statement[:110].replace('|', ' ')}` |"
        for statement, median in sorted(slow.items(), key=lambda each: -each[1])
    )
    took = f"{statistics.median(whole):.2f} s (median of {len(whole)} scrapes)"
    return f"""# How long a scrape takes

`python -m benchmarks.metrics_speed --answers {answers}`: PostgreSQL with {rows} rows.
The {n_metrics} samples of the catalogue take {took}, at most {max(whole):.2f} s.
What of it the database takes:

| ms | query |
|---:|---|
{lines}
"""


if __name__ == "__main__":
    typer.run(main)
