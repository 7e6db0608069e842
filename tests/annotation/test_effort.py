"""What a question takes, and what verifying clusters would, on the sheets that people would see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import Effort, expected_effort
from catalog.schema import QuestionKind

EFFORT = Effort(
    seconds_per_sheet=10, seconds_per_picture=1, seconds_per_intruder=100, seconds_per_name=1000
)


class TestAQuestion:
    @pytest.mark.parametrize("kind", [QuestionKind.VERIFY, QuestionKind.ATTACH])
    def test_of_a_sheet_takes_its_pictures_and_ticks(self, kind: QuestionKind) -> None:
        assert EFFORT.seconds(kind, 12, 2) == 10 + 12 + 200

    def test_that_verifies_a_sheet_takes_the_name_as_well(self) -> None:
        assert EFFORT.seconds(QuestionKind.VERIFY, 12, 2, 1) == 10 + 12 + 200 + 1000

    def test_about_one_picture_is_no_sheet_that_must_be_read(self) -> None:
        assert EFFORT.seconds(QuestionKind.VERIFY, 1, n_named=1) == 1 + 1000
        assert EFFORT.seconds(QuestionKind.ATTACH, 1) == 10 + 1

    @given(st.integers(1, 24))
    def test_of_two_galleries_takes_the_same_whatever_they_show(self, n_pictures: int) -> None:
        assert Effort(seconds_per_merge=7).seconds(QuestionKind.MERGE, n_pictures) == 7

    def test_that_sorts_drags_every_picture(self) -> None:
        effort = Effort(seconds_per_sheet=10, seconds_per_picture=1, seconds_per_sorted=3)
        assert effort.seconds(QuestionKind.SPLIT, 5) == 10 + 5 * (1 + 3)


def shown(*products: str) -> tuple[list[str], dict[str, str]]:
    """A cluster with an image of each of `products`, and the truth."""
    ids = [f"{number:03}" for number in range(len(products))]
    return ids, dict(zip(ids, products, strict=True))


def test_a_pure_cluster_costs_a_sheet_its_pictures_and_its_name() -> None:
    cluster, truth = shown("milk", "milk", "milk")
    found = expected_effort([cluster], truth, EFFORT, pictures_per_sheet=60)
    assert (found.n_questions, found.n_verified, found.seconds) == (1, 3, 1013)
    assert found.seconds_per_image == pytest.approx(1013 / 3)


def test_an_intruder_is_ticked_and_not_verified() -> None:
    cluster, truth = shown("milk", "milk", "milk", "tea")
    found = expected_effort([cluster], truth, EFFORT, pictures_per_sheet=60)
    assert (found.n_verified, found.seconds) == (3, 1114)


def test_a_mixed_cluster_is_not_named_and_verifies_nothing() -> None:
    cluster, truth = shown("milk", "milk", "tea", "tea")
    found = expected_effort([cluster], truth, EFFORT, pictures_per_sheet=60)
    assert (found.n_verified, found.seconds) == (0, 14)
    assert found.seconds_per_image == float("inf")


def test_an_image_alone_is_not_asked_about() -> None:
    cluster, truth = shown("milk")
    assert expected_effort([cluster], truth, EFFORT, pictures_per_sheet=60).n_questions == 0


@given(st.integers(61, 300))
def test_a_large_cluster_becomes_sheets_and_no_image_is_counted_twice(n_images: int) -> None:
    cluster, truth = shown(*["milk"] * n_images)
    found = expected_effort([cluster], truth, EFFORT, pictures_per_sheet=60)
    assert found.n_questions > 1
    assert found.n_verified == n_images
