"""What every record is made of: a key among its kind, days in force, a scope, checked values."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, ClassVar, Self

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, Field, model_validator

from catalog.schema import QuestionKind
from workforce.money import names_a_currency


def _names_a_locale(tag: str) -> str:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{tag!r} is no locale: write a BCP 47 tag, for example de-DE") from error
    return tag


Currency = Annotated[str, AfterValidator(names_a_currency)]
LocaleTag = Annotated[str, AfterValidator(_names_a_locale)]
Key = Annotated[str, Field(pattern=r"^[^\s/](.{0,38}\S)?$", max_length=40)]
Hours = Annotated[Decimal, Field(gt=0, le=100_000)]
Price = Annotated[Decimal, Field(ge=0, max_digits=18)]
Share = Annotated[Decimal, Field(gt=0, le=1)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Record(BaseModel, frozen=True, extra="forbid"):
    """One thing that is recorded; `key` names it among its kind."""

    kind: ClassVar[str]

    @property
    def key(self) -> str:
        raise NotImplementedError

    @property
    def summary(self) -> str:
        """What a person wants to know of it, in a line."""
        raise NotImplementedError

    def check_follows(self, before: Self) -> None:
        """Raise `WorkforceError` where the record may not take the place of `before`."""


class Dated(Record, frozen=True, extra="forbid"):
    """A record that is in force from one day to another, both included."""

    starts: dt.date
    ends: dt.date

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends < self.starts:
            raise ValueError(f"it ends on {self.ends}, before it starts on {self.starts}")
        return self

    def in_force(self, on: dt.date) -> bool:
        return self.starts <= on <= self.ends


class Scope(BaseModel, frozen=True, extra="forbid"):
    """The kinds of question and the locales that something is about; empty: all."""

    kinds: tuple[QuestionKind, ...] = ()
    locales: tuple[LocaleTag, ...] = ()

    def holds(self, kind: str, locale: str) -> bool:
        return (not self.kinds or kind in self.kinds) and (
            not self.locales or locale in self.locales
        )

    def meets(self, other: "Scope") -> bool:
        """Whether there is a kind and a locale that both hold."""
        return all(
            not one or not two or set(one) & set(two)
            for one, two in ((self.kinds, other.kinds), (self.locales, other.locales))
        )
