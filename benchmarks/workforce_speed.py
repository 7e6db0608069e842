"""Every metric of a quarter, by week, of ten million answers: seconds, CPU seconds and memory.

`python -m benchmarks.workforce_speed` fills a PostgreSQL server of its own below `--directory` with
`--answers` answers of three vendors in five locales, on the days of one quarter. It measures what
one aggregate query in the database costs, how long the copies by the day take to make, and then,
each in a process of its own, the summary by the database alone and by the copies. Writes
`benchmarks/results/workforce_speed.md`. Needs 20 GB of disk at full size.
"""

import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path

import psycopg

from catalog import Catalog

RESULTS = Path(__file__).parent / "results" / "workforce_speed.md"
FIRST = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
AS_OF = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
QUARTER = "2026Q3"
DAYS = 91
PER_QUESTION = 4
IMAGES = 2
ANNOTATORS = 40
"""Of each vendor."""

# Each question `n` is asked at a moment of the quarter that follows from `n`; so does all else.
AT = "timestamptz '2026-07-01 00:00+00' + (n::float8 / {n_questions}) * interval '89 days'"
SITE = "'vendor-' || (n % 3)"
LOCALE = "(array['en-US', 'de-DE', 'sv-SE', 'ja-JP', 'ar-EG'])[1 + n % 5]"
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


def summarise(url: str, blobs: Path) -> None:
    """One step in a process of its own: its figures, seconds and memory, as JSON."""
    from catalog import BlobStore, performance_copies
    from tests.workforce import staff
    from workforce.metrics import Circumstances, measure
    from workforce.periods import FiscalCalendar

    locales = {locale: {} for locale in ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")}
    recorded = [
        record
        for site in ("vendor-0", "vendor-1", "vendor-2")
        for record in (
            staff.vendor(site, locales=locales),
            staff.contract(site, turnaround=[{"working_days": "3"}]),
        )
    ]
    known = Circumstances(staff.workforce(*recorded), AS_OF, first_votes=PER_QUESTION)
    quarter = FiscalCalendar().period(QUARTER)
    catalog = Catalog(url)
    steps = Steps()
    with catalog.read() as transaction:
        log = performance_copies.log_of(transaction, BlobStore(f"file://{blobs}"), AS_OF)
    steps.done("read")
    figures = measure(log, [quarter, *quarter.weeks()], known)
    steps.done("measure")
    said = {"figures": len(figures), "answers": len(log.answers), **steps.found}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**said, "memory MB": memory}))


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


if __name__ == "__main__":
    summarise(sys.argv[1], Path(sys.argv[2]))
