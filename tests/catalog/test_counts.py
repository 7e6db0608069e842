"""What is counted over many pages is what a look at all rows would count."""

import pytest

from catalog import decisions, labels, paging
from catalog.schema import DecisionKind, Desk
from catalog.summary import summarise
from tests.catalog.rows import Bench


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows are a page, so that there are many of few rows."""
    monkeypatch.setattr(paging.ranges, "__kwdefaults__", {"size": 2})


def pair(bench: Bench, number: int, locale: str = "de-DE") -> list[str]:
    return bench.ingest(f"{locale} {number} a", f"{locale} {number} b", locale=locale)


def test_gold_questions_are_counted_besides(bench: Bench) -> None:
    for number in range(5):
        bench.ask(pair(bench, number))
    for number in range(5, 8):
        bench.ask(pair(bench, number), expected={"verdict": "confirm"})
    bench.ask(pair(bench, 0, "en-US"), locale="en-US")
    with bench.catalog.begin() as transaction:
        assert decisions.counts(transaction, "local", "de-DE") == (5, 3)
        assert decisions.counts(transaction, "local", "en-US") == (1, 0)
        assert decisions.counts(transaction, "elsewhere", "de-DE") == (0, 0)


def test_an_annotator_is_named_once_and_where_they_answered(bench: Bench) -> None:
    for number in range(5):
        bench.decide(bench.ask(pair(bench, number)), DecisionKind.SAME, kept=[])
    with bench.catalog.begin() as transaction:
        assert decisions.annotators(transaction, "local", "de-DE") == ["ann@example.com"]
        assert decisions.annotators(transaction, "local", "en-US") == []


def test_every_task_of_a_project_is_found_and_no_other(bench: Bench) -> None:
    asked = [bench.ask(pair(bench, number)) for number in range(7)]
    here, there = asked[:5], asked[5:]
    with bench.catalog.begin() as transaction:
        for project_id, questions in ((1, here), (2, there)):
            stands = {question.id: n for n, question in enumerate(questions)}
            decisions.record_tasks(transaction, Desk.CROWD, project_id, stands)
        found = decisions.tasks_of_project(transaction, "local", 1)
    assert found == {question.id: n for n, question in enumerate(here)}


def test_labels_are_counted_by_the_gates_word_while_they_stand(bench: Bench) -> None:
    bench.label("Milk", bench.ingest("a", "b", "c", "d", "e"))
    bench.label("Tea", bench.ingest("f", "g"))
    with bench.catalog.begin() as transaction:
        [gone, doubtful, *_] = labels.newest(transaction)
    bench.succeed(gone, withdrawn=True)
    bench.succeed(doubtful, name="?")
    with bench.catalog.begin() as transaction:
        [waiting] = labels.unjudged(transaction)
        labels.record_gate_run(
            transaction,
            accepted_ids=[],
            quarantined={waiting.label_id: ["a placeholder"]},
            held=False,
            rules=[],
        )
        found = summarise(transaction)
    assert (found.labels_accepted, found.labels_quarantined) == (5, 1)
