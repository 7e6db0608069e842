"""The gate's page for people: which rules failed, and why labels are quarantined."""

import html
import re
from collections import Counter
from collections.abc import Mapping

from pydantic import BaseModel

from expectations.policy import Band, LabelPolicy
from expectations.verdict import OnFail, RuleOutcome, State, Verdict

MARKS = {State.OK: "✅ ok", State.FAILED: "❌ failed", State.INCONCLUSIVE: "❔ inconclusive"}
CONSEQUENCES = {
    OnFail.QUARANTINE: "quarantines the label",
    OnFail.HOLD: "holds the batch",
    OnFail.REPORT: "is reported only",
}


def render(verdict: Verdict, policy: LabelPolicy) -> str:
    """A Markdown page about `verdict`; every text from outside is escaped."""
    return "\n\n".join(
        [
            f"# Gate: {headline(verdict)}",
            f"{len(verdict.accepted)} labels accepted, {len(verdict.quarantined)} quarantined.",
            *_why_held(verdict),
            "## Rules",
            table(
                ("rule", "outcome", "a failure", "observed", "labels that fail"),
                [_row(outcome) for outcome in verdict.rules],
            ),
            *_why_quarantined(verdict),
            "## Policy",
            table(
                ("threshold", "value", "meaning"),
                thresholds(policy),
            ),
        ]
    )


def headline(verdict: Verdict) -> str:
    """What became of the batch."""
    if verdict.held:
        return "the batch is held"
    if not verdict.accepted and not verdict.quarantined:
        return "nothing to judge"
    return "the accepted labels may join the training set"


def reasons(verdict: Verdict) -> list[tuple[str, int]]:
    """Each reason with the number of labels against which it speaks, the most first."""
    counts = Counter(reason for against in verdict.quarantined.values() for reason in against)
    return counts.most_common()


def thresholds(policy: LabelPolicy) -> list[tuple[str, ...]]:
    """Each threshold of the policy: its name, its value and what it means."""
    return [
        (name, _in_words(getattr(policy, name)), field.description or "")
        for name, field in LabelPolicy.model_fields.items()
    ]


def _why_held(verdict: Verdict) -> list[str]:
    if not verdict.held:
        return []
    causes = [
        _escape(f"{outcome.rule}: {outcome.state.value}, observed {observed(outcome)}")
        for outcome in verdict.rules
        if outcome.holds
    ]
    return [
        "Nothing joins the training set until this is mended:",
        "\n".join(f"- {cause}" for cause in causes),
    ]


def _why_quarantined(verdict: Verdict) -> list[str]:
    counts = reasons(verdict)
    if not counts:
        return []
    return [
        "## Why labels are quarantined",
        table(("reason", "labels"), [(reason, str(count)) for reason, count in counts]),
    ]


def _row(outcome: RuleOutcome) -> tuple[str, ...]:
    return (
        outcome.rule,
        MARKS[outcome.state],
        CONSEQUENCES[outcome.on_fail],
        observed(outcome),
        str(outcome.rows or ""),
    )


def observed(outcome: RuleOutcome) -> str:
    """What a rule saw, in words."""
    value = outcome.observed
    return f"{value:.4g}" if isinstance(value, float) else value or ""


def _in_words(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_in_words(each)}" for name, each in value.items()) or "none"
    if isinstance(value, BaseModel) and not isinstance(value, Band):
        return _in_words(value.model_dump(exclude_none=True))
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; every cell of `rows` is escaped."""
    lines = [head, tuple("---" for _ in head), *(tuple(map(_escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text: str) -> str:
    """`text` on one line, with neither HTML nor Markdown in it."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", plain)
