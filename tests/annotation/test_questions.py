"""Questions are named by what they ask, and ask about every image on as few sheets as possible."""

from hypothesis import given
from hypothesis import strategies as st

from annotation import Asking, follow_ups
from annotation.partition import Decided, partition
from annotation.questions import ANCHORS, merge_question, verify_questions
from catalog.schema import DecisionKind, Question, QuestionKind
from tests.annotation.test_partition import decided, merged, verified

ASKING = Asking(pictures_per_sheet=24)


def numbered(n: int) -> list[str]:
    return [f"image {number:03}" for number in range(n)]


@given(st.integers(1, 300))
def test_sheets_show_every_image_and_share_the_surest(n: int) -> None:
    images = numbered(n)
    sheets = verify_questions(images, locale="de-DE", cluster_id="c", per_sheet=24)
    anchors = images[:ANCHORS] if n > 24 else []
    shown = [sheet.image_ids for sheet in sheets]
    assert all(each[: len(anchors)] == anchors for each in shown)
    assert sorted({image for each in shown for image in each}) == images
    assert sum(map(len, shown)) == n + len(anchors) * (len(sheets) - 1)
    assert max(map(len, shown)) <= 24
    assert max(map(len, shown)) - min(map(len, shown)) <= 1


def test_the_same_images_are_the_same_question_whoever_proposes_them() -> None:
    [first] = verify_questions("abc", locale="de-DE", cluster_id="one", per_sheet=24)
    [again] = verify_questions("cab", locale="de-DE", cluster_id="two", per_sheet=24)
    [other] = verify_questions("abd", locale="de-DE", cluster_id="one", per_sheet=24)
    assert first.id == again.id != other.id


def next_after(*log: Decided, removed: str = "") -> list[Question]:
    return follow_ups(log, partition(log, []), ASKING, removed)


class TestFollowUps:
    def test_the_products_of_a_split_are_asked_for_their_names(self) -> None:
        split = decided(1, QuestionKind.SPLIT, DecisionKind.DIFFERENT, ["ab", "cd"], "e")
        assert [each.image_ids for each in next_after(split)] == [["a", "b"], ["c", "d"]]
        named = verified(2, "ab", name="Tee")
        assert [each.image_ids for each in next_after(split, named)] == [["c", "d"]]

    def test_a_contradiction_is_asked_about_across_its_cut(self) -> None:
        log = [verified(1, "abc"), verified(2, "abd", removed="c", posterior=0.6)]
        [question] = next_after(*log)
        assert question.kind == QuestionKind.MERGE
        sides = {"".join(question.reference_ids), "".join(question.image_ids)}
        assert sides == {"abc", "d"}

    def test_a_contradiction_shows_what_was_put_beside_it_and_nothing_further_off(self) -> None:
        log = [
            verified(1, "abc"),
            verified(2, "cuvw"),
            verified(3, "de"),
            merged(4, "ab", "de", posterior=0.6),
            merged(5, "ab", "de", DecisionKind.DIFFERENT),
        ]
        [question] = next_after(*log)
        sides = {"".join(question.reference_ids), "".join(question.image_ids)}
        assert sides == {"ab", "de"}

    def test_no_question_shows_an_image_that_was_removed(self) -> None:
        split = decided(2, QuestionKind.SPLIT, DecisionKind.DIFFERENT, ["ef", "gh"])
        found = [(each.kind, each.image_ids) for each in next_after(split, removed="ae")]
        assert found == [(QuestionKind.VERIFY, ["f"]), (QuestionKind.VERIFY, ["g", "h"])]

    def test_what_has_nothing_left_to_look_at_or_compare_with_is_not_asked(self) -> None:
        log = [verified(1, "abc"), verified(2, "abd", removed="c", posterior=0.6)]
        assert next_after(*log, removed="d") == []

    def test_the_same_pair_is_the_same_question(self) -> None:
        one = merge_question("ab", "cd", about=["p", "q"], locale="de-DE")
        other = merge_question("ce", "a", about=["q", "p"], locale="de-DE")
        assert one.id == other.id
