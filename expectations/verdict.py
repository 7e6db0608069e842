"""What the gate says: which labels may join the training set, which may not and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a rule came out; `INCONCLUSIVE` when it broke, or had no data to judge."""

    OK = "ok"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class OnFail(StrEnum):
    """What follows from a failed rule."""

    QUARANTINE = "quarantine"
    HOLD = "hold"
    REPORT = "report"


@dataclass(frozen=True)
class RuleOutcome:
    """One rule, how it came out, and what it saw.

    Attributes
    ----------
    name : the rule's name in the policy.
    rule : what the rule asks for, in plain language.
    state : how it came out.
    severity : "critical" or "warning"; a warning neither quarantines nor holds.
    on_fail : what follows from a failure; a rule that had no data to judge is only reported.
    observed : a number, a text or nothing; always JSON.
    rows : how many labels fail it.
    locale : the one that it is about, empty where it is about all.
    """

    name: str
    rule: str
    state: State
    severity: str
    on_fail: OnFail
    observed: float | str | None
    rows: int
    locale: str = ""

    @property
    def holds(self) -> bool:
        """True when this outcome alone holds the batch: a broken rule leaves nothing judged."""
        broken = self.state is State.INCONCLUSIVE and self.on_fail is not OnFail.REPORT
        return broken or (self.state is State.FAILED and self.on_fail is OnFail.HOLD)


@dataclass(frozen=True)
class Observed:
    """What one rule measured in a locale, or (an empty one) in all.

    `value` is the share of n labels that break a rule about labels, or the figure that another rule
    is about; None where there was nothing to measure.
    """

    rule: str
    locale: str
    state: State
    value: float | None
    n: int


@dataclass(frozen=True)
class Verdict:
    """The gate's word on a batch of labels.

    Attributes
    ----------
    accepted : label ids that break no row rule, in the order of the batch.
    quarantined : every reason against each other label, in the order of the batch.
    rules : the row rules' outcomes, then the set rules', in the order of their suites.
    held : True when nothing of the batch may join the training set yet.
    observations : what each rule measured, for the history.
    """

    accepted: tuple[str, ...]
    quarantined: Mapping[str, tuple[str, ...]]
    rules: tuple[RuleOutcome, ...]
    held: bool
    observations: tuple[Observed, ...] = ()
