"""The simulated annotator tells the truth but for its errors, and the same on every site."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import Effort, SimulatedAnnotator, Wording, new_answers, task
from annotation.simulated import Said
from catalog.schema import Answer, Question, QuestionKind, Verdict
from tests.annotation.conftest import RunningLabelStudio, make_question

PRODUCTS = {"coffee": "Kaffee", "tea": "Tee", "juice": "Saft"}
TRUTH = {f"{key}-{n}": (key, name) for key, name in PRODUCTS.items() for n in range(20)}
sheets = st.lists(st.sampled_from([*TRUTH, "unknown-1", "unknown-2"]), min_size=1, unique=True)


def annotator(
    server: RunningLabelStudio | None = None,
    truth: Mapping[str, tuple[str, str]] = TRUTH,
    **how: object,
) -> SimulatedAnnotator:
    site = server.annotator_site if server else None
    return SimulatedAnnotator(site=site, truth=truth, **{"seed": 3, **how})  # type: ignore[arg-type]


def said_of(
    *images: str, kind: QuestionKind = QuestionKind.VERIFY, references: tuple[str, ...] = ()
) -> Said:
    return annotator().opinion(make_question(*images, kind=kind, references=references))[0]


class TestWithoutErrors:
    def test_it_ticks_what_does_not_show_the_commonest_product_and_names_it(self) -> None:
        said = said_of("coffee-1", "tea-1", "coffee-2", "coffee-3", "unknown")
        assert said["verdict"] == Verdict.CONFIRM
        assert (said["name"], said["intruder_ids"]) == ("Kaffee", ["tea-1", "unknown"])

    @pytest.mark.parametrize(
        ("images", "verdict"),
        [
            (("coffee-4", "coffee-5", "tea-2", "juice-1"), Verdict.MIXED),
            (("unknown-1", "unknown-2"), Verdict.UNUSABLE),
        ],
    )
    def test_it_says_when_there_is_no_such_product(
        self, images: tuple[str, ...], verdict: Verdict
    ) -> None:
        assert said_of(*images)["verdict"] == verdict

    def test_it_attaches_what_shows_the_product_of_the_references(self) -> None:
        said = said_of("tea-1", "coffee-1", kind=QuestionKind.ATTACH, references=("tea-5", "tea-6"))
        assert (said["verdict"], said["intruder_ids"]) == (Verdict.CONFIRM, ["coffee-1"])
        none = said_of("coffee-1", kind=QuestionKind.ATTACH, references=("tea-5",))
        assert none["verdict"] == Verdict.DIFFERENT

    def test_it_merges_what_is_the_same(self) -> None:
        merge = QuestionKind.MERGE
        same = said_of("tea-1", kind=merge, references=("tea-2",))
        other = said_of("tea-1", kind=merge, references=("coffee-2",))
        assert (same["verdict"], other["verdict"]) == (Verdict.CONFIRM, Verdict.DIFFERENT)

    def test_it_sorts_by_product(self) -> None:
        said = said_of("tea-1", "coffee-1", "tea-2", "unknown", kind=QuestionKind.SPLIT)
        assert sorted(said["groups"]) == [["coffee-1"], ["tea-1", "tea-2"]]


def answers(server: RunningLabelStudio, project: int, question: Question) -> list[Answer]:
    (submission,) = (
        submission
        for submission in server.site.pull(project).submissions
        if submission.question_id == question.id
    )
    return new_answers(submission, question, [])


@pytest.mark.parametrize("kind", QuestionKind)
def test_it_answers_every_kind_of_question_once_and_only_its_own(
    label_studio: RunningLabelStudio, kind: QuestionKind
) -> None:
    project = label_studio.site.ensure_project(kind, Wording.load("de-DE"))
    references = () if kind in (QuestionKind.VERIFY, QuestionKind.SPLIT) else ("tea-5", "tea-6")
    ours, theirs = (
        make_question("tea-1", "tea-2", "coffee-1", kind=kind, references=references)
        for _ in range(2)
    )
    label_studio.site.push(project, [task(each, str) for each in (ours, theirs)])
    assert annotator(label_studio).answer([project], {ours.id: ours}) == 1
    assert annotator(label_studio).answer([project], {ours.id: ours}) == 0
    [answer] = answers(label_studio, project, ours)
    assert answer.verdict == annotator().opinion(ours)[0]["verdict"]
    assert answer.annotator == label_studio.credentials.annotator_email
    assert answers(label_studio, project, theirs) == []


@given(st.integers(1, 6), st.integers(1, 6), st.uuids())
def test_a_question_is_answered_by_as_many_annotators_as_are_asked(
    n_annotators: int, overlap: int, identity: object
) -> None:
    question = make_question("tea-1")
    question.id = str(identity)
    people = [annotator(place=place, n_annotators=n_annotators) for place in range(n_annotators)]
    asked = [person for person in people if person.is_asked(question, overlap)]
    assert len(asked) == min(overlap, n_annotators)


@given(sheets, st.floats(0, 1), st.integers(), st.sampled_from(QuestionKind))
def test_its_opinion_follows_from_the_seed_and_the_question(
    images: list[str], error_rate: float, seed: int, kind: QuestionKind
) -> None:
    question = make_question(*images, kind=kind, references=("tea-1",))
    opinions = [annotator(error_rate=error_rate, seed=seed).opinion(question) for _ in range(2)]
    assert opinions[0] == opinions[1]


@given(sheets)
def test_who_always_errs_ticks_exactly_what_belongs(images: list[str]) -> None:
    question = make_question(*images)

    def ticked(error_rate: float) -> set[str]:
        said, _ = annotator(error_rate=error_rate).opinion(question)
        return set(said.get("intruder_ids", ()))

    right, wrong = ticked(0), ticked(1)
    assert right.isdisjoint(wrong)
    assert right | wrong in (set(), set(images))


class TestTime:
    @pytest.mark.parametrize("kind", QuestionKind)
    def test_is_that_of_the_time_model_on_average(self, kind: QuestionKind) -> None:
        asked = [
            make_question("tea-1", "tea-2", "tea-3", "coffee-1", kind=kind, references=("tea-5",))
            for _ in range(1000)
        ]
        person = annotator(spread=0.4)
        ratios = []
        for each in asked:
            said, seconds = person.opinion(each)
            n_ticked = len(said.get("intruder_ids", ()))
            ratios.append(seconds / person.effort.seconds(kind, 5, n_ticked, "name" in said))
        assert np.mean(ratios) == pytest.approx(1, abs=0.05)
        assert np.std(np.log(ratios)) == pytest.approx(0.4, abs=0.05)

    @pytest.mark.parametrize(("suggestion", "name"), [(None, 5.7), ("Kaffee", 5.7), ("Tee", 0)])
    def test_without_spread_is_exact_and_a_name_that_was_suggested_takes_none(
        self, suggestion: str | None, name: float
    ) -> None:
        question = make_question("tea-1", "tea-2", "tea-3", "coffee-1", suggestion=suggestion)
        seconds = annotator(spread=0).opinion(question)[1]
        assert seconds == pytest.approx(4 + 4 * 0.9 + 1.5 + name)

    def test_of_one_picture_is_that_of_a_look_and_a_name(self) -> None:
        assert annotator(spread=0).opinion(make_question("tea-1"))[1] == pytest.approx(0.9 + 5.7)

    @given(sheets, st.floats(0.1, 9), st.floats(0, 1))
    def test_changes_nothing_of_what_is_said(
        self, images: list[str], each: float, spread: float
    ) -> None:
        question = make_question(*images)
        slow = Effort(seconds_per_picture=each)
        quick = annotator(error_rate=0.3).opinion(question)[0]
        assert annotator(error_rate=0.3, effort=slow, spread=spread).opinion(question)[0] == quick
