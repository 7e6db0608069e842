"""Who is asked what: the outcome of an allocation, and how its questions are dealt out."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from workforce.money import Money
from workforce.planning.demand import Block


@dataclass(frozen=True)
class Assignment:
    """So many questions of a block go to a vendor; without a contract, nothing says when."""

    block: str
    vendor: str
    n_questions: int
    done_at: dt.datetime | None


@dataclass(frozen=True)
class Choice:
    """What a vendor gets of a kind of question in a locale, and why, in one sentence."""

    locale: str
    kind: str
    vendor: str
    n_questions: int
    cost: Money | None
    done_at: dt.datetime | None
    sentence: str


@dataclass(frozen=True)
class Undone:
    """Questions of a locale and kind that nobody can answer within the limits, and why."""

    locale: str
    kind: str
    n_questions: int
    sentence: str


@dataclass(frozen=True)
class Allocation:
    """Who is asked what, by when that is done, and what it costs (None: no contract says it).

    `value` is that of the questions which can be done. `committed` is what vendors are owed by
    their monthly minimums whatever is asked: `cost` pays it off as far as it goes.
    """

    assignments: tuple[Assignment, ...]
    choices: tuple[Choice, ...]
    undone: tuple[Undone, ...]
    value: float
    cost: Money | None = None
    committed: Money | None = None
    finished_at: dt.datetime | None = None

    @property
    def sentences(self) -> list[str]:
        """Each choice, and what cannot be done, in words."""
        said: tuple[Choice | Undone, ...] = (*self.choices, *self.undone)
        return [each.sentence for each in said]


def dealt(
    allocation: Allocation, block: Block, question_ids: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The vendors who see each question of a block that can be asked, the first questions first.

    The places are dealt out in turn, so that no vendor sees a question twice.
    """
    places = [
        each.vendor
        for each in allocation.assignments
        if each.block == block.name
        for _ in range(each.n_questions)
    ]
    n = len(places) // block.n_vendors
    return {key: tuple(places[index::n]) for index, key in enumerate(question_ids[:n])}
