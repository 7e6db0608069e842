"""Every metric of a quarter, by week, of ten million answers: seconds, CPU seconds and memory.

`python -m benchmarks.workforce_speed` fills a PostgreSQL server of its own below `--directory` with
`--answers` answers of three vendors in five locales, on the days of one quarter. It measures what
one aggregate query in the database costs and, in a process of its own each, the copies of all days,
and all metrics twice from them. Writes `benchmarks/results/workforce_speed.md`.
Needs 20 GB of disk at full size.
"""

import datetime as dt
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from benchmarks.postgresql import postgresql
from catalog import BlobStore, Catalog, performance_copies
from catalog.performance import PARTS
from tests.workforce import staff
from workforce.performance.metrics import Circumstances, measure
from workforce.periods import FiscalCalendar

RESULTS = Path(__file__).parent / "results" / "workforce_speed.md"
FIRST = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
AS_OF = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
QUARTER = "2026Q3"
PER_QUESTION = 4
IMAGES = 2
ANNOTATORS = 40
"""Of each vendor."""

# Each question `n` is asked at a moment of the quarter that follows from `n`; so does all else.
AT = "timestamptz '2026-07-01 00:00+00' + (n::float8 / {n_questions}) * interval '89 days'"
SITE = "'vendor-' || (n % 3)"
LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")
LOCALE = f"(array{[*LOCALES]})[1 + n % {len(LOCALES)}]"
KIND = "(array['verify', 'verify', 'attach', 'merge'])[1 + n % 4]"
GOLD = "n % 20 = 0"
HOURS = "interval '1 hour' * "
CHANCE = "(('x' || substr(md5({what}), 1, 7))::bit(28)::int / 268435456.0)"

TABLES = (
    (
        "image",
        """SELECT md5('i' || n) || md5('j' || n), 'de-DE', 'image/jpeg', 640, 480, 90000,
           timestamptz '2026-06-01' FROM generate_series(0, {n_images} - 1) n""",
        "id locale media_type width height n_bytes ingested_at",
    ),
    (
        "question",
        """SELECT md5('q' || n), {kind}, {locale}, {site},
           json_build_array(md5('i' || n * 2) || md5('j' || n * 2),
                            md5('i' || n * 2 + 1) || md5('j' || n * 2 + 1)), '[]',
           CASE WHEN {gold} THEN '{{"verdict": "confirm", "intruder_ids": []}}'::json END, {at}
           FROM generate_series(0, {n_questions} - 1) n""",
        "id kind locale site image_ids reference_ids expected asked_at",
    ),
    (
        "site_task",
        """SELECT md5('q' || n), 1, n, 'crowd', {at} + {hours} 0.2
           FROM generate_series(0, {n_questions} - 1) n""",
        "question_id project_id task_id desk pushed_at",
    ),
    (
        "answer",
        """SELECT md5('a' || n || '/' || k), md5('q' || n), n || '/' || k, 0,
           'annotator-' || (n % 3) || '-' || ((n / 3 + k * 7) % 40) || '@example.com', 'given',
           CASE WHEN {chance_k} < .9 THEN 'confirm' ELSE 'unsure' END, '[]', NULL, '[]',
           5 + 20 * {chance_k}, answered, 'crowd', '[]', answered + {hours} 1
           FROM generate_series(0, {n_questions} - 1) n, generate_series(0, 3) k,
           LATERAL (SELECT {at} + {hours} (1 + 40 * {chance_k})) said(answered)""",
        "id question_id annotation revision annotator state verdict intruder_ids name flags seconds"
        " answered_at desk groups pulled_at",
    ),
    (
        "decision",
        """SELECT md5('d' || n), md5('q' || n), NULL, CASE WHEN n % 10 = 1 THEN 'unsure' ELSE 'same'
           END, '[]', '[]', '[]', '[]', '[]', 1, .99, 9, {at} + {hours} (42 + 30 * {chance})
           FROM generate_series(0, {n_questions} - 1) n WHERE NOT {gold}""",
        "id question_id supersedes_id kind groups removed_ids memberships answer_ids annotators"
        " agreement confidence seconds decided_at",
    ),
    (
        "decision",
        """SELECT md5('u' || n), md5('q' || n), md5('d' || n), 'undone', '[]', '[]', '[]', '[]',
           '["lead"]', 0, 1, 0, {at} + {hours} 200
           FROM generate_series(0, {n_questions} - 1) n WHERE NOT {gold} AND n % 100 = 7""",
        "id question_id supersedes_id kind groups removed_ids memberships answer_ids annotators"
        " agreement confidence seconds decided_at",
    ),
    (
        "gate_run",
        """SELECT md5('g' || n), 0, 0, false, '[]', timestamptz '2026-07-03 23:00+00'
           + n * interval '1 day' FROM generate_series(0, 95) n""",
        "id n_accepted n_quarantined held rules judged_at",
    ),
    (
        "verified_label",
        """SELECT md5('l' || n || '/' || k), md5('i' || n * 2 + k) || md5('j' || n * 2 + k), NULL,
           NULL, {locale}, 'decision', md5('d' || n), '[]', 1, NULL, false,
           {at} + {hours} (42 + 30 * {chance} + 1)
           FROM generate_series(0, {n_questions} - 1) n, generate_series(0, 1) k
           WHERE NOT {gold} AND n % 10 <> 1""",
        "id image_id supersedes_id product_id locale origin decision_id annotators agreement"
        " seconds withdrawn labelled_at",
    ),
    (
        "verified_label",
        """SELECT md5('w' || n || '/' || k), md5('i' || n * 2 + k) || md5('j' || n * 2 + k),
           md5('l' || n || '/' || k), NULL, {locale}, 'decision', md5('d' || n), '[]', 1, NULL,
           true, {at} + {hours} 201
           FROM generate_series(0, {n_questions} - 1) n, generate_series(0, 1) k
           WHERE NOT {gold} AND n % 100 = 7""",
        "id image_id supersedes_id product_id locale origin decision_id annotators agreement"
        " seconds withdrawn labelled_at",
    ),
    (
        "judgement",
        """SELECT md5('l' || n || '/' || k), md5('g' || least(95, n * 90 / {n_questions})),
           n % 50 <> 3, '[]', 0
           FROM generate_series(0, {n_questions} - 1) n, generate_series(0, 1) k
           WHERE NOT {gold} AND n % 10 <> 1""",
        "label_id gate_run_id accepted reasons release_number",
    ),
)

AGGREGATE = """
    SELECT q.site, q.locale, q.kind, date_trunc('week', a.answered_at AT TIME ZONE 'UTC'),
           count(*), sum(a.seconds), percentile_cont(0.5) WITHIN GROUP (ORDER BY a.seconds)
    FROM answer a JOIN question q ON q.id = a.question_id GROUP BY 1, 2, 3, 4"""


def fill(url: str, n_answers: int) -> None:
    """Make the catalogue at `url`, which is empty, by the server itself."""
    Catalog(url).close()
    n_questions = n_answers // PER_QUESTION
    known = {
        "n_questions": n_questions,
        "n_images": n_questions * IMAGES,
        "at": AT.format(n_questions=n_questions),
        **{"site": SITE, "locale": LOCALE, "kind": KIND, "gold": GOLD, "hours": HOURS},
        "chance": CHANCE.format(what="'c' || n"),
        "chance_k": CHANCE.format(what="'c' || n || '/' || k"),
    }
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '1GB'")
        for table, query, columns in TABLES:
            start = time.perf_counter()
            names = ", ".join(f'"{column}"' for column in columns.split())
            again = _without_indexes(connection, table)
            connection.execute(f'INSERT INTO "{table}" ({names}) {query.format(**known)}')
            for statement in again:
                connection.execute(statement)
            print(f"  {table}: {time.perf_counter() - start:.0f} s", flush=True)
        connection.execute("VACUUM ANALYZE")


def _without_indexes(connection: psycopg.Connection, table: str) -> list[str]:
    """Drop the indexes of a table that no constraint needs; what makes them anew."""
    found = connection.execute(
        """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN
           (SELECT conname FROM pg_constraint)""",
        (table,),
    ).fetchall()
    for name, _ in found:
        connection.execute(f'DROP INDEX "{name}"')
    return [str(definition) for _, definition in found]


def copy_days(url: str, blobs: Path) -> dict[str, float]:
    """The copies of all days; seconds, CPU seconds and the process's memory."""
    steps, store = Steps(), BlobStore(f"file://{blobs}")
    with Catalog(url).read() as transaction:
        for part in PARTS:
            for _ in performance_copies.copies(transaction, store, part, AS_OF):
                pass
    steps.done("copy")
    return {**steps.found, "memory, MB": memory()}


def memory() -> float:
    """The most that the process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def summarise(url: str, blobs: Path) -> dict[str, float]:
    """Every figure of the quarter and its weeks; seconds, CPU seconds and the process's memory."""
    locales = {locale: {} for locale in LOCALES}
    recorded = [
        record
        for site in (f"vendor-{number}" for number in range(3))
        for record in (
            staff.vendor(site, locales=locales),
            staff.contract(site, turnaround=[{"working_days": "3"}]),
        )
    ]
    known = Circumstances(staff.workforce(*recorded), AS_OF, first_votes=PER_QUESTION)
    quarter = FiscalCalendar().period(QUARTER)
    steps = Steps()
    catalog = Catalog(url)
    with catalog.read() as transaction:
        log = performance_copies.log_of(transaction, BlobStore(f"file://{blobs}"), AS_OF)
    steps.done("read")
    figures = measure(log, [quarter, *quarter.weeks()], known)
    steps.done("measure")
    return {
        "answers": len(log.answers),
        "figures": len(figures),
        **steps.found,
        "memory, MB": memory(),
    }


class Steps:
    """Wall and CPU seconds of what is done one after another."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}
        self._begin()

    def done(self, step: str) -> None:
        self.found[f"{step}, s"] = time.perf_counter() - self._wall
        self.found[f"{step}, CPU s"] = time.process_time() - self._cpu
        self._begin()

    def _begin(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def in_its_own_process(
    measured: Callable[[str, Path], dict[str, float]], url: str, blobs: Path
) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, url, blobs).result()


def aggregate(url: str) -> float:
    """Seconds of one aggregate in the database: answers, seconds and a median by cell and week."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        start = time.perf_counter()
        connection.execute(AGGREGATE).fetchall()
        return time.perf_counter() - start


def page(
    n_answers: int,
    in_database: float,
    copying: dict[str, float],
    runs: Sequence[tuple[str, dict[str, float]]],
) -> str:
    names = list(runs[0][1])
    lines = [
        "# The workforce at scale\n",
        f"`python -m benchmarks.workforce_speed --answers {n_answers}`: {n_answers:,} answers to"
        f" {n_answers // PER_QUESTION:,} questions of three vendors in five locales, in one"
        " quarter: every metric of the quarter and its weeks, for each vendor, locale and kind.\n",
        f"One aggregate in PostgreSQL, of a median and two sums, takes {in_database:.1f} s: some"
        " twenty metrics would take minutes. So days that are over are copied once: all of them in"
        f" {copying['copy, s']:,.0f} s ({copying['copy, CPU s']:,.0f} CPU s and"
        f" {copying['memory, MB']:,.0f} MB in our process), and from then on a day at a time.\n",
        "Seconds by the clock depend on what else the machine does; CPU seconds are of the process"
        " that summarises, on one core. Filling the database is not counted.\n",
        "| | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for title, found in runs:
        cells = (f"{found[name]:,.1f}".removesuffix(".0") for name in names)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(
    answers: Annotated[int, typer.Option(help="How many answers.")] = 10_000_000,
    directory: Annotated[Path, typer.Option(help="Where the catalogue is made and kept.")] = Path(
        "/tmp/workforce_speed"
    ),
    results: Annotated[Path, typer.Option(help="The page that is written.")] = RESULTS,
) -> None:
    place, filled = directory / "postgresql", directory / f"{answers}.filled"
    directory.mkdir(parents=True, exist_ok=True)
    with postgresql(place) as url:
        if not filled.exists():
            fill(url, answers)
            filled.touch()
        in_database = aggregate(url)
        blobs = directory / "blobs"
        copying = in_its_own_process(copy_days, url, blobs)
        runs = [
            (title, in_its_own_process(summarise, url, blobs)) for title in ("from copies", "again")
        ]
    results.write_text(page(answers, in_database, copying, runs))


if __name__ == "__main__":
    typer.run(main)
