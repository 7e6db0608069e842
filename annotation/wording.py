"""What annotators read: one complete TOML file per locale in `annotation/locales/`."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.schema import Verdict

LOCALES = Path(__file__).parent / "locales"


class WordingError(ValueError):
    """The texts of a locale are missing or incomplete."""


class Flag(StrEnum):
    """What may be wrong with the pictures of a sheet; the values that Label Studio exports."""

    BLURRY = "blurry"
    CROPPED = "cropped"
    UNREADABLE = "unreadable"
    DUPLICATES = "duplicates"
    WATERMARK = "watermark"


class Wording(BaseModel):
    """The texts of a contact sheet in one locale, and the direction in which they run."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)

    locale: str
    direction: Literal["ltr", "rtl"]
    question: str
    intruders: str
    name: str
    verdicts: dict[Verdict, str]
    flags: dict[Flag, str]
    guidelines: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _every_verdict_and_flag_has_a_text(cls, texts: dict[str, Any]) -> dict[str, Any]:
        missing = [
            f"{table}.{key}"
            for table, keys in (("verdicts", Verdict), ("flags", Flag))
            for key in keys
            if table in texts and key not in texts[table]
        ]
        if missing:
            raise ValueError(f"missing key {', '.join(missing)}")
        return texts

    @classmethod
    def load(cls, locale: str, folder: Path = LOCALES) -> Self:
        """Load the texts for a BCP 47 `locale`; ``de-AT`` is served by ``de-DE``.

        Another region's file serves when it is written in the same language and script. The
        wording keeps the locale that was asked for.

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
    for tag, file in files.items():
        if _language_and_script(tag) == wanted:
            return file
    raise WordingError(
        f"there is no wording for {locale!r}, only for {', '.join(files)}: "
        f"translate one of them to {folder / locale}.toml"
    )


def _language_and_script(tag: str) -> tuple[str, str | None]:
    locale = Locale.parse(tag, sep="-")
    return locale.language, locale.script


def _problem(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "missing":
            return f"missing key {key}"
        case "extra_forbidden":
            return f"unknown key {key}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"{key}: {detail['msg']}"
