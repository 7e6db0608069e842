"""Clusters become sheets: every image once, surest first, sheets of even size."""

import math

from hypothesis import given
from hypothesis import strategies as st

from annotation import verify_questions
from catalog.schema import Cluster, ClusterMember, Question

CLUSTER = Cluster(
    id="cluster", partition_id="partition", locale="sv-SE", size=0, purity=0.9, peak_id="0"
)
memberships = st.lists(st.floats(0, 1), min_size=1, max_size=150)
sheet_sizes = st.integers(2, 60)


def members(values: list[float]) -> list[ClusterMember]:
    return [
        ClusterMember(cluster_id="cluster", image_id=str(number), membership=value)
        for number, value in enumerate(values)
    ]


def ask(members: list[ClusterMember], size: int) -> list[Question]:
    return verify_questions(CLUSTER, members, site="local", pictures_per_sheet=size)


@given(memberships, sheet_sizes)
def test_every_image_is_asked_about_once_and_the_surest_comes_first(
    values: list[float], size: int
) -> None:
    asked = [int(image) for question in ask(members(values), size) for image in question.image_ids]
    assert sorted(asked) == list(range(len(values)))
    assert [values[image] for image in asked] == sorted(values, reverse=True)


@given(memberships, sheet_sizes)
def test_there_are_as_few_sheets_as_possible_and_of_even_size(
    values: list[float], size: int
) -> None:
    lengths = [len(question.image_ids) for question in ask(members(values), size)]
    assert len(lengths) == math.ceil(len(values) / size)
    assert max(lengths) - min(lengths) <= 1


@given(memberships, sheet_sizes, st.randoms())
def test_the_order_of_the_members_changes_nothing(
    values: list[float], size: int, random: object
) -> None:
    shuffled = members(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [(q.id, q.image_ids) for q in ask(shuffled, size)] == [
        (q.id, q.image_ids) for q in ask(members(values), size)
    ]


@given(memberships, sheet_sizes)
def test_a_question_speaks_the_language_of_its_cluster(values: list[float], size: int) -> None:
    assert {question.locale for question in ask(members(values), size)} == {"sv-SE"}


def test_a_cluster_without_images_asks_nothing() -> None:
    assert ask([], 60) == []
