import pytest

from expectations.scripts import is_written_for, scripts_of_locale


@pytest.mark.parametrize(
    ("locale", "name"),
    [
        ("en-US", "Crème brûlée"),
        ("ja-JP", "ｺｶ･ｺｰﾗ"),
        ("ja-JP", "佐々木"),
        ("ar-EG", "شوكولاتة"),
        ("ru-RU", "Молоко"),
        ("sr-Latn-RS", "Čokolada"),
        ("zh-TW", "牛奶"),
        ("ko-KR", "우유"),
    ],
)
def test_a_name_in_the_letters_of_its_locale_is_written_for_it(locale: str, name: str) -> None:
    assert is_written_for(name, locale)


@pytest.mark.parametrize(
    ("locale", "name"), [("en-US", "Молоко"), ("sr-Latn-RS", "Чоколада"), ("ja-JP", "우유")]
)
def test_a_name_in_other_letters_is_not(locale: str, name: str) -> None:
    assert not is_written_for(name, locale)


def test_an_unknown_locale_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'xx-XX' is not a locale"):
        scripts_of_locale("xx-XX")


def test_a_script_without_letters_says_where_to_add_them() -> None:
    with pytest.raises(ValueError, match=r"add 'Cher' to LETTERS in expectations/scripts\.py"):
        scripts_of_locale("chr-US")
