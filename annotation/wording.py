"""What annotators read: one complete TOML file per locale in `annotation/locales/`."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from babel import Locale, UnknownLocaleError, parse_locale
from babel.core import get_global
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.schema import VERDICTS, QuestionKind, Verdict

LOCALES = Path(__file__).parent / "locales"


class WordingError(ValueError):
    """The texts of a locale are missing or incomplete."""


class Flag(StrEnum):
    """What may be wrong with the pictures of a question; the values that Label Studio exports."""

    BLURRY = "blurry"
    CROPPED = "cropped"
    UNREADABLE = "unreadable"
    DUPLICATES = "duplicates"
    WATERMARK = "watermark"


class Bucket(StrEnum):
    """The columns into which a split is sorted; pictures wait in, or are left in, `NONE`."""

    NONE = "none"
    A = "a"
    B = "b"
    C = "c"
    D = "d"


class _Texts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)


class VerdictWording(_Texts):
    """A verdict as it stands on the desk, and the sentence that says when it is right."""

    label: str
    when: str


class NameWording(_Texts):
    """The field for the product's name, and what stands before a suggested one."""

    placeholder: str
    suggestion: str
    guideline: str


class ExampleWording(_Texts):
    """What stands on the packets that are drawn in the guidelines: two brands, two varieties."""

    brand: str
    variety: str
    other_brand: str
    other_variety: str


class SheetWording(_Texts):
    """What every kind of question says; `example` describes the drawing in its guidelines."""

    question: str
    hint: str
    steps: tuple[str, ...] = Field(min_length=1)
    example: str
    verdicts: dict[Verdict, VerdictWording]


class AttachWording(SheetWording):
    """The references of an attach question have a heading."""

    references: str


class MergeWording(SheetWording):
    """Both galleries of a merge question have headings."""

    references: str
    images: str


class SplitWording(SheetWording):
    """The columns of a split question have headings."""

    buckets: dict[Bucket, str]


class Wording(_Texts):
    """All texts of a locale, and the direction in which they run."""

    locale: str
    direction: Literal["ltr", "rtl"]
    same_product: str
    required: str
    name: NameWording
    flags: dict[Flag, str]
    example: ExampleWording
    verify: SheetWording
    attach: AttachWording
    merge: MergeWording
    split: SplitWording

    def sheet(self, kind: QuestionKind) -> SheetWording:
        """The texts of one kind of question."""
        sheets: Mapping[QuestionKind, SheetWording] = {
            QuestionKind.VERIFY: self.verify,
            QuestionKind.ATTACH: self.attach,
            QuestionKind.MERGE: self.merge,
            QuestionKind.SPLIT: self.split,
        }
        return sheets[kind]

    @model_validator(mode="after")
    def _tables_are_complete(self) -> Self:
        problems = [*_compared("flags", self.flags, tuple(Flag))]
        problems += _compared("split.buckets", self.split.buckets, tuple(Bucket))
        for kind, verdicts in VERDICTS.items():
            problems += _compared(f"{kind}.verdicts", self.sheet(kind).verdicts, verdicts)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def load(cls, locale: str, folder: Path = LOCALES) -> Self:
        """Load the texts for a BCP 47 `locale`.

        Without a file of its own it is served by its language's (``de`` for ``de-AT``), or else by
        another region's (``de-DE``), if that is written in the same script. The wording keeps the
        locale that was asked for.

        Raises
        ------
        WordingError
            When no file serves `locale`, or the file lacks a text or has one too many.
        """
        file = _file_for(locale, folder)
        try:
            return cls(locale=locale, **tomllib.loads(file.read_text(encoding="utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise WordingError(f"{file} is not valid TOML: {error}") from error
        except ValidationError as error:
            problems = "; ".join(_problem(detail) for detail in error.errors())
            raise WordingError(f"{file} cannot be used: {problems}") from error


def _compared(table: str, found: Collection[StrEnum], wanted: Collection[StrEnum]) -> Iterator[str]:
    yield from (f"missing key {table}.{key}" for key in wanted if key not in found)
    yield from (f"unknown key {table}.{key}" for key in found if key not in wanted)


def _file_for(locale: str, folder: Path) -> Path:
    files = {file.stem: file for file in sorted(folder.glob("*.toml"))}
    if locale in files:
        return files[locale]
    try:
        wanted = _language_and_script(locale)
    except (ValueError, UnknownLocaleError) as error:
        raise WordingError(
            f"{locale!r} is not a locale that is known ({error}): use a BCP 47 tag such as en-US"
        ) from error
    for tag in sorted(files, key=lambda tag: (tag.count("-"), tag)):
        if _language_and_script(tag) == wanted:
            return files[tag]
    raise WordingError(
        f"there is no wording for {locale!r}, only for {', '.join(files)}: "
        f"translate one of them to {folder / locale}.toml"
    )


def _language_and_script(tag: str) -> tuple[str, str | None]:
    locale = Locale.parse(tag, sep="-")
    if locale.script:
        return locale.language, locale.script
    likely = get_global("likely_subtags")
    for known in (f"{locale.language}_{locale.territory}", locale.language):
        if known in likely:
            return locale.language, parse_locale(likely[known])[2]
    return locale.language, None


def _problem(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    match detail["type"]:
        case "missing":
            return f"missing key {key}"
        case "extra_forbidden" | "enum":
            return f"unknown key {key}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"{key}: {detail['msg']}"
