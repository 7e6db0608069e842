"""The texts that annotators read are complete in every locale."""

import re
from pathlib import Path

import pytest

from annotation import Wording, WordingError
from annotation.wording import LOCALES

EVERY_LOCALE = sorted(file.stem for file in LOCALES.glob("*.toml"))


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_every_locale_is_complete(locale: str) -> None:
    assert Wording.load(locale).locale == locale


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_no_text_of_a_locale_says_two_things(locale: str) -> None:
    wording = Wording.load(locale)
    choices = [*wording.verdicts.values(), *wording.flags.values()]
    assert len(set(choices)) == len(choices)


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_the_guidelines_name_the_verdicts_as_they_stand_on_the_sheet(locale: str) -> None:
    wording = Wording.load(locale)
    text = " ".join(wording.guidelines)
    assert [verdict for verdict in wording.verdicts.values() if verdict not in text] == []


def test_arabic_runs_from_right_to_left() -> None:
    assert Wording.load("ar-EG").direction == "rtl"


def test_another_region_of_the_language_serves_a_locale() -> None:
    austrian, german = Wording.load("de-AT"), Wording.load("de-DE")
    assert austrian.locale == "de-AT"
    assert austrian.model_copy(update={"locale": "de-DE"}) == german


def test_another_script_does_not_serve_a_locale(tmp_path: Path) -> None:
    write(tmp_path / "zh-CN.toml")
    assert Wording.load("zh-SG", tmp_path).direction == "ltr"
    with pytest.raises(WordingError, match="no wording for 'zh-TW'"):
        Wording.load("zh-TW", tmp_path)


def test_an_unknown_locale_is_told_which_there_are() -> None:
    with pytest.raises(WordingError, match=r"'fr-FR', only for ar-EG, de-DE, en-US, ja-JP, sv-SE"):
        Wording.load("fr-FR")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (r'question = ".*"', "question"),
        (r'mixed = ".*"', "verdicts.mixed"),
        (r'watermark = ".*"', "flags.watermark"),
    ],
)
def test_a_missing_text_is_named_with_its_file(tmp_path: Path, line: str, key: str) -> None:
    file = write(tmp_path / "en-US.toml", without=line)
    with pytest.raises(WordingError, match=re.escape(f"{file} cannot be used: missing key {key}")):
        Wording.load("en-US", tmp_path)


def test_a_text_that_no_sheet_shows_is_named_with_its_file(tmp_path: Path) -> None:
    file = write(tmp_path / "en-US.toml")
    file.write_text(f'farewell = "Bye"\n{file.read_text()}')
    with pytest.raises(WordingError, match="unknown key farewell"):
        Wording.load("en-US", tmp_path)


def write(file: Path, without: str = "$^") -> Path:
    english = (LOCALES / "en-US.toml").read_text(encoding="utf-8")
    file.write_text(re.sub(without, "", english), encoding="utf-8")
    return file
