"""The gate: judge a batch of verified labels before it joins the training set.

Row rules come first and quarantine the labels that break them; set rules then judge the accepted
labels together and hold the batch. This is the only module that runs Great Expectations.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from expectations import facts
from expectations.policy import LabelPolicy
from expectations.verdict import OnFail, RuleOutcome, State, Verdict
from expectations.verified_labels import row_rules, set_rules

NO_DATA = "no data to judge"
NOTHING_CAME = RuleOutcome(
    rule="there are labels to judge",
    state=State.INCONCLUSIVE,
    severity="warning",
    on_fail=OnFail.REPORT,
    observed=NO_DATA,
    rows=0,
)


@dataclass(frozen=True)
class Finding:
    """A rule's outcome, the labels that break it, and what this gives as a reason against them."""

    outcome: RuleOutcome
    reason: str
    labels: tuple[str, ...]


def judge(
    labels: pd.DataFrame,
    images: pd.DataFrame,
    current: pd.DataFrame,
    policy: LabelPolicy,
    known_locales: Collection[str],
    docs: Path | None = None,
) -> Verdict:
    """Judge each of `labels` by itself, then the accepted ones together. No frame is altered.

    Parameters
    ----------
    labels, images, current : see `expectations.facts.with_facts`. The index of `labels` holds the
        label ids; it is unique and has no name.
    policy : the thresholds.
    known_locales : the locales that have annotators, as BCP 47 tags.
    docs : a directory for Great Expectations' own HTML pages, one per suite. They name labels and
        load files from the network; none are written by default.

    Raises
    ------
    ValueError
        When a frame lacks a column, ids repeat, or a known locale's script is unknown.
    """
    _check(labels, images, current)
    if labels.empty:
        return Verdict(accepted=(), quarantined={}, rules=(NOTHING_CAME,), held=False)

    rows = facts.with_facts(labels, images, current, policy, known_locales)
    by_row = run_suite(rows, row_rules(policy), docs)
    reasons = _reasons(by_row)
    ids = labels.index.tolist()
    accepted = labels[[label not in reasons for label in ids]]
    together = facts.with_shares(accepted, current, policy)
    by_set = run_suite(together, set_rules(policy, known_locales), docs)

    outcomes = tuple(finding.outcome for finding in (*by_row, *by_set))
    return Verdict(
        accepted=tuple(accepted.index.tolist()),
        quarantined={label: tuple(reasons[label]) for label in ids if label in reasons},
        rules=outcomes,
        held=any(outcome.holds for outcome in outcomes),
    )


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
        view: Any = DefaultJinjaPageView()
        page = view.render(ValidationResultsPageRenderer().render(found))
        docs.mkdir(parents=True, exist_ok=True)
        (docs / f"{suite.name}.html").write_text(page, encoding="utf-8")
    order = {rule.configuration.description: n for n, rule in enumerate(suite.expectations)}
    return sorted(map(_finding, found.results), key=lambda finding: order[finding.outcome.rule])


def _check(labels: pd.DataFrame, images: pd.DataFrame, current: pd.DataFrame) -> None:
    for name, frame, columns in (
        ("labels", labels, facts.LABEL_COLUMNS),
        ("images", images, facts.IMAGE_COLUMNS),
        ("current", current, facts.CURRENT_COLUMNS),
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
    if not images["image_id"].is_unique:
        twice = images["image_id"][images["image_id"].duplicated()].iloc[0]
        raise ValueError(f"image {twice!r} is there twice: pass one row of `images` per image")


def _reasons(findings: list[Finding]) -> dict[str, list[str]]:
    """Every reason against each label that some rule quarantines."""
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.outcome.on_fail is OnFail.QUARANTINE:
            for label in finding.labels:
                reasons.setdefault(label, []).append(finding.reason)
    return reasons


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
    labels = tuple(found.get("unexpected_index_list") or ())
    return Finding(
        outcome=RuleOutcome(
            rule=config.description,
            state=state,
            severity=config.severity.value,
            on_fail=on_fail,
            observed=observed,
            rows=len(labels),
        ),
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
