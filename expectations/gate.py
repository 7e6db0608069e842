"""The gate: judge a batch of verified labels before it joins the training set.

Row rules come first and quarantine the labels that break them; set rules then judge the accepted
labels together and hold the batch, and each locale stands beside its own history. This is the only
module that runs Great Expectations.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from expectations import facts, shares
from expectations.control import usual_share
from expectations.facts import Known
from expectations.policy import Band, LabelPolicy
from expectations.rules import USUAL_RULES
from expectations.verdict import Observed, OnFail, RuleOutcome, State, Verdict
from expectations.verified_labels import row_rules, set_rules, usual_rules

NO_DATA = "no data to judge"
NOTHING_CAME = RuleOutcome(
    name="something_came",
    rule="there are labels to judge",
    state=State.INCONCLUSIVE,
    severity="warning",
    on_fail=OnFail.REPORT,
    observed=NO_DATA,
    rows=0,
)


@dataclass(frozen=True)
class Finding:
    """A rule's outcome on a column, the labels that break it, and the reason against them."""

    outcome: RuleOutcome
    column: str | None
    reason: str
    labels: tuple[str, ...]


def judge(
    labels: pd.DataFrame,
    known: Known,
    policy: LabelPolicy,
    *,
    overruled: Mapping[str, Collection[str]] = MappingProxyType({}),
    docs: Path | None = None,
) -> Verdict:
    """Judge each of `labels` by itself, then the accepted ones together. No frame is altered.

    Parameters
    ----------
    labels : see `expectations.facts.with_facts`. The index holds the label ids; it is unique and
        has no name.
    known : what they are judged by.
    policy : the thresholds and severities.
    overruled : the reasons that do not count against a label, because somebody released it. Its
        agreement counts no more in the mean of its locale.
    docs : a directory for Great Expectations' own HTML pages, one per suite. They name labels and
        load files from the network; none are written by default.

    Raises
    ------
    ValueError
        When a frame lacks a column, ids repeat, or a known locale's script is unknown.
    """
    _check(labels, known)
    if labels.empty:
        return Verdict(accepted=(), quarantined={}, rules=(NOTHING_CAME,), held=False)

    rows = facts.with_facts(labels, known, policy)
    by_row = run_suite(rows, row_rules(policy), docs)
    reasons = _reasons(by_row, overruled)
    accepted = labels[~labels.index.isin(list(reasons))]
    # What somebody released does not tell how far annotators agree, nor does what nobody was asked.
    untold = accepted.index.isin(list(overruled)) | (accepted["origin"] == "accepted")
    accepted = accepted.assign(agreement=accepted["agreement"].astype(float).mask(untold))
    together = shares.with_shares(accepted, known.current, policy)
    by_set = run_suite(together, set_rules(policy, known.locales), docs)
    of_locale = shares.by_locale(labels, accepted, known.decided, known.locales)
    usual = usual_rules(policy, control_limits(known.history, of_locale, policy))
    beside_history = run_suite(of_locale, usual, docs)

    outcomes = tuple(finding.outcome for finding in (*by_row, *by_set, *beside_history))
    return Verdict(
        accepted=tuple(accepted.index.tolist()),
        quarantined={
            label: tuple(reasons[label])
            for label in labels.index[labels.index.isin(list(reasons))].tolist()
        },
        rules=outcomes,
        held=any(outcome.holds for outcome in outcomes),
        observations=(
            *_seen_by_row(rows, by_row),
            *_seen_together(by_set, len(accepted)),
            *_seen_of_locales(beside_history, of_locale),
        ),
    )


def control_limits(
    history: pd.DataFrame, of_locale: pd.DataFrame, policy: LabelPolicy
) -> dict[tuple[str, str], Band | None]:
    """The limits of each figure of a locale; None until enough passages have seen it."""
    limits: dict[tuple[str, str], Band | None] = {}
    seen = dict(list(history.dropna(subset="value").groupby(["rule", "locale"])))
    for rule in USUAL_RULES:
        for locale, n_now in of_locale["n_" + rule.measured].items():
            before = seen.get((rule.named(), locale))
            if before is None or len(before) < policy.history_from or n_now == 0:
                limits[rule.named(), str(locale)] = None
                continue
            newest = before.sort_values("passage").tail(policy.history_at_most)
            limits[rule.named(), str(locale)] = usual_share(newest["value"], newest["n"], n_now)
    return limits


def run_suite(
    frame: pd.DataFrame, suite: gx.ExpectationSuite, docs: Path | None = None
) -> list[Finding]:
    """Run `suite` over `frame`; one finding per rule, in the order of the suite.

    The suite is made of `expectations.rules`, each with a description of its own.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    batch = (
        context.data_sources.add_pandas("memory")
        .add_dataframe_asset(suite.name)
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": frame})
    )
    found = batch.validate(suite, result_format="COMPLETE")
    if docs:
        for result in found.results:
            if isinstance(result.result.get("observed_value"), float):
                # Its pages take no number of numpy's.
                result.result["observed_value"] = float(result.result["observed_value"])
        view: Any = DefaultJinjaPageView()
        page = view.render(ValidationResultsPageRenderer().render(found))
        docs.mkdir(parents=True, exist_ok=True)
        (docs / f"{suite.name}.html").write_text(page, encoding="utf-8")
    order = {rule.configuration.description: n for n, rule in enumerate(suite.expectations)}
    return sorted(map(_finding, found.results), key=lambda finding: order[finding.outcome.rule])


def _check(labels: pd.DataFrame, known: Known) -> None:
    for name, frame, columns in (
        ("labels", labels, facts.LABEL_COLUMNS),
        ("images", known.images, facts.IMAGE_COLUMNS),
        ("current", known.current, facts.CURRENT_COLUMNS),
        ("gold", known.gold, facts.GOLD_COLUMNS),
        ("decided", known.decided, facts.DECIDED_COLUMNS),
        ("history", known.history, facts.HISTORY_COLUMNS),
    ):
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise ValueError(
                f"the frame `{name}` lacks {', '.join(missing)}: it needs {', '.join(columns)}"
            )
    if not labels.index.is_unique:
        twice = labels.index[labels.index.duplicated()][0]
        raise ValueError(f"label {twice!r} is there twice: index `labels` by label id")
    if labels.index.name is not None:
        raise ValueError(
            f"the index of `labels` is named {labels.index.name!r}, which Great Expectations takes"
            " for a column: pass labels.rename_axis(None)"
        )
    if not known.images["image_id"].is_unique:
        twice = known.images["image_id"][known.images["image_id"].duplicated()].iloc[0]
        raise ValueError(f"image {twice!r} is there twice: pass one row of `images` per image")


def _reasons(
    findings: Iterable[Finding], overruled: Mapping[str, Collection[str]]
) -> dict[str, list[str]]:
    """Every reason against each label that some rule quarantines and nobody overruled."""
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.outcome.on_fail is OnFail.QUARANTINE:
            for label in finding.labels:
                if finding.reason not in overruled.get(label, ()):
                    reasons.setdefault(label, []).append(finding.reason)
    return reasons


def _seen_by_row(rows: pd.DataFrame, findings: Iterable[Finding]) -> Iterator[Observed]:
    """The share of the labels that break each row rule, in each locale and in all."""
    found = rows.drop(columns="locale").groupby(rows["locale"])
    kept, judged = found.sum(), found.count()
    for finding in findings:
        column = finding.column
        counted = [(str(tag), kept[column][tag], judged[column][tag]) for tag in kept.index]
        counted.append(("", kept[column].sum(), judged[column].sum()))
        for locale, n_kept, n in counted:
            if n:
                broken = 1 - float(n_kept) / int(n)
                state = State.FAILED if broken else State.OK
                yield Observed(finding.outcome.name, locale, state, broken, int(n))


def _seen_together(findings: Iterable[Finding], n: int) -> Iterator[Observed]:
    for finding in findings:
        outcome = finding.outcome
        value = outcome.observed if isinstance(outcome.observed, float) else None
        yield Observed(outcome.name, outcome.locale, outcome.state, value, n)


def _seen_of_locales(findings: Iterable[Finding], of_locale: pd.DataFrame) -> Iterator[Observed]:
    measured = {rule.named(): f"n_{rule.measured}" for rule in USUAL_RULES}
    for finding in findings:
        outcome = finding.outcome
        value = outcome.observed if isinstance(outcome.observed, float) else None
        n = int(of_locale[measured[outcome.name]][outcome.locale])
        yield Observed(outcome.name, outcome.locale, outcome.state, value, n)


def _finding(result: Any) -> Finding:
    config, found = result.expectation_config, result.result
    state, on_fail = State.OK if result.success else State.FAILED, OnFail(config.meta["on_fail"])
    observed: float | str | None
    if error := next(_errors(result.exception_info), None):
        state, observed = State.INCONCLUSIVE, error
    elif _has_no_data(found):
        state, on_fail, observed = State.INCONCLUSIVE, OnFail.REPORT, NO_DATA
    else:
        observed = _observed(found)
        if config.meta.get("too_little_history"):
            state, on_fail = State.INCONCLUSIVE, OnFail.REPORT
    labels = tuple(found.get("unexpected_index_list") or ())
    return Finding(
        outcome=RuleOutcome(
            name=config.meta["name"],
            rule=config.description,
            state=state,
            severity=config.severity.value,
            on_fail=on_fail,
            observed=observed,
            rows=len(labels),
            locale=config.meta.get("locale", ""),
        ),
        column=config.kwargs.get("column"),
        reason=config.meta["reason"],
        labels=labels,
    )


def _observed(found: dict[str, Any]) -> float:
    """What a set rule measured, or the share of the labels that break a row rule."""
    if "element_count" in found:
        return float(found["unexpected_count"] / found["element_count"])
    return float(found["observed_value"])


def _has_no_data(found: dict[str, Any]) -> bool:
    if "element_count" in found:
        return bool(found.get("missing_count") == found["element_count"])
    return found.get("observed_value") is None


def _errors(exception_info: dict[str, Any]) -> Iterator[str]:
    """The messages in Great Expectations' account of a rule: one record, or one per metric."""
    nested = "raised_exception" not in exception_info
    for record in exception_info.values() if nested else [exception_info]:
        if record["raised_exception"]:
            yield str(record["exception_message"])
