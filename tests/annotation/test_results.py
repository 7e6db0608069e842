"""What Label Studio exports is read in the order of the question's images, or refused."""

from collections.abc import Sequence
from typing import Any

import pytest

from annotation import Flag, result
from annotation.results import InvalidResult, Reading, read
from catalog.schema import VERDICTS, QuestionKind, Verdict
from tests.annotation.conftest import make_question

KINDS_AND_VERDICTS = [
    (kind, verdict) for kind, verdicts in VERDICTS.items() for verdict in verdicts
]


def said(kind: QuestionKind, verdict: Verdict, **rest: Any) -> Reading:
    question = make_question("a", "b", "c", "d", kind=kind, references=["r"])
    return read(result(kind, verdict, **rest), question)


def sorted_into(columns: dict[str, Sequence[str]], verdict: Verdict = Verdict.CONFIRM) -> Reading:
    regions = result(QuestionKind.SPLIT, verdict)
    regions[1]["value"]["ranker"] = columns
    return read(regions, make_question("a", "b", "c", "d", kind=QuestionKind.SPLIT))


@pytest.mark.parametrize(("kind", "verdict"), KINDS_AND_VERDICTS)
def test_a_verdict_of_its_kind_is_read(kind: QuestionKind, verdict: Verdict) -> None:
    groups = [["a"]] if kind is QuestionKind.SPLIT else []
    assert said(kind, verdict, groups=groups).verdict == verdict


@pytest.mark.parametrize("kind", QuestionKind)
def test_a_verdict_of_another_kind_is_refused(kind: QuestionKind) -> None:
    for verdict in set(Verdict).difference(VERDICTS[kind]):
        with pytest.raises(InvalidResult, match=f"'{verdict}' under 'verdict'"):
            said(kind, verdict)


def test_a_verdict_is_needed() -> None:
    with pytest.raises(InvalidResult, match="has 0 verdicts instead of one"):
        read([], make_question("a"))


def test_what_was_not_touched_is_empty() -> None:
    assert said(QuestionKind.VERIFY, Verdict.MIXED) == Reading(verdict=Verdict.MIXED)


@pytest.mark.parametrize("kind", [QuestionKind.VERIFY, QuestionKind.ATTACH])
def test_ticks_are_read_in_the_order_of_the_images(kind: QuestionKind) -> None:
    assert said(kind, Verdict.CONFIRM, intruder_ids=["c", "a"]).intruder_ids == ("a", "c")


@pytest.mark.parametrize(
    ("kind", "ticked"),
    [
        (QuestionKind.VERIFY, "stranger"),
        (QuestionKind.ATTACH, "r"),
        (QuestionKind.MERGE, "a"),
        (QuestionKind.SPLIT, "a"),
    ],
)
def test_a_tick_that_the_desk_does_not_offer_is_refused(kind: QuestionKind, ticked: str) -> None:
    with pytest.raises(InvalidResult, match=f"'{ticked}' under 'intruders'"):
        said(kind, Verdict.UNSURE, intruder_ids=[ticked])


def test_flags_are_read_and_others_refused() -> None:
    flags = [Flag.WATERMARK, Flag.BLURRY]
    read_flags = said(QuestionKind.VERIFY, Verdict.CONFIRM, flags=flags).flags
    assert read_flags == (Flag.BLURRY, Flag.WATERMARK)
    with pytest.raises(InvalidResult, match="'shiny' under 'flags'"):
        said(QuestionKind.VERIFY, Verdict.CONFIRM, flags=["shiny"])


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Cafe\u0301 \n  noir ", "Caf\u00e9 noir"),
        ("\u3000珈琲\u3000", "珈琲"),
        ("   ", None),
        ("???", None),
    ],
)
def test_a_name_is_tidied(typed: str, name: str | None) -> None:
    assert said(QuestionKind.VERIFY, Verdict.CONFIRM, name=typed).name == name


def test_groups_follow_the_order_of_the_images_whatever_their_columns() -> None:
    groups = [["d"], [], ["c", "a"]]
    assert said(QuestionKind.SPLIT, Verdict.CONFIRM, groups=groups).groups == (("a", "c"), ("d",))


def test_the_column_of_those_left_over_is_no_group() -> None:
    assert sorted_into({"none": ["a", "b", "d"], "a": ["c"]}).groups == (("c",),)


@pytest.mark.parametrize("verdict", [Verdict.UNUSABLE, Verdict.UNSURE])
def test_without_the_word_that_it_is_sorted_there_are_no_groups(verdict: Verdict) -> None:
    assert sorted_into({"a": ["a", "b"]}, verdict).groups == ()


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"none": ["a", "b", "c", "d"]}, "no picture is in a column"),
        ({"a": ["a", "stranger"]}, "'stranger' under 'groups'"),
        ({"e": ["a"]}, "'e' under 'groups'"),
        ({"a": ["a", "b"], "b": ["b"]}, "'b' in two columns"),
    ],
)
def test_a_split_that_sorts_nothing_or_strangely_is_refused(
    columns: dict[str, Sequence[str]], complaint: str
) -> None:
    with pytest.raises(InvalidResult, match=complaint):
        sorted_into(columns)


def test_a_split_has_four_columns() -> None:
    with pytest.raises(ValueError, match="4 columns, not 5"):
        result(QuestionKind.SPLIT, Verdict.CONFIRM, groups=[["a"], ["b"], ["c"], ["d"], ["e"]])
