"""Habits of spelling meet in one key; different names stay apart."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Coca-Cola  Zero", "COCA COLA zero"),
        ("Saft 1,5 L", "saft 1.5l"),
        ("Weißbrot", "WEISSBROT"),
        ("Ｃｏｆｆｅｅ　ﾐﾙｸ", "coffee ミルク"),
        ("明治 ミルク・チョコレート", "明治ミルクチョコレート"),
        ("شَاي ٢٥٠ جم", "شاي 250 جم"),
        ("شـــاي", "شاي"),
        ("\u200fشاي\u200f", "شاي"),
        ("Blåbärssylt", unicodedata.normalize("NFD", "Blåbärssylt")),
    ],
)
def test_spelling_habits_meet(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Saft 1,5 L", "Saft 15 L"), ("Färs", "Fars"), ("Cola", "Cola+"), ("कमल", "कोमल")],
)
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(st.text())
def test_white_space_around_a_name_does_not_count(name: str) -> None:
    assert name_key(f" {name}\u3000\n") == name_key(name)
