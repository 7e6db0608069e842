"""The result of an annotation as Label Studio exports it: how it is written, and how it is read.

What is exported are the values of `Verdict`, `Flag` and `Bucket` and the ids of images, never a
text, so that answers from every locale read alike.
"""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from annotation.names import name_key, tidy_name
from annotation.wording import Bucket, Flag
from catalog.schema import VERDICTS, Question, QuestionKind, Verdict

SHEET = "sheet"
VERDICT = "verdict"
INTRUDERS = "intruders"
NAME = "name"
FLAGS = "flags"
GROUPS = "groups"

PRODUCTS = tuple(bucket for bucket in Bucket if bucket is not Bucket.NONE)
TICKED = (QuestionKind.VERIFY, QuestionKind.ATTACH)

LONGEST_NAME = 1000
"""Letters."""


class InvalidResult(ValueError):
    """A result does not answer its question; the message completes the sentence "it ..."."""


class _Value(BaseModel):
    choices: list[str] = []
    text: str | list[str] = []
    ranker: dict[str, list[str]] = {}


class _Region(BaseModel):
    from_name: str
    value: _Value


_REGIONS = TypeAdapter(list[_Region])
_NOTHING = _Value()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a result says of its question, in the order of the question's images."""

    verdict: Verdict
    intruder_ids: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    name: str | None = None
    flags: tuple[Flag, ...] = ()


def result(
    kind: QuestionKind,
    verdict: Verdict,
    *,
    intruder_ids: Sequence[str] = (),
    groups: Sequence[Sequence[str]] = (),
    name: str | None = None,
    flags: Sequence[Flag] = (),
) -> list[dict[str, Any]]:
    """An annotation's regions as Label Studio exports them; what was not touched is absent.

    Raises `ValueError` when there are more `groups` than a split has columns.
    """
    regions = [_choices(VERDICT, [verdict])]
    if intruder_ids:
        regions.append(_choices(INTRUDERS, intruder_ids))
    if kind is QuestionKind.SPLIT:
        if len(groups) > len(PRODUCTS):
            raise ValueError(f"a split has {len(PRODUCTS)} columns, not {len(groups)}")
        columns = {bucket: list(group) for bucket, group in zip(PRODUCTS, groups, strict=False)}
        regions.append(_region(GROUPS, "ranker", columns))
    if name:
        regions.append(_region(NAME, "text", [name], kind="textarea"))
    if flags:
        regions.append(_choices(FLAGS, flags))
    return regions


def read(regions: object, question: Question) -> Reading:
    """What `regions` say of `question`; whoever signs in at a site can have written them by hand.

    Raises
    ------
    InvalidResult
        When they are no regions, lack one verdict of the question's kind, or hold what its desk
        does not offer or no product is called.
    """
    try:
        values = {region.from_name: region.value for region in _REGIONS.validate_python(regions)}
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the result"
        raise InvalidResult(f"holds no regions of a desk ({place}: {first['msg']})") from error
    kind = QuestionKind(question.kind)

    def chosen(control: str, offered: Collection[str]) -> list[str]:
        choices = values.get(control, _NOTHING).choices
        _refuse_strange(control, choices, offered)
        return [choice for choice in offered if choice in choices]

    verdicts = chosen(VERDICT, VERDICTS[kind])
    if len(verdicts) != 1:
        raise InvalidResult(f"has {len(verdicts)} verdicts instead of one")
    verdict = Verdict(verdicts[0])
    text = values.get(NAME, _NOTHING).text
    name = _name(text if isinstance(text, str) else " ".join(text))
    return Reading(
        verdict=verdict,
        intruder_ids=tuple(chosen(INTRUDERS, question.image_ids if kind in TICKED else ())),
        groups=_groups(values.get(GROUPS, _NOTHING).ranker, question, verdict),
        name=name if name_key(name) else None,
        flags=tuple(Flag(flag) for flag in chosen(FLAGS, tuple(Flag))),
    )


def _name(text: str) -> str:
    """`text` tidied; raises `InvalidResult` for one that no database or page can hold."""
    name = tidy_name(text)
    if len(name) > LONGEST_NAME:
        raise InvalidResult(f"holds a name of {len(name):,} letters, of {LONGEST_NAME:,} at most")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise InvalidResult("holds a name with letters that cannot be shown")
    return name


def _groups(
    columns: dict[str, list[str]], question: Question, verdict: Verdict
) -> tuple[tuple[str, ...], ...]:
    if question.kind != QuestionKind.SPLIT or verdict is not Verdict.CONFIRM:
        return ()
    _refuse_strange(GROUPS, columns, tuple(Bucket))
    sorted_ids = [image_id for column in PRODUCTS for image_id in columns.get(column, [])]
    _refuse_strange(GROUPS, sorted_ids, question.image_ids)
    if twice := sorted({each for each in sorted_ids if sorted_ids.count(each) > 1}):
        raise InvalidResult(f"holds {', '.join(map(repr, twice))} in two columns")
    if not sorted_ids:
        raise InvalidResult("says that it is sorted, and no picture is in a column")
    place = {image_id: number for number, image_id in enumerate(question.image_ids)}
    groups = (tuple(sorted(columns.get(column, []), key=place.__getitem__)) for column in PRODUCTS)
    return tuple(sorted(filter(None, groups), key=lambda group: place[group[0]]))


def _refuse_strange(control: str, found: Iterable[str], offered: Collection[str]) -> None:
    if strange := sorted(set(found).difference(offered)):
        raise InvalidResult(
            f"holds {', '.join(map(repr, strange))} under {control!r}, which its desk does not "
            "offer"
        )


def _choices(control: str, values: Sequence[str]) -> dict[str, Any]:
    return _region(control, "choices", [str(value) for value in values])


def _region(control: str, key: str, value: Any, kind: str | None = None) -> dict[str, Any]:
    return {"from_name": control, "to_name": SHEET, "type": kind or key, "value": {key: value}}
