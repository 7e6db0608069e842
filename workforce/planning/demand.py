"""What is planned to be asked: blocks of questions that are alike, the best ones first."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from statsmodels.stats.proportion import proportion_confint

from catalog.schema import QuestionKind


class Voters(StrEnum):
    """Who gives the answers to one question: people of one vendor, or a vendor each."""

    PEOPLE = "people"
    VENDORS = "vendors"


@dataclass(frozen=True)
class Block:
    """Questions of one kind in one locale that are about as large and worth about the same.

    `value`, `n_pictures` and `n_labels` (expected to be accepted) are those of one question. Each
    question takes `votes` answers from different people, or from different vendors. Without `due`
    it is as urgent as the whole plan. `refused` are the vendors who may not be sent its images,
    each with why.
    """

    name: str
    locale: str
    kind: QuestionKind
    n_questions: int
    value: float
    n_pictures: float = 0.0
    n_labels: float = 0.0
    votes: int = 1
    voters: Voters = Voters.PEOPLE
    due: dt.datetime | None = None
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def n_vendors(self) -> int:
        """How many vendors see each question."""
        return self.votes if self.voters == Voters.VENDORS else 1

    @property
    def votes_of_a_vendor(self) -> int:
        """How many people of a vendor see a question that the vendor sees."""
        return self.votes // self.n_vendors


@dataclass(frozen=True)
class Quality:
    """Of the gold questions that a vendor answered in a locale, those answered right."""

    n_right: int = 0
    n_answered: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the accuracy; from 0 to 1 where nothing was answered."""
        if not self.n_answered:
            return 0.0, 1.0
        low, high = proportion_confint(self.n_right, self.n_answered, method="wilson")
        return float(low), float(high)
