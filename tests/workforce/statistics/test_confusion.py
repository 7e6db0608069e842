"""Products that are taken for one another: counted by pairs, whichever way round."""

from hypothesis import given
from hypothesis import strategies as st

from workforce.statistics.confusion import Verdict, confusion


def said(called: str, true: str, vendor: str = "vendor-a", locale: str = "de-DE") -> Verdict:
    return Verdict(vendor, locale, called, true)


def test_a_for_b_and_b_for_a_are_one_confusion() -> None:
    found = confusion([said("a", "b"), said("b", "a"), said("a", "a"), said("c", "c")])
    (pair,) = found.pairs
    assert (pair.one, pair.other, pair.n, pair.of) == ("a", "b", 2, 3)
    assert pair.low < 2 / 3 < pair.high


def test_the_most_often_confused_of_a_locale_come_first() -> None:
    verdicts = [said("a", "b"), *[said("a", "c")] * 3, said("x", "y", locale="ja-JP")]
    (first,) = confusion(verdicts).most("de-DE", 1)
    assert (first.one, first.other) == ("a", "c")


def test_each_vendor_has_a_rate_in_each_locale() -> None:
    found = confusion([said("a", "b"), said("a", "a"), said("a", "a", vendor="vendor-b")])
    assert [(each.vendor, each.n, each.of) for each in found.rates] == [
        ("vendor-a", 1, 2),
        ("vendor-b", 0, 1),
    ]


products = st.sampled_from("abcd")


@given(st.lists(st.builds(said, products, products)))
def test_every_confusion_is_counted_once(verdicts: list[Verdict]) -> None:
    found = confusion(verdicts)
    wrong = sum(each.said != each.true for each in verdicts)
    assert sum(each.n for each in found.pairs) == sum(each.n for each in found.rates) == wrong
    assert all(each.n <= each.of <= len(verdicts) for each in found.pairs)
