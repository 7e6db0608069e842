"""What the gate asks of the labels of a locale, in plain language, as the policy has it today."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from expectations import page
from expectations.policy import LabelPolicy
from expectations.report import CONSEQUENCES, table
from expectations.rules import USUAL_RULES
from expectations.verdict import OnFail
from expectations.verified_labels import row_rules, set_rules, usual_rules


@dataclass(frozen=True)
class Part:
    """Some of the clauses: (what must hold, what follows from a failure)."""

    title: str
    clauses: tuple[tuple[str, str], ...]


def contract(policy: LabelPolicy, locale: str) -> tuple[Part, ...]:
    """What each label of `locale` must be, a batch of them together, and the locale over time."""
    own = policy.of_locale(locale)
    unknown_yet = {(rule.named(), locale): None for rule in USUAL_RULES}
    return (
        Part("Each label", _clauses(row_rules(own).expectations)),
        Part("A batch of labels", _clauses(set_rules(own, [locale]).expectations)),
        Part(
            f"The locale, after {policy.history_from} passages",
            _clauses(usual_rules(own, unknown_yet).expectations),
        ),
    )


def markdown(parts: Iterable[Part], locale: str) -> str:
    """The contract as a Markdown page."""
    sections = (
        f"## {part.title}\n\n{table(('what must hold', 'a failure'), list(part.clauses))}"
        for part in parts
    )
    return "\n\n".join([f"# {_title(locale)}", *sections]) + "\n"


def html(parts: Iterable[Part], locale: str) -> str:
    """The contract as an HTML page."""
    return page.render("contract.html", {}, title=_title(locale), parts=list(parts))


def _title(locale: str) -> str:
    return f"What the gate asks of labels in {locale}"


def _clauses(stated: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    configurations = (rule.configuration for rule in stated)
    return tuple(
        (config.description, CONSEQUENCES[OnFail(config.meta["on_fail"])])
        for config in configurations
    )
