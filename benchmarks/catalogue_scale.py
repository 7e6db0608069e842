"""Every query that a flow runs, on a catalogue of millions of images.

`python -m benchmarks.catalogue_scale` generates 5M images in 500k candidate clusters, a question
about each, 2M answers, and the decisions, labels and judgements that follow (times `--scale`), in
SQLite and in a PostgreSQL server of its own, below `--directory`. A catalogue that lies there
already is read again. Each read of a flow is timed twice. What counts is its longest step: one
query, with all that is made of its rows, until the next query begins. Writes
`benchmarks/results/catalogue_scale.md` with the plans of the ten heaviest. Needs 40 GB of disk and
8 GB of memory at full size.
"""

import datetime as dt
import gc
import hashlib
import json
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Annotated, Any

import psycopg
import typer
from sqlalchemy import Engine, create_engine, event

from annotation import GALLERY
from benchmarks.postgresql import postgresql
from catalog import Catalog, clusters, decisions, holdout, images, labels, models, training_sets
from catalog.database import Transaction
from catalog.schema import Desk
from catalog.summary import summarise
from catalog.timings import timings as every_timing

LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")
SITE = "local"
KINDS = ("verify", "attach")
IMAGES_PER_CLUSTER = 10
ANSWERS_PER_QUESTION = 4
DECIDED_SHARE = 0.9
UNUSABLE_SHARE = 0.02
UNDONE_SHARE = 0.01
ANNOTATORS = 200
BATCH = 50_000
SHARD = 512
PULLED = 1_000
LONGEST_READ_S = 20.0
RESULTS = Path(__file__).parent / "results" / "catalogue_scale.md"
MODEL = hashlib.sha256(b"model").hexdigest()[:32]
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)

Row = tuple[Any, ...]


def name(kind: str, number: int, length: int = 32) -> str:
    """Identities as the catalogue's own: digests, in no order."""
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()[:length]


@dataclass(frozen=True)
class Contents:
    """The rows of a catalogue, table by table, each after those that it refers to."""

    n_images: int

    @property
    def n_clusters(self) -> int:
        return self.n_images // IMAGES_PER_CLUSTER

    def locale(self, cluster: int) -> str:
        return LOCALES[cluster % len(LOCALES)]

    def image_ids(self, cluster: int) -> list[str]:
        return [name("image", cluster + k * self.n_clusters, 64) for k in range(IMAGES_PER_CLUSTER)]

    def decided(self) -> Iterator[tuple[int, str]]:
        """The clusters whose question is decided, and how."""
        chance = Random(0)
        for cluster in range(self.n_clusters):
            if chance.random() < DECIDED_SHARE:
                yield cluster, "unusable" if chance.random() < UNUSABLE_SHARE else "same"

    def tables(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        """Name, columns and rows of each table."""
        every = range(self.n_clusters)
        yield (
            "training_set",
            "version digest parent location n_images n_products per_locale committed_at",
            iter([(1, "0" * 64, None, "training-sets/0.parquet", 0, 0, "{}", NOW)]),
        )
        yield (
            "model",
            "id training_set location config metrics trained_at",
            iter([(MODEL, 1, "models/0", "{}", '{"bcubed_f": 0.9, "pairwise_f": 0.9}', NOW)]),
        )
        yield (
            "promotion",
            "number challenger_id champion_id promoted reason decided_at",
            iter([(1, MODEL, None, True, "the first model", NOW)]),
        )
        yield (
            "image",
            "id locale media_type width height n_bytes ingested_at",
            (
                (image, self.locale(cluster), "image/jpeg", 640, 480, 90_000, NOW)
                for cluster in every
                for image in self.image_ids(cluster)
            ),
        )
        n_files = -(-self.n_images // SHARD)
        yield (
            "feature_file",
            "id model_id location",
            ((name("file", n), MODEL, f"features/{MODEL}/{n}.parquet") for n in range(n_files)),
        )
        yield (
            "embedding",
            "image_id model_id feature_file_id row",
            (
                (name("image", n, 64), MODEL, name("file", n // SHARD), n % SHARD)
                for n in range(self.n_images)
            ),
        )
        yield (
            "partition",
            "id model_id locale n_images n_clusters created_at",
            (
                (name("partition", n), MODEL, locale, self.n_images // 5, self.n_clusters // 5, NOW)
                for n, locale in enumerate(LOCALES)
            ),
        )
        yield (
            "clustering",
            "locale number partition_id clustered_at",
            ((locale, 1, name("partition", n), NOW) for n, locale in enumerate(LOCALES)),
        )
        yield (
            "cluster",
            "id partition_id locale size purity peak_id",
            (
                (
                    name("cluster", n),
                    name("partition", n % len(LOCALES)),
                    self.locale(n),
                    IMAGES_PER_CLUSTER,
                    (n * 7919 % 1000) / 1000,
                    self.image_ids(n)[0],
                )
                for n in every
            ),
        )
        yield (
            "cluster_member",
            "cluster_id image_id membership",
            ((name("cluster", n), image, 0.9) for n in every for image in self.image_ids(n)),
        )
        yield from self._log()
        yield from self._labels()

    def _log(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        every = range(self.n_clusters)
        yield (
            "question",
            "id kind locale site image_ids cluster_id reference_ids suggestion asked_at",
            (
                (
                    name("question", n),
                    KINDS[n // len(LOCALES) % len(KINDS)],
                    self.locale(n),
                    SITE,
                    json.dumps(self.image_ids(n)),
                    name("cluster", n),
                    "[]",
                    None,
                    NOW,
                )
                for n in every
            ),
        )
        yield (
            "question_image",
            "image_id question_id",
            ((image, name("question", n)) for n in every for image in self.image_ids(n)),
        )
        places = [(locale, kind) for locale in LOCALES for kind in KINDS]
        yield (
            "site_project",
            "site locale kind desk project_id",
            ((SITE, *place, "crowd", number) for number, place in enumerate(places, start=1)),
        )
        yield (
            "site_task",
            "question_id project_id task_id desk pushed_at",
            ((name("question", n), 1 + n % len(places), n, "crowd", NOW) for n in every if n % 100),
        )
        yield (
            "pull",
            "site project_id through",
            ((SITE, number, NOW) for number in range(1, len(places) + 1)),
        )
        yield (
            "answer",
            "id question_id annotation revision annotator state verdict intruder_ids name flags"
            " seconds answered_at desk groups pulled_at",
            (
                (
                    name("answer", n * ANSWERS_PER_QUESTION + k),
                    name("question", n),
                    str(n * ANSWERS_PER_QUESTION + k),
                    0,
                    f"annotator-{(n + k) % ANNOTATORS}@example.com",
                    "given",
                    "confirm",
                    "[]",
                    f"Product {n}",
                    "[]",
                    9.0,
                    NOW,
                    "crowd",
                    "[]",
                    NOW,
                )
                for n in every
                for k in range(ANSWERS_PER_QUESTION)
            ),
        )
        columns = (
            "id question_id supersedes_id kind name groups removed_ids memberships answer_ids"
            " annotators agreement confidence seconds reason decided_at"
        )
        yield "decision", columns, self._decisions()
        yield "decision", columns, self._undone()

    def _decisions(self) -> Iterator[Row]:
        for n, kind in self.decided():
            shown = self.image_ids(n)
            same = kind == "same"
            yield (
                name("decision", n),
                name("question", n),
                None,
                kind,
                f"Product {n}" if same else None,
                json.dumps([shown] if same else []),
                json.dumps([] if same else shown),
                json.dumps([1.0] * len(shown)),
                json.dumps([name("answer", n * ANSWERS_PER_QUESTION)]),
                '["annotator-1@example.com"]',
                1.0,
                0.99,
                9.0,
                None,
                NOW,
            )

    def _undone(self) -> Iterator[Row]:
        for n, _ in self.decided():
            if n % round(1 / UNDONE_SHARE) == 0:
                yield (
                    *(name("undone", n), name("question", n), name("decision", n)),
                    *(
                        "undone",
                        None,
                        "[]",
                        "[]",
                        "[]",
                        "[]",
                        '["lead"]',
                        0.0,
                        1.0,
                        0.0,
                        "why",
                        NOW,
                    ),
                )

    def _labels(self) -> Iterator[tuple[str, str, Iterator[Row]]]:
        labelled = [n for n, kind in self.decided() if kind == "same"]
        yield "product", "id", ((name("product", n),) for n in labelled)
        columns = (
            "id image_id product_id name locale origin decision_id annotators agreement seconds"
            " supersedes_id withdrawn labelled_at"
        )

        def label(n: int, image: str, prefix: str, before: str | None, withdrawn: bool) -> Row:
            # A fiftieth of the products come from the customer's manifest.
            listed = n % 50 == 1
            return (
                *(name(prefix + image, 0), image, name("product", n), f"Product {n}"),
                *(self.locale(n), "manifest" if listed else "decision"),
                *(None if listed else name("decision", n), '["annotator-1@example.com"]', 1.0, 0.9),
                *(before, withdrawn, NOW),
            )

        yield (
            "verified_label",
            columns,
            (
                label(n, image, "label ", None, False)
                for n in labelled
                for image in self.image_ids(n)
            ),
        )
        yield (
            "verified_label",
            columns,
            (
                label(n, image, "withdrawn ", name("label " + image, 0), True)
                for n in labelled
                if n % round(1 / UNDONE_SHARE) == 0
                for image in self.image_ids(n)
            ),
        )
        run = name("gate run", 0)
        yield (
            "gate_run",
            "id n_accepted n_quarantined held rules judged_at",
            iter([(run, len(labelled), 0, False, "[]", NOW)]),
        )
        yield (
            "judgement",
            "label_id gate_run_id accepted reasons",
            (
                (name("label " + image, 0), run, bool(n % 20), "[]" if n % 20 else '["too fast"]')
                for n in labelled
                if n % 100 != 7  # waits before the gate
                for image in self.image_ids(n)
            ),
        )


def fill(url: str, contents: Contents) -> None:
    """Make the catalogue at `url`, which is empty, by the database's own bulk way."""
    Catalog(url).close()
    (fill_sqlite if url.startswith("sqlite") else fill_postgresql)(url, contents)


def fill_sqlite(url: str, contents: Contents) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -2000000")
        sqlite3.register_adapter(dt.datetime, lambda time: f"{time:%Y-%m-%d %H:%M:%S.%f}")
        for table, columns, rows in contents.tables():
            with loading(table):
                marks = ", ".join("?" * len(columns.split()))
                names = ", ".join(f'"{column}"' for column in columns.split())
                connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
                connection.commit()


def fill_postgresql(url: str, contents: Contents) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        # References are right by construction; checking each row would take most of the time.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for table, columns, rows in contents.tables():
            names = ", ".join(f'"{column}"' for column in columns.split())
            with (
                loading(table),
                connection.cursor() as cursor,
                cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
            ):
                for row in rows:
                    copy.write_row(row)
        connection.execute("VACUUM ANALYZE")


@contextmanager
def loading(table: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"  {table}: {time.perf_counter() - start:.0f} s", flush=True)


class LongEnough(Exception):
    """A read of so many pages that those so far tell how long one takes."""


@dataclass
class Steps:
    """The queries of one read, each with its seconds until the next began."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    began: list[float] = field(default_factory=list)

    def clear(self) -> None:
        self.statements.clear()
        self.began.clear()

    def hear(self, engine: Engine) -> None:
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        self.statements.append((statement, parameters))
        self.began.append(time.perf_counter())
        if self.began[-1] - self.began[0] > LONGEST_READ_S:
            raise LongEnough

    def seconds(self, end: float) -> list[float]:
        return [after - before for before, after in pairwise([*self.began, end])]


@dataclass(frozen=True)
class Timing:
    """One read: its rows, the seconds of the whole the first and the second time, its steps."""

    flow: str
    read: str
    n_rows: int
    first: float
    again: float
    n_steps: int
    longest: float
    statement: str
    parameters: Any


Read = tuple[str, str, Callable[[Transaction], Any]]


def reads(contents: Contents) -> list[Read]:
    """Every query of a flow, as `tasks` asks it."""
    locale, kind = LOCALES[0], KINDS[0]
    some_images = [name("image", n, 64) for n in range(min(100_000, contents.n_images))]
    some_questions = [name("question", n) for n in range(0, contents.n_clusters, 10)][:PULLED]
    partitions = [name("partition", n) for n in range(len(LOCALES))]
    return [
        ("cluster", "images.locales", images.locales),
        ("cluster", "images.waiting", lambda s: images.waiting(s, locale)),
        ("cluster", "clusters.features_of", lambda s: clusters.features_of(s, MODEL, some_images)),
        ("cluster", "models.champion", lambda s: [models.champion(s)]),
        ("cluster", "clusters.surest", lambda s: clusters.surest(s, partitions, 6)),
        ("cluster", "clusters.least_sure", lambda s: clusters.least_sure(s, partitions, 6)),
        ("cluster", "clusters.members_of", lambda s: clusters.members_of(s, name("cluster", 1))),
        ("cluster, annotate", "labels.galleries", lambda s: labels.galleries(s, GALLERY, locale)),
        ("annotate", "labels.galleries, all", lambda s: labels.galleries(s, GALLERY)),
        ("annotate", "clusters.latest_partitions", clusters.latest_partitions),
        ("annotate", "clusters.clusters_of", lambda s: clusters.clusters_of(s, partitions[0])),
        ("annotate", "images.locales_of", lambda s: images.locales_of(s, some_images)),
        ("annotate", "decisions.counts", lambda s: [decisions.counts(s, SITE, locale)]),
        ("annotate", "decisions.annotators", lambda s: decisions.annotators(s, SITE, locale)),
        ("annotate", "decisions.questions", lambda s: decisions.questions(s, some_questions)),
        ("annotate", "decisions.queues_to_push", lambda s: decisions.queues_to_push(s, SITE)),
        ("annotate", "decisions.to_push", lambda s: decisions.to_push(s, SITE, locale, kind)),
        ("annotate", "decisions.projects", lambda s: decisions.projects(s, SITE)),
        ("every flow", "decisions.decided, all", decisions.decided),
        ("every flow", "labels.manifest_labels", labels.manifest_labels),
        ("collect", "decisions.pulled_through", lambda s: [decisions.pulled_through(s, SITE, 1)]),
        ("collect", "decisions.answers_to", lambda s: decisions.answers_to(s, some_questions)),
        ("collect", "decisions.answered", decisions.answered),
        (
            "collect",
            "decisions.questions_about",
            lambda s: decisions.questions_about(s, locale, kind),
        ),
        ("collect", "decisions.decided", lambda s: decisions.decided(s, locale, kind)),
        (
            "collect",
            "decisions.tasks_at",
            lambda s: decisions.tasks_at(s, Desk.CROWD, some_questions),
        ),
        ("collect", "labels.newest_pages", labels.newest_pages),
        ("collect", "labels.unjudged", labels.unjudged),
        ("collect", "labels.accepted", labels.accepted),
        ("collect", "decisions.every_answer", decisions.every_answer),
        ("collect", "timings.timings", lambda s: list(every_timing(s))),
        ("undo", "decisions.standing", lambda s: decisions.standing(s, name("decision", 2)[:12])),
        (
            "reconcile",
            "decisions.tasks_of_project",
            lambda s: decisions.tasks_of_project(s, SITE, 1),
        ),
        ("retrain", "holdout.holdout", holdout.holdout),
        ("retrain", "training_sets.newest", lambda s: [training_sets.newest(s)]),
        ("every run", "summary.summarise", lambda s: [summarise(s)]),
    ]


def measure(catalog: Catalog, steps: Steps, read: Read) -> Timing:
    flow, title, run = read
    seconds: list[float] = []
    longest, n_steps, n_rows = -1.0, 0, 0
    for _ in range(2):
        gc.collect()
        steps.clear()
        start = time.perf_counter()
        try:
            with catalog.read() as transaction:
                n_rows = count(run(transaction))
        except LongEnough:
            n_rows = -1
        end = time.perf_counter()
        seconds.append(end - start)
        n_steps = len(steps.began)
        for step, (statement, parameters) in zip(steps.seconds(end), steps.statements, strict=True):
            if step > longest:
                longest, slowest = step, (statement, parameters)
        if n_rows < 0:
            break
    print(f"  {title}: {seconds[0]:.2f} s, longest step {longest:.2f} s", flush=True)
    return Timing(flow, title, n_rows, seconds[0], seconds[-1], n_steps, longest, *slowest)


def count(found: Any) -> int:
    """How many rows a read returned, at once or page by page."""
    if isinstance(found, Iterator):
        return sum(len(page) if isinstance(page, Sequence) else 1 for page in found)
    return len(found)


def plan(url: str, timing: Timing) -> list[str]:
    """How the database runs the longest step of a read."""
    explain = "EXPLAIN QUERY PLAN" if url.startswith("sqlite") else "EXPLAIN (ANALYZE, BUFFERS)"
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{explain} {timing.statement}", timing.parameters).all()
    engine.dispose()
    lines = [str(row[-1]) for row in rows]
    return [line if len(line) < 160 else f"{line[:156]} ..." for line in lines]


def page_of(title: str, timings: Sequence[Timing], url: str, memory_mb: float) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| flow | read | rows | s, first | s, again | queries | longest step, s |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for each in timings:
        whole = f"{each.n_rows:,} | {each.first:.2f} | {each.again:.2f}"
        cut = f"stopped | {each.first:.0f} | –"
        yield (
            f"| {each.flow} | `{each.read}` | {whole if each.n_rows >= 0 else cut}"
            f" | {each.n_steps:,} | {each.longest:.2f} |"
        )
    yield f"\nThe process took {memory_mb:,.0f} MB at most.\n"
    heaviest = sorted(timings, key=lambda each: -each.longest)[:10]
    for number, each in enumerate(heaviest, start=1):
        yield f"### {title}: {number}. `{each.read}`, {each.longest:.2f} s\n"
        yield "```"
        yield from plan(url, each)
        yield "```\n"


def main(
    scale: Annotated[float, typer.Option(help="1 is 5M images.")] = 1.0,
    directory: Annotated[Path, typer.Option(help="Where the catalogues are made and kept.")] = Path(
        "/tmp/catalogue_scale"
    ),
    database: Annotated[list[str], typer.Option(help="Which ones.")] = ["sqlite", "postgresql"],  # noqa: B006
    results: Annotated[Path, typer.Option(help="The page that is written.")] = RESULTS,
) -> None:
    contents = Contents(int(5_000_000 * scale))
    place = directory / f"{scale:g}"
    place.mkdir(parents=True, exist_ok=True)
    sections: list[str] = [
        "# The catalogue at scale\n",
        f"`python -m benchmarks.catalogue_scale --scale {scale:g}`: {contents.n_images:,} images,"
        f" {contents.n_clusters:,} candidate clusters and questions,"
        f" {contents.n_clusters * ANSWERS_PER_QUESTION:,} answers. A step is one query with all"
        " that is made of its rows. Reads that return much are paged, so that the longest step of"
        f" both times counts, and are stopped after {LONGEST_READ_S:.0f} s.\n",
    ]
    for kind in database:
        print(kind, flush=True)
        with open_at(kind, place) as url:
            filled = place / f"{kind}.filled"
            if not filled.exists():
                fill(url, contents)
                filled.touch()
            catalog, steps = Catalog(url), Steps()
            steps.hear(catalog._engine)
            timings = [measure(catalog, steps, read) for read in reads(contents)]
            memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            catalog.close()
            title = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind]
            sections += page_of(title, timings, url, memory_mb)
    results.write_text("\n".join(sections) + "\n")


@contextmanager
def open_at(kind: str, directory: Path) -> Iterator[str]:
    """The URL of the catalogue of one kind below `directory`."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'catalogue.sqlite'}"
    else:
        with postgresql(directory / "postgresql") as url:
            yield url


if __name__ == "__main__":
    typer.run(main)
