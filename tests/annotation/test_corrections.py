"""What a person rules by hand holds, leaves the rest alone, and can be taken back."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from annotation import (
    Decided,
    changed_labels,
    deny,
    forget,
    named_by_hand,
    partition,
    rule,
    taken_back,
)
from annotation.decisions import Votes
from annotation.partition import SUREST
from catalog.schema import Decision, DecisionKind
from tests.annotation.answers_of import answer, question
from tests.annotation.test_partition import listed, merged, verified

BY = {"by": "lead", "reason": "looked at it"}
LOG = [verified(1, "abc", "x", name="Tee"), verified(2, "cde", name="Tee"), verified(3, "fgh")]


def after(log: Sequence[Decided], rulings: Sequence[Decision]) -> list[Decided]:
    """The log in which `rulings` stand instead of what they supersede."""
    said = {ruling.supersedes_id: ruling for ruling in rulings}
    return [Decided(q, said.get(decision.id, decision)) for q, decision in log]


@given(st.sets(st.sampled_from("abcdefgh")))
def test_what_is_forgotten_has_no_product_and_the_rest_keeps_its_own(images: set[str]) -> None:
    before = partition(LOG, [])
    found = partition(after(LOG, forget(LOG, images, **BY)), [])
    assert not images & found.product_of.keys()
    for kept in (set("abcde") - images, set("fgh") - images):
        assert {found.product_of.get(image) for image in kept} <= {*found.product_of.values()}
        assert len({found.product_of[image] for image in kept}) <= 1
    assert not found.contradictions
    assert found.product_of.keys() == before.product_of.keys() - images


def test_a_manifests_label_that_was_ruled_wrong_is_withdrawn_and_its_rival_stays() -> None:
    wrong, right = listed("a", "Tee"), listed("a", "Kaffee")
    [withdrawn] = changed_labels(partition([], right), right, [*wrong, *right])
    assert (withdrawn.supersedes_id, withdrawn.withdrawn) == (wrong[0].id, True)
    assert changed_labels(partition([], right), right, [withdrawn, *right]) == []


def test_what_is_denied_is_known_to_differ_from_what_it_was_said_to_show() -> None:
    found = partition(after(LOG, deny(LOG, "a", **BY)), [])
    assert found.differ("a", "b")
    assert "a" not in found.product_of


def test_what_is_forgotten_is_not_known_to_differ() -> None:
    found = partition(after(LOG, forget(LOG, "a", **BY)), [])
    assert not found.differ("a", "b")


def test_an_image_named_by_hand_joins_the_product_of_that_name() -> None:
    log = [*LOG, verified(4, "ij", name="Kaffee")]
    fresh = named_by_hand("a", "Kaffee", locale="de-DE", about=["label"], **BY)
    found = partition([*after(log, forget(log, "a", **BY)), fresh], [])
    assert found.product_of["a"] == found.product_of["i"] != found.product_of["b"]
    assert fresh.decision.confidence == SUREST


def test_a_merge_keeps_what_it_says_of_its_other_images() -> None:
    log = [verified(1, "abc", name="Tee"), verified(2, "def"), merged(3, "abc", "def")]
    found = partition(after(log, deny(log, "a", **BY)), [])
    assert found.product_of["b"] == found.product_of["d"]


def test_a_ruling_taken_back_leads_to_what_was_before_it() -> None:
    rulings = deny(LOG, "ad", **BY)
    before = {decision.id: decision for _, decision in LOG}
    ruled = after(LOG, rulings)
    back = after(
        ruled, [taken_back(each, before[each.supersedes_id or ""], **BY) for each in rulings]
    )
    assert partition(ruled, []).product_of != partition(back, []).product_of
    assert partition(back, []).images() == partition(LOG, []).images()


def test_an_image_that_somebody_named_has_no_product_when_that_is_taken_back() -> None:
    asked, named = named_by_hand("z", "Kaffee", locale="de-DE", about=["label"], **BY)
    back = Decided(asked, taken_back(named, None, **BY))
    assert partition([*LOG, back], []).product_of == partition(LOG, []).product_of


def test_a_ruling_stands_until_there_is_a_new_answer() -> None:
    asked = question("abc")
    said = {"q": [answer("ann", name="Tee")]}
    first = rule([asked], said, {}, Votes())["q"].decision
    assert first is not None
    [ruling] = deny([Decided(asked, first)], "a", **BY)
    assert rule([asked], said, {"q": ruling}, Votes())["q"].decision is None
    more = {"q": [*said["q"], answer("bo", name="Tee")]}
    anew = rule([asked], more, {"q": ruling}, Votes())["q"].decision
    assert anew is not None
    assert (anew.kind, anew.supersedes_id) == (DecisionKind.SAME, ruling.id)
