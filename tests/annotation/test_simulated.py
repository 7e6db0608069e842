"""The simulated annotator tells the truth but for its errors, and the same on every sheet."""

from collections.abc import Mapping
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from annotation import SimulatedAnnotator, Wording, decide, new_answers, task
from catalog.schema import Answer, DecisionKind, Question
from tests.annotation.conftest import RunningLabelStudio, make_question

PRODUCTS = {"coffee": "Kaffee", "tea": "Tee", "juice": "Saft"}
TRUTH = {f"{key}-{n}": (key, name) for key, name in PRODUCTS.items() for n in range(20)}
sheets = st.lists(st.sampled_from([*TRUTH, "unknown-1", "unknown-2"]), min_size=1, unique=True)


def annotator(
    server: RunningLabelStudio, truth: Mapping[str, tuple[str, str]] = TRUTH, error_rate: float = 0
) -> SimulatedAnnotator:
    return SimulatedAnnotator(
        site=server.annotator_site, truth=truth, error_rate=error_rate, seed=3
    )


def answers(server: RunningLabelStudio, project: int, question: Question) -> list[Answer]:
    (submission,) = (
        submission
        for submission in server.site.pull(project).submissions
        if submission.question_id == question.id
    )
    return new_answers(submission, question, [])


def test_without_errors_it_gives_the_truth_back(label_studio: RunningLabelStudio) -> None:
    project = label_studio.site.ensure_project(Wording.load("de-DE"))
    cases = {
        DecisionKind.SAME: ["coffee-1", "tea-1", "coffee-2", "coffee-3", "unknown"],
        DecisionKind.DIFFERENT: ["coffee-4", "coffee-5", "tea-2", "juice-1"],
        DecisionKind.UNUSABLE: ["unknown-1", "unknown-2"],
    }
    questions = {kind: make_question(*images) for kind, images in cases.items()}
    label_studio.site.push(project, [task(question, str) for question in questions.values()])
    assert annotator(label_studio).answer([project]) == len(questions)
    decisions = {
        kind: decide(question, answers(label_studio, project, question))
        for kind, question in questions.items()
    }
    assert {kind: decision.kind for kind, decision in decisions.items()} == {
        kind: kind for kind in cases
    }
    same = decisions[DecisionKind.SAME]
    assert (same.name, same.removed_ids) == ("Kaffee", ["tea-1", "unknown"])
    assert same.annotators == [label_studio.credentials.annotator_email]


def test_it_answers_only_what_it_has_not_answered(label_studio: RunningLabelStudio) -> None:
    project = label_studio.site.ensure_project(Wording.load("sv-SE"))
    first, second = (task(make_question("coffee-1", "coffee-2"), str) for _ in range(2))
    label_studio.site.push(project, [first])
    assert annotator(label_studio).answer([project]) == 1
    label_studio.site.push(project, [first, second])
    assert annotator(label_studio).answer([project]) == 1
    assert annotator(label_studio).answer([project]) == 0


def test_it_says_the_same_of_a_question_wherever_it_stands(
    label_studio: RunningLabelStudio,
) -> None:
    def said(locale: str) -> list[tuple[object, ...]]:
        project = label_studio.site.ensure_project(Wording.load(locale))
        label_studio.site.push(project, [task(question, str) for question in questions])
        annotator(label_studio, error_rate=0.2).answer([project])
        return [
            (answer.id, answer.verdict, answer.intruder_ids, answer.name, answer.seconds)
            for question in questions
            for answer in answers(label_studio, project, question)
        ]

    questions = [make_question(*Random(n).sample(sorted(TRUTH), 12)) for n in range(3)]
    assert said("ja-JP") == said("en-US")


@given(sheets, st.floats(0, 1), st.integers())
def test_its_opinion_follows_from_the_seed_and_the_question(
    images: list[str], error_rate: float, seed: int
) -> None:
    def opinion() -> object:
        return SimulatedAnnotator(
            site=None,  # type: ignore[arg-type]
            truth=TRUTH,
            error_rate=error_rate,
            seed=seed,
        ).opinion("question", images)

    assert opinion() == opinion()


@given(sheets)
def test_who_always_errs_ticks_exactly_what_belongs(images: list[str]) -> None:
    def ticked(error_rate: float) -> set[str]:
        person = SimulatedAnnotator(
            site=None,  # type: ignore[arg-type]
            truth=TRUTH,
            error_rate=error_rate,
        )
        said, _ = person.opinion("question", images)
        return {
            image
            for region in said
            if region["from_name"] == "intruders"
            for image in region["value"]["choices"]
        }

    right, wrong = ticked(0), ticked(1)
    assert right.isdisjoint(wrong)
    assert right | wrong in (set(), set(images))
