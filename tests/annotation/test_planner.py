"""The questions that place the most images per human second come first."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import (
    Alike,
    Asking,
    Cut,
    Decided,
    DecisionGraph,
    Effort,
    Misfit,
    Outlook,
    Partition,
    Planned,
    Stray,
    learn_trust,
    mixed_sheets,
    partition,
    plan,
)
from annotation.calibration import Calibration
from annotation.planner import REFERENCES
from annotation.questions import GALLERY
from annotation.trust import Trust
from catalog.schema import Decision, DecisionKind, Question, QuestionKind
from tests.annotation.test_partition import decided, listed, verified

EVERYTHING = Asking(pictures_per_sheet=24, open_share=1.0, worth_seconds=1000)
USUAL = Effort()
NOTHING = partition([], [])


def outlook(
    images: Sequence[str],
    clusters: Sequence[Sequence[str]] = (),
    sure: Mapping[str, float] | None = None,
    *,
    products: Sequence[str] = (),
    likely: Mapping[str, tuple[str, float]] | None = None,
    alike: Sequence[Alike] = (),
    misfits: Sequence[Misfit] = (),
    strays: Sequence[Stray] = (),
) -> Outlook:
    """`clusters` are one cut, whose images belong with `sure`, or surely."""
    number = {image: place for place, cluster in enumerate(clusters) for image in cluster}
    labels = np.array([number.get(image, len(clusters) + n) for n, image in enumerate(images)])
    found = [(likely or {}).get(image, ("", 0.0)) for image in images]
    return Outlook(
        "de-DE",
        list(images),
        [Cut(labels, np.array([(sure or {}).get(image, 0.98) for image in images]))],
        {image: f"cluster {number[image]}" for image in number},
        list(products),
        np.array([products.index(product) if product else -1 for product, _ in found]),
        np.array([probability for _, probability in found]),
        alike,
        misfits,
        strays,
    )


def planned(
    ahead: Outlook,
    known: Partition = NOTHING,
    *,
    asking: Asking = EVERYTHING,
    effort: Effort = USUAL,
    open_questions: Sequence[Question] = (),
    mixed: Sequence[Question] = (),
    trust: Trust | None = None,
) -> list[Planned]:
    galleries = {product: images[:GALLERY] for product, images in known.images().items()}
    return plan(
        ahead,
        known,
        galleries,
        open_questions,
        asking,
        effort,
        mixed=mixed,
        **({"trust": trust} if trust else {}),
    )


def said_of(found: Sequence[Planned]) -> list[tuple[object, ...]]:
    """All of a plan but when it was made."""
    return [
        (
            each.question.id,
            each.question.image_ids,
            each.question.suggestion,
            each.belonging,
            each.gain,
            each.seconds,
        )
        for each in found
    ]


def shown(found: Sequence[Planned]) -> list[tuple[str, str]]:
    return [(str(each.question.kind), "".join(each.question.image_ids)) for each in found]


class TestSheets:
    def test_a_pure_cluster_is_verified_whole(self) -> None:
        [each] = planned(outlook("abcdef", ["abcdef"]))
        assert shown([each]) == [("verify", "abcdef")]
        assert each.question.cluster_id == "cluster 0"
        assert each.gain == pytest.approx(6, abs=0.5)

    def test_a_cluster_is_cut_where_its_images_no_longer_belong(self) -> None:
        sure = dict.fromkeys("abcdef", 0.97) | dict.fromkeys("uvwxyz", 0.05)
        found = planned(outlook("abcdefuvwxyz", ["abcdefuvwxyz"], sure))
        assert ("verify", "abcdef") in shown(found)

    def test_an_unsure_pair_is_not_worth_a_sheet(self) -> None:
        found = planned(outlook("ab", ["ab"], dict.fromkeys("ab", 0.3)))
        assert set(shown(found)) == {("verify", "a"), ("verify", "b")}

    def test_no_sheet_is_larger_than_a_sheet(self) -> None:
        images = [f"image {n:03}" for n in range(60)]
        found = planned(outlook(images, [images]))
        assert max(len(each.question.image_ids) for each in found) == 24

    def test_what_was_mixed_is_sorted_and_not_asked_about_again(self) -> None:
        ahead = outlook("abcd", ["abcd"], dict.fromkeys("abcd", 0.95))
        [before] = planned(ahead)
        assert shown([before]) == [("verify", "abcd")]
        said = decided(1, QuestionKind.VERIFY, DecisionKind.DIFFERENT, [], "abcd").decision
        mixed = mixed_sheets([Decided(before.question, said)])
        assert ("verify", "abcd") not in shown(planned(ahead, mixed=mixed))
        costly_alone = Effort(seconds_per_sorted=0.2, seconds_per_picture=0.1, seconds_per_name=9)
        assert shown(planned(ahead, effort=costly_alone, mixed=mixed)) == [("split", "abcd")]


class TestKnownProducts:
    known = partition([], listed("xyz", "Kaffee"))
    product = known.product_of["x"]

    def test_images_are_put_beside_the_product_that_they_seem_to_show(self) -> None:
        likely = dict.fromkeys("abcdefgh", (self.product, 0.95))
        [each] = planned(outlook("abcdefgh", products=[self.product], likely=likely), self.known)
        assert shown([each]) == [("attach", "abcdefgh")]
        assert each.question.reference_ids == ["x", "y", "z"][:REFERENCES]
        assert each.question.suggestion == "Kaffee"

    def test_an_image_is_not_compared_with_a_product_that_it_does_not_show(self) -> None:
        told = decided(1, QuestionKind.ATTACH, DecisionKind.DIFFERENT, ["x"], "a", references="x")
        known = partition([told], listed("xyz", "Kaffee"))
        likely = dict.fromkeys("abcdefgh", (self.product, 0.95))
        found = planned(outlook("abcdefgh", products=[self.product], likely=likely), known)
        assert ("attach", "bcdefgh") in shown(found)

    def test_the_name_of_a_likely_product_is_suggested_for_a_cluster(self) -> None:
        likely = dict.fromkeys("abcdef", (self.product, 0.4))
        ahead = outlook("abcdef", ["abcdef"], products=[self.product], likely=likely)
        [each] = planned(ahead, self.known)
        assert (each.question.kind, each.question.suggestion) == ("verify", "Kaffee")

    def test_products_that_look_alike_are_asked_about_once(self) -> None:
        log = [verified(1, "abc", name="Tee"), verified(2, "xyz", name="Thé", locale="fr-FR")]
        known = partition(log, [])
        first, second = sorted(set(known.product_of.values()))
        ahead = outlook("q", alike=[Alike(first, second, 0.9)])
        [question] = [e.question for e in planned(ahead, known) if e.question.kind == "merge"]
        assert sorted([*question.image_ids, *question.reference_ids]) == list("abcxyz")
        again = planned(ahead, known, open_questions=[question])
        assert not [each for each in again if each.question.kind == "merge"]

    def test_a_piece_that_does_not_look_like_its_product_is_looked_at_twice(self) -> None:
        log = [verified(1, "abcd", name="Tee"), verified(2, "wxyz", name="Tee")]
        known = partition(log, [])
        misfit = Misfit(tuple("wxyz"), tuple("abcd"), 0.6)
        [each] = planned(outlook("", misfits=[misfit]), known)
        assert each.question.kind == QuestionKind.MERGE
        assert each.gain == pytest.approx(1.6)

    def test_a_misplaced_image_is_worth_other_seconds_than_one_without_a_product(self) -> None:
        log = [verified(1, "abcd", name="Tee"), verified(2, "wxyz", name="Tee")]
        misfit = Misfit(tuple("wxyz"), tuple("abcd"), 0.9)  # 6 s for 0.4 images
        asking = EVERYTHING.model_copy(update={"worth_seconds": 12.0, "mend_seconds": 20.0})
        ahead, known = outlook("", misfits=[misfit]), partition(log, [])
        assert len(planned(ahead, known, asking=asking)) == 1
        stingy = asking.model_copy(update={"mend_seconds": 14.0})
        assert planned(ahead, known, asking=stingy) == []

    def test_pictures_that_look_misplaced_are_put_beside_their_product_again(self) -> None:
        log = [verified(1, "abcdefgh", name="Tee"), verified(2, "wxyz", name="Tee")]
        known = partition(log, [])
        product = known.product_of["a"]
        strays = [Stray(image, product, tuple("efgh"), 0.7) for image in "abcd"]
        [each] = planned(outlook("", strays=strays), known)
        assert (each.question.kind, sorted(each.question.image_ids)) == ("attach", list("abcd"))
        assert each.question.reference_ids == list("efgh")
        assert each.gain == pytest.approx(1.2)
        assert planned(outlook("", strays=strays), known, open_questions=[each.question]) == []


class TestOrder:
    clusters = ("abcdef", "ghijkl", "mnopqr")

    def test_cheaper_images_come_first_and_no_image_is_asked_about_twice(self) -> None:
        sure = dict.fromkeys("abcdef", 0.7) | dict.fromkeys("ghijkl", 0.99)
        found = planned(outlook("abcdefghijklmnopqr", self.clusters, sure))
        assert [each.price for each in found] == sorted(each.price for each in found)
        assert found[0].question.image_ids == list("ghijkl")
        images = [image for each in found for image in each.question.image_ids]
        assert len(images) == len(set(images))

    def test_what_stands_open_is_not_asked_about(self) -> None:
        ahead = outlook("abcdefghijkl", self.clusters[:2])
        first = planned(ahead)[0].question
        rest = planned(ahead, open_questions=[first])
        assert set(first.image_ids).isdisjoint(i for each in rest for i in each.question.image_ids)

    def test_no_more_is_open_than_is_allowed(self) -> None:
        asking = EVERYTHING.model_copy(update={"open_share": 0.3, "open_at_least": 1})
        ahead = outlook("abcdefghijklmnopqr", self.clusters)
        first = planned(ahead, asking=asking)
        assert len(first) == 1
        assert planned(ahead, asking=asking, open_questions=[first[0].question]) == []

    def test_images_that_cost_more_than_they_are_worth_are_left(self) -> None:
        asking = EVERYTHING.model_copy(update={"worth_seconds": 3.0})
        found = planned(outlook("abcdefxyz", ["abcdef"]), asking=asking)
        assert shown(found) == [("verify", "abcdef")]

    def test_answers_correct_what_the_model_says(self) -> None:
        boastful = Trust(membership=Calibration(1.0, -4.0))
        ahead = outlook("abcdef", ["abcdef"], dict.fromkeys("abcdef", 0.9))
        assert shown(planned(ahead)) == [("verify", "abcdef")]
        assert ("verify", "abcdef") not in shown(planned(ahead, trust=boastful))

    def test_each_question_says_why(self) -> None:
        [each] = planned(outlook("abcdef", ["abcdef"]))
        assert each.reason.startswith("6 pictures of which 98% should show one product: ")


images = [f"image {n:02}" for n in range(30)]
worlds = st.tuples(
    st.lists(st.integers(0, 6), min_size=30, max_size=30),
    st.lists(st.floats(0.05, 0.99), min_size=30, max_size=30),
)


@given(worlds, st.integers(0, 2**30 - 1))
def test_answers_that_arrive_late_or_twice_or_never_leave_the_plan_right(
    world: tuple[list[int], list[float]], answered: int
) -> None:
    labels, sure = world
    ahead = Outlook(
        "de-DE",
        images,
        [Cut(np.array(labels), np.array(sure))],
        {},
        [],
        np.full(30, -1),
        np.zeros(30),
    )
    first = [each.question for each in planned(ahead)]
    done = [each for n, each in enumerate(first) if answered >> n & 1]
    left = [each for each in first if each not in done]
    log = [
        Decided(each, verified(n, each.image_ids, name=f"p{n}").decision)  # type: ignore[arg-type]
        for n, each in enumerate(done)
    ]
    once = planned(ahead, partition(log, []), open_questions=left)
    twice = planned(ahead, partition([*log[::-1], *log], []), open_questions=[*left, *left])
    assert [each.question.id for each in once] == [each.question.id for each in twice]
    asked = {image for each in [*done, *left] for image in each.image_ids}
    assert asked.isdisjoint(image for each in once for image in each.question.image_ids)


@given(worlds, st.lists(st.integers(0, 200), max_size=30), st.booleans())
@settings(max_examples=50)
def test_a_plan_that_follows_the_answers_is_the_plan_from_scratch(
    world: tuple[list[int], list[float]], arriving: list[int], half: bool
) -> None:
    """Whatever is answered, in whatever order, twice, late, or never."""
    labels, sure = world
    shelf = listed("xyz", "Kaffee")
    graph = DecisionGraph([], shelf)
    [product] = set(graph.product_of.values())
    likely = {image: (product, sure[-n]) for n, image in enumerate(images) if labels[n] % 2}
    clusters = [
        [i for i, owner in zip(images, labels, strict=True) if owner == n] for n in range(7)
    ]

    def ahead() -> Outlook:
        probable = dict(zip(images, sure, strict=True))
        return outlook(images, clusters, probable, products=[product], likely=likely)

    asking = EVERYTHING.model_copy(update={"open_share": 0.5 if half else 1.0, "open_at_least": 1})
    kept = ahead()
    asked: dict[str, Question] = {}
    log: list[Decided] = []
    for number in [*arriving, 0]:
        heard = {each.question.id for each in log}
        left = [question for key, question in asked.items() if key not in heard]
        following = planned(kept, graph.partition, asking=asking, open_questions=left)
        known = partition({each.decision.id: each for each in log}.values(), shelf)
        scratch = planned(ahead(), known, asking=asking, open_questions=left)
        assert said_of(following) == said_of(scratch)
        asked = {each.question.id: each.question for each in following} | asked
        if asked:
            question = list(asked.values())[number % len(asked)]
            log.append(Decided(question, answered(question)))
            graph.learn([log[-1]])


def answered(question: Question) -> Decision:
    """The one decision on a question: of every other, the last image is an intruder."""
    images, alone = question.image_ids, len(question.image_ids) < 2
    pure = alone or int(question.id, 16) % 2
    kept, removed = (images, []) if pure else (images[:-1], images[-1:])
    return Decision(
        id=question.id,
        question_id=question.id,
        supersedes_id=None,
        kind=DecisionKind.SAME,
        name=None if question.reference_ids else f"p{question.id}",
        groups=[[*question.reference_ids], kept] if question.reference_ids else [kept],
        removed_ids=removed,
        memberships=[0.95] * (len(question.reference_ids) + len(images)),
        answer_ids=[],
        annotators=["ada"],
        agreement=1.0,
        confidence=0.95,
        seconds=8.0,
    )


def test_trust_is_learnt_from_what_sheets_turned_out_to_be() -> None:
    good = [verified(n, "abcdefgh", removed="ij") for n in range(40)]
    said = [0.5] * 10
    trust = learn_trust((said, *each) for each in good)
    assert trust.membership([0.5])[0] == pytest.approx(0.8, abs=0.05)
    assert trust.attachment([0.5])[0] == pytest.approx(0.5, abs=0.01)
    mixed = decided(1, QuestionKind.VERIFY, DecisionKind.DIFFERENT, [], "abcdefghij")
    worse = learn_trust((said, *mixed) for _ in range(40))
    assert worse.membership([0.5])[0] < 0.4
