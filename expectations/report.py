"""The gate's page for people: which rules failed, and why labels are quarantined."""

import html
import re
from collections import Counter

from expectations.policy import LabelPolicy
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
            f"# Gate: {_headline(verdict)}",
            f"{len(verdict.accepted)} labels accepted, {len(verdict.quarantined)} quarantined.",
            *_why_held(verdict),
            "## Rules",
            _table(
                ("rule", "outcome", "a failure", "observed", "labels that fail"),
                [_row(outcome) for outcome in verdict.rules],
            ),
            *_why_quarantined(verdict),
            "## Policy",
            _table(
                ("threshold", "value", "meaning"),
                [
                    (name, _threshold(getattr(policy, name)), field.description or "")
                    for name, field in LabelPolicy.model_fields.items()
                ],
            ),
        ]
    )


def _headline(verdict: Verdict) -> str:
    if verdict.held:
        return "the batch is held"
    if not verdict.accepted and not verdict.quarantined:
        return "nothing to judge"
    return "the accepted labels may join the training set"


def _why_held(verdict: Verdict) -> list[str]:
    if not verdict.held:
        return []
    causes = [
        _escape(f"{outcome.rule}: {outcome.state.value}, observed {_observed(outcome)}")
        for outcome in verdict.rules
        if outcome.holds
    ]
    return [
        "Nothing joins the training set until this is mended:",
        "\n".join(f"- {cause}" for cause in causes),
    ]


def _why_quarantined(verdict: Verdict) -> list[str]:
    counts = Counter(reason for reasons in verdict.quarantined.values() for reason in reasons)
    if not counts:
        return []
    return [
        "## Why labels are quarantined",
        _table(
            ("reason", "labels"),
            [(reason, str(count)) for reason, count in counts.most_common()],
        ),
    ]


def _row(outcome: RuleOutcome) -> tuple[str, ...]:
    return (
        outcome.rule,
        MARKS[outcome.state],
        CONSEQUENCES[outcome.on_fail],
        _observed(outcome),
        str(outcome.rows or ""),
    )


def _observed(outcome: RuleOutcome) -> str:
    value = outcome.observed
    return f"{value:.4g}" if isinstance(value, float) else value or ""


def _threshold(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(map(_escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text: str) -> str:
    """`text` on one line, with neither HTML nor Markdown in it."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", plain)
