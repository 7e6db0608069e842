"""Two collectors at once write every row once, and agree in the end."""

from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from catalog import BlobStore, Catalog, decisions, digest, labels
from catalog.schema import (
    Answer,
    AnswerState,
    Decision,
    Question,
    TrainingSet,
)
from tasks import collect
from tasks.judge import judge
from tasks.settings import load_settings
from tests.catalog.rows import NOON, Bench

PATIENCE_S = 1.0
SPAWN = get_context("spawn")


@pytest.fixture
def shared(
    new_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of a catalogue with labelled products and open questions, set for `collect`."""
    url, blobs = new_database(), f"file://{tmp_path / 'blobs'}"
    for name, value in (("CATALOGUE", url), ("BLOBS", blobs), ("DATA", str(tmp_path))):
        monkeypatch.setenv(f"GROUNDTRUTH_{name}", value)
    load_settings.cache_clear()
    bench = Bench(Catalog(url), BlobStore(blobs))
    for product in range(10):
        bench.label(f"Product {product}", bench.ingest(f"{product} 1", f"{product} 2"))
    for sheet in range(8):
        bench.ask(bench.ingest(*(f"new {sheet} {n}" for n in range(3))))
    bench.catalog.close()
    yield url
    load_settings.cache_clear()


def answers_of(collector: int, asked: list[Question]) -> list[Answer]:
    """What a collector reads: the second what the first has read, and an answer more to each."""
    return [
        answer_of(annotator, number, question)
        for annotator in range(collector + 1)
        for number, question in enumerate(asked)
    ]


def answer_of(annotator: int, number: int, question: Question) -> Answer:
    return Answer(
        id=digest("answer", question.id, annotator),
        question_id=question.id,
        annotation=str(annotator),
        revision=0,
        annotator=f"{annotator}@example.com",
        state=AnswerState.GIVEN,
        verdict="confirm",
        intruder_ids=question.image_ids[:1] if (annotator + number) % 2 else [],
        name=f"Thing {number}",
        flags=[],
        seconds=10.0,
        answered_at=NOON,
    )


class Meeting:
    """A place where one process waits for the other, for as long as both could be there at once."""

    def __init__(self) -> None:
        self._arrived = [SPAWN.Event(), SPAWN.Event()]

    def attend(self, number: int) -> None:
        self._arrived[number].set()
        self._arrived[1 - number].wait(PATIENCE_S)

    def wait_for_the_first(self) -> None:
        self._arrived[0].wait()


def collect_beside(number: int, both_ready: Barrier, meetings: dict[str, Meeting]) -> None:
    """Collect, and meet the other between reading what stands and writing what follows.

    The second reads its answers when the first has ruled, so that the two do not rule the same.
    """

    def attended(what: str, write: Callable[..., Any]) -> Callable[..., Any]:
        def attend(*arguments: object) -> object:
            meetings[what].attend(number)
            return write(*arguments)

        return attend

    decisions.add_decisions = attended("decisions", decisions.add_decisions)
    labels.add_labels = attended("labels", labels.add_labels)
    catalog = load_settings().catalog
    both_ready.wait()
    if number == 1:
        meetings["decisions"].wait_for_the_first()
    with catalog.begin() as transaction:
        asked = decisions.questions_about(transaction, "de-DE", "verify")
        decisions.add_answers(transaction, answers_of(number, asked))
    decide_and_commit()


def decide_and_commit() -> tuple[int, int, TrainingSet | None]:
    n_decisions = sum(
        collect.decide.fn(locale, kind).n_decisions for locale, kind in collect.answered.fn()
    )
    n_labels = collect.relabel.fn()
    judge.fn()
    return n_decisions, n_labels, collect.commit_training_set.fn()


def test_two_collectors_at_once_agree_on_one_log_and_one_line_of_versions(shared: str) -> None:
    meetings = {"decisions": Meeting(), "labels": Meeting()}
    both_ready = SPAWN.Barrier(2, timeout=300)
    collectors = [
        SPAWN.Process(target=collect_beside, args=(number, both_ready, meetings))
        for number in range(2)
    ]
    for collector in collectors:
        collector.start()
    for collector in collectors:
        collector.join()
    assert [collector.exitcode for collector in collectors] == [0, 0]
    with Catalog(shared).read() as transaction:
        answers = transaction.scalars(select(Answer)).all()
        first = Counter(
            transaction.scalars(
                select(Decision.question_id).where(Decision.supersedes_id.is_(None))
            )
        )
        standing = Counter(question.id for question, _ in decisions.decided(transaction))
        newest = Counter(label.image_id for label in labels.newest(transaction))
        versions = transaction.scalars(select(TrainingSet).order_by(TrainingSet.version)).all()
        n_questions = len(transaction.scalars(select(Question)).all())
    assert len(answers) == 2 * n_questions
    assert first == standing == Counter(standing.keys())
    assert len(standing) == n_questions
    assert set(newest.values()) == {1}
    real = [version for version in versions if version.location != "training-sets/0"]
    assert [version.version for version in real] == list(
        range(real[0].version, real[0].version + len(real))
    )
    assert [version.parent for version in real[1:]] == [version.version for version in real[:-1]]
    n_decisions, n_labels, again = decide_and_commit()
    assert (n_decisions, n_labels) == (0, 0)
    assert again is not None
    assert again.version == real[-1].version
