"""Gold questions are made of what is known, and nobody can tell them from others."""

from annotation import gold_questions
from annotation.gold import is_right
from catalog.schema import QuestionKind, Verdict
from tests.annotation.answers_of import answer, question

PRODUCTS = {
    product: [f"{product} {number}" for number in range(5)] for product in ("tea", "coffee", "milk")
}


def asked() -> list:
    return list(gold_questions(PRODUCTS, locale="de-DE", site="local"))


def test_each_product_has_a_sheet_and_every_other_one_has_intruders_of_another_product() -> None:
    found = asked()
    assert len(found) == len(PRODUCTS)
    spoilt = 0
    for each in found:
        assert each.expected is not None
        intruders = set(each.expected["intruder_ids"])
        belonging = {image.split()[0] for image in each.image_ids if image not in intruders}
        strangers = {image.split()[0] for image in intruders}
        assert len(belonging) == 1
        assert not strangers & belonging
        assert intruders <= set(each.image_ids)
        spoilt += bool(intruders)
    assert spoilt == 2


def test_they_are_always_the_same_and_other_ones_on_another_site() -> None:
    assert [each.id for each in asked()] == [each.id for each in asked()]
    elsewhere = gold_questions(PRODUCTS, locale="de-DE", site="other")
    assert not {each.id for each in asked()} & {each.id for each in elsewhere}


def test_intruders_do_not_stand_at_a_place_that_tells() -> None:
    places = {
        each.image_ids.index(image) for each in asked() for image in each.expected["intruder_ids"]
    }
    assert places != {5, 6}


def test_one_product_alone_makes_no_gold() -> None:
    assert list(gold_questions({"tea": PRODUCTS["tea"]}, locale="de-DE", site="local")) == []


def test_an_answer_is_right_when_it_ticks_the_intruders_and_no_other() -> None:
    expected = {"verdict": "confirm", "intruder_ids": ["b"]}
    gold = question("abc", QuestionKind.VERIFY, expected=expected)
    assert is_right(gold, answer(intruders="b"))
    assert not is_right(gold, answer())
    assert not is_right(gold, answer(intruders="bc"))
    assert not is_right(gold, answer(verdict=Verdict.MIXED))
