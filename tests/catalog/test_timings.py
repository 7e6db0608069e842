"""What the time model is fitted to: each first answer of the crowd, in few facts."""

import pytest

from catalog import digest, paging
from catalog.schema import Answer, AnswerState, Desk, Question
from catalog.timings import Timing, timings
from tests.catalog.rows import NOON, Bench


def answered(
    bench: Bench,
    question: Question,
    annotator: str,
    *,
    seconds: float | None = 10.0,
    intruders: list[str] | None = None,
    name: str | None = None,
    revision: int = 0,
    state: AnswerState = AnswerState.GIVEN,
    desk: Desk = Desk.CROWD,
) -> None:
    bench.add(
        Answer(
            id=digest(question.id, annotator, revision),
            question_id=question.id,
            annotation=annotator,
            revision=revision,
            annotator=annotator,
            state=state,
            verdict="confirm",
            intruder_ids=intruders or [],
            name=name,
            flags=[],
            seconds=seconds,
            answered_at=NOON,
            desk=desk,
        )
    )


def read(bench: Bench) -> list[Timing]:
    with bench.catalog.read() as transaction:
        return sorted(timings(transaction))


def test_pictures_references_and_ticks_are_counted(bench: Bench) -> None:
    a, b, c, d, e = bench.ingest(*"abcde")
    asked = Question(
        id="q",
        kind="attach",
        locale="de-DE",
        site="vendor-b",
        image_ids=[a, b, c],
        reference_ids=[d, e],
    )
    bench.add(asked)
    answered(bench, asked, "ada", intruders=[a, c], seconds=12.5)
    assert read(bench) == [Timing("vendor-b", "de-DE", "attach", 5, 2, False, 12.5)]


@pytest.mark.parametrize(
    ("suggestion", "name", "named"),
    [
        (None, "Tee", True),
        ("Tee", "Tee", False),
        ("Tee", "Kaffee", True),
        ("Tee", None, False),
        (None, None, False),
    ],
)
def test_a_name_counts_that_was_not_suggested(
    bench: Bench, suggestion: str | None, name: str | None, named: bool
) -> None:
    asked = Question(
        id="q",
        kind="verify",
        locale="de-DE",
        site="local",
        image_ids=bench.ingest("a", "b"),
        suggestion=suggestion,
    )
    bench.add(asked)
    answered(bench, asked, "ada", name=name)
    assert [each.named for each in read(bench)] == [named]


def test_gold_is_timed_like_any_other(bench: Bench) -> None:
    gold = bench.ask(bench.ingest("a", "b"), expected={"verdict": "confirm"})
    answered(bench, gold, "ada")
    assert len(read(bench)) == 1


@pytest.mark.parametrize(
    "left_out",
    [
        {"revision": 1},
        {"state": AnswerState.SKIPPED},
        {"state": AnswerState.WITHDRAWN},
        {"desk": Desk.LEAD},
        {"seconds": None},
        {"seconds": 0.0},
    ],
    ids=str,
)
def test_what_tells_nothing_of_the_crowds_pace_is_left_out(
    bench: Bench, left_out: dict[str, object]
) -> None:
    asked = bench.ask(bench.ingest("a", "b"))
    answered(bench, asked, "ada", seconds=3.0)
    answered(bench, asked, "bo", **left_out)  # type: ignore[arg-type]
    assert [each.seconds for each in read(bench)] == [3.0]


def test_every_page_is_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging.ranges, "__kwdefaults__", {"size": 2})
    for number in range(5):
        asked = bench.ask(bench.ingest(f"{number} a", f"{number} b"))
        for annotator in ("ada", "bo", "cy"):
            answered(bench, asked, annotator, seconds=1.0 + number)
    assert [each.seconds for each in read(bench)] == [1.0 + n for n in range(5) for _ in range(3)]
