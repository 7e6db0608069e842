"""What if: the past as it would have been with other votes, gold, questions, or another vendor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from workforce.errors import WorkforceError
from workforce.foresight.throughput import ANSWERS, LABELS, SECONDS, Stream
from workforce.records import Workforce


@dataclass(frozen=True)
class Practice:
    """How labels are asked for: answers to each question (the overlap), the share of answers that
    are gold, and the questions that a label takes beside those of today."""

    votes: float = 1.0
    gold: float = 0.0
    questions: float = 1.0

    def __post_init__(self) -> None:
        if self.votes < 1 or not 0 <= self.gold < 1 or self.questions <= 0:
            raise WorkforceError(
                f"{self} cannot be: ask at least one vote, less than all of gold, and more than no"
                " questions a label"
            )

    @property
    def labels_per_answer(self) -> float:
        """Beside those of one vote, no gold, and the questions of today."""
        return (1 - self.gold) / (self.votes * self.questions)


@dataclass(frozen=True)
class Scenario:
    """The weeks to come as they were, but for what is named here.

    Labels come by `practice` instead of by that of `today`, and the answers stay as many: people
    work as long. `rework` is the share of answers that come back and are billed again, beyond what
    the history holds. `instead` names for a vendor the one that takes over its work.
    """

    name: str = "as now"
    today: Practice = Practice()
    practice: Practice = Practice()
    rework: float = 0.0
    instead: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parsed(cls, text: str, today: Practice) -> "Scenario":
        """The scenario that `text` says: `overlap=2,gold=0.1,questions=0.8,rework=0.05`, and a
        vendor with the one that takes over, `vendor-a=vendor-b`. What is not said is as today.

        Raises `WorkforceError` where it says something else.
        """
        practice, rework, instead = today, 0.0, {}
        for part in text.split(","):
            name, _, value = (each.strip() for each in part.partition("="))
            if not name or not value:
                raise WorkforceError(
                    f"{part!r} is no part of a scenario: write overlap=2, gold=0.1, questions=0.8,"
                    " rework=0.05 or vendor-a=vendor-b"
                )
            try:
                match name:
                    case "overlap":
                        practice = replace(practice, votes=float(value))
                    case "gold":
                        practice = replace(practice, gold=float(value))
                    case "questions":
                        practice = replace(practice, questions=float(value))
                    case "rework":
                        rework = float(value)
                    case _:
                        instead[name] = value
            except ValueError as error:
                if isinstance(error, WorkforceError):
                    raise
                raise WorkforceError(f"{name} of a scenario is a number, not {value!r}") from error
        return cls(text, today, practice, rework, instead)

    def applied(self, streams: Sequence[Stream], workforce: Workforce) -> tuple[Stream, ...]:
        """The streams as they would be.

        Raises `WorkforceError` where a vendor who takes over is not recorded, or does not serve the
        locale.
        """
        factors = np.ones(3)
        factors[LABELS] = self.practice.labels_per_answer / self.today.labels_per_answer
        # People work as long: where answers come back, fewer of them are new.
        factors[LABELS] /= 1 + self.rework
        return tuple(
            replace(each, per_day=each.per_day * factors)
            for each in (self._moved(each, streams, workforce) for each in streams)
        )

    def _moved(self, stream: Stream, streams: Sequence[Stream], workforce: Workforce) -> Stream:
        """The stream with the vendor who takes it over: as many hours of it a day as that vendor
        has for each one of the former, at its own pace where it is known."""
        to = self.instead.get(stream.vendor)
        if to is None:
            return stream
        vendors = {each.site: each for each in workforce.vendors}
        if to not in vendors or stream.locale not in vendors[to].locales:
            raise WorkforceError(
                f"{to!r} cannot take over {stream.locale} from {stream.vendor}: it is no vendor"
                " that is recorded and serves the locale: record it, or name another one"
            )
        hours = float(vendors[to].hours_per_day(stream.locale))
        if stream.vendor in vendors and stream.locale in vendors[stream.vendor].locales:
            hours /= float(vendors[stream.vendor].hours_per_day(stream.locale))
        else:
            hours = 1.0
        pace = _pace(stream.vendor, stream, streams) / _pace(to, stream, streams)
        factors = np.full(3, hours)
        factors[ANSWERS] *= pace
        factors[LABELS] *= pace
        return replace(stream, vendor=to, per_day=stream.per_day * factors)


AS_NOW = Scenario()


def _pace(vendor: str, stream: Stream, streams: Sequence[Stream]) -> float:
    """Seconds that an answer of this kind takes a vendor: in the locale, or else in all; where
    nothing is known, those of the stream's own vendor."""
    own = [each for each in streams if each.vendor == vendor and each.kind == stream.kind]
    near = [each for each in own if each.locale == stream.locale]
    for known in (near, own, [stream]):
        total = sum((each.per_day.sum(axis=0) for each in known), np.zeros(3))
        if total[ANSWERS] and total[SECONDS]:
            return float(total[SECONDS] / total[ANSWERS])
    return 1.0
