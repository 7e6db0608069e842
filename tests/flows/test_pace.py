"""The page of the annotators says how fast they are, from the answers of the catalogue."""

import pytest

from annotation import SimulatedAnnotator
from annotation.simulated import Said
from catalog import decisions, digest
from catalog.database import add_new
from catalog.schema import Answer, AnswerState, Question, QuestionKind
from tasks.pace import PACE, pace, pace_cells, pace_page
from tasks.settings import Settings
from tests.catalog.rows import NOON, Bench

N_ASKED = 200
SITE = "vendor-b"


@pytest.fixture
def overrides() -> dict[str, str]:
    """A sheet is assumed to take 6 seconds."""
    return {"GROUNDTRUTH_ANNOTATE__EFFORT__SECONDS_PER_SHEET": "6"}


def answered(settings: Settings) -> None:
    """Simulated people, as fast as by default, answer sheets of 2 to 41 pictures of one product."""
    bench = Bench(settings.catalog, settings.blob_store)
    images = bench.ingest(*(str(number) for number in range(41)))
    person = SimulatedAnnotator(
        site=None,  # type: ignore[arg-type]  # what it says is recorded here
        truth=dict.fromkeys(images, ("tea", "Tee")),
        error_rate=0.1,
    )
    asked = [
        Question(
            id=digest("asked", number),
            kind=QuestionKind.VERIFY,
            locale="de-DE",
            site=SITE,
            image_ids=images[: 2 + number % 40],
        )
        for number in range(N_ASKED)
    ]
    with settings.catalog.begin() as transaction:
        decisions.add_questions(transaction, asked)
        add_new(transaction, [as_answer(each, *person.opinion(each)) for each in asked])


def as_answer(question: Question, said: Said, seconds: float) -> Answer:
    return Answer(
        id=digest("answer", question.id),
        question_id=question.id,
        annotation="1",
        revision=0,
        annotator="ada",
        state=AnswerState.GIVEN,
        verdict=said["verdict"],
        intruder_ids=said.get("intruder_ids", []),
        name=said.get("name"),
        flags=[],
        seconds=seconds,
        answered_at=NOON,
    )


def test_before_any_answer_the_page_says_what_is_assumed(settings: Settings) -> None:
    [section] = pace_page()
    assert "[annotate.effort]" in section
    assert pace().at("anyone", "de-DE").seconds(QuestionKind.VERIFY, 10) == pytest.approx(6 + 9)
    named = pace().at("anyone", "de-DE").seconds(QuestionKind.VERIFY, 1, n_named=1)
    assert named == pytest.approx(0.9 + 5.7)


def test_the_answers_in_the_catalogue_tell_how_fast_people_are(settings: Settings) -> None:
    answered(settings)
    found = pace()
    [line] = pace_cells(found)
    assert line[:4] == (SITE, "de-DE", "verify", str(N_ASKED))
    assert len(line) == len(PACE)
    expected = SimulatedAnnotator.effort.seconds(QuestionKind.VERIFY, 30, 3, 1)
    assert found.at(SITE, "de-DE").seconds(QuestionKind.VERIFY, 30, 3, 1) == pytest.approx(
        expected, rel=0.1
    )


def test_the_page_shows_the_table_and_the_plot(settings: Settings) -> None:
    answered(settings)
    _, table, plot = pace_page()
    assert f"| {SITE} | de-DE | verify | {N_ASKED} |" in table
    assert "data:image/jpeg;base64," in plot
