"""The texts that annotators read are complete in every locale."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from annotation import Flag, Wording, WordingError
from annotation.wording import LOCALES
from catalog.schema import QuestionKind

EVERY_LOCALE = sorted(file.stem for file in LOCALES.glob("*.toml"))


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_every_locale_is_complete(locale: str) -> None:
    assert Wording.load(locale).locale == locale


@pytest.mark.parametrize("kind", QuestionKind)
@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_no_text_of_a_locale_says_two_things(locale: str, kind: QuestionKind) -> None:
    wording = Wording.load(locale)
    labels = [verdict.label for verdict in wording.sheet(kind).verdicts.values()]
    choices = [*labels, *wording.flags.values(), *wording.split.buckets.values()]
    assert len(set(choices)) == len(choices)


@pytest.mark.parametrize("locale", sorted(set(EVERY_LOCALE) - {"en-US"}))
def test_every_sentence_of_a_locale_is_translated(locale: str) -> None:
    english, translated = sentences(Wording.load("en-US")), sentences(Wording.load(locale))
    assert set(english) & set(translated) == set()


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_texts_run_as_their_script_does(locale: str) -> None:
    assert Wording.load(locale).direction == Locale.parse(locale, sep="-").text_direction


def test_another_region_of_the_language_serves_a_locale() -> None:
    austrian, german = Wording.load("de-AT"), Wording.load("de-DE")
    assert austrian.locale == "de-AT"
    assert austrian.model_copy(update={"locale": "de-DE"}) == german


def test_the_file_of_the_language_goes_before_that_of_another_region(tmp_path: Path) -> None:
    for tag in ("de-CH", "de", "de-DE"):
        write(tmp_path / f"{tag}.toml")
    (tmp_path / "de.toml").write_text(
        (tmp_path / "de.toml").read_text().replace("Blurry", "of the language")
    )
    assert Wording.load("de-AT", tmp_path).flags[Flag.BLURRY] == "of the language"


def test_a_language_in_its_likely_script_serves_its_regions(tmp_path: Path) -> None:
    write(tmp_path / "zh.toml")
    assert Wording.load("zh-CN", tmp_path).locale == "zh-CN"
    with pytest.raises(WordingError, match="no wording for 'zh-TW'"):
        Wording.load("zh-TW", tmp_path)


def test_another_script_does_not_serve_a_locale(tmp_path: Path) -> None:
    write(tmp_path / "zh-CN.toml")
    assert Wording.load("zh-SG", tmp_path).direction == "ltr"
    with pytest.raises(WordingError, match="no wording for 'zh-TW'"):
        Wording.load("zh-TW", tmp_path)


def test_an_unknown_locale_is_told_which_there_are() -> None:
    with pytest.raises(WordingError, match=r"'fi-FI', only for ar-EG, de-DE, en-US"):
        Wording.load("fi-FI")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (r'same_product = ".*"', "same_product"),
        (r'placeholder = ".*"', "name.placeholder"),
        (r'question = "Do all.*"', "verify.question"),
        (r"mixed = .*", "verify.verdicts.mixed"),
        (r"variant = .*", "merge.verdicts.variant"),
        (r'(?<=No, mixed"), when = ".*"', "verify.verdicts.mixed.when"),
        (r'watermark = ".*"', "flags.watermark"),
        (r'd = "Product D"', "split.buckets.d"),
    ],
)
def test_a_missing_text_is_named_with_its_file(tmp_path: Path, line: str, key: str) -> None:
    file = write(tmp_path / "en-US.toml", without=line)
    with pytest.raises(WordingError, match=re.escape(f"{file} cannot be used: missing key {key}")):
        Wording.load("en-US", tmp_path)


@pytest.mark.parametrize(
    ("before", "line", "key"),
    [
        ("direction", 'farewell = "Bye"', "farewell"),
        ("blurry", 'shiny = "Shiny"', "flags.shiny"),
        ("references", 'farewell = "Bye"', "attach.farewell"),
        ("mixed", 'variant = { label = "Variant", when = "Never." }', "verify.verdicts.variant"),
        ("mixed", 'perhaps = { label = "Perhaps", when = "Never." }', "verify.verdicts.perhaps"),
    ],
)
def test_a_text_that_nobody_reads_is_named_with_its_file(
    tmp_path: Path, before: str, line: str, key: str
) -> None:
    file = write(tmp_path / "en-US.toml")
    text = file.read_text(encoding="utf-8").replace(f"{before} =", f"{line}\n{before} =", 1)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WordingError, match=re.escape(f"{file} cannot be used: unknown key {key}")):
        Wording.load("en-US", tmp_path)


def sentences(wording: Wording) -> list[str]:
    """All texts of more than two words."""

    def texts(value: Any) -> Iterator[str]:
        match value:
            case str():
                yield value
            case dict():
                for each in value.values():
                    yield from texts(each)
            case list() | tuple():
                for each in value:
                    yield from texts(each)

    return [text for text in texts(wording.model_dump()) if len(text.split()) > 2]


def write(file: Path, without: str = "$^") -> Path:
    english = (LOCALES / "en-US.toml").read_text(encoding="utf-8")
    file.write_text(re.sub(without, "", english), encoding="utf-8")
    return file
