"""People settle what the gate stops, with a reason and a name on it, and nothing vanishes."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from catalog import decisions, gate_history, labels
from catalog.images import image_key
from catalog.labels import LabelRow
from catalog.schema import GateRun, VerifiedLabel
from deployments.orchestration import ROOT, prefect_client
from deployments.sample import Sample
from flows.annotate import annotate
from flows.collect import collect
from flows.ingest import ingest
from flows.settle import settle
from tasks.errors import NoSuchLabel
from tasks.events import Happened
from tasks.settings import load_settings
from tests.flows.conftest import Workspace

BY = {"by": "lead", "reason": "looked at it"}
PATIENCE_S = 60.0
KILLED_BEFORE_THE_ROW = """
import os, signal
import tasks.judge
tasks.judge.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from flows.collect import collect
collect()
"""


def stopped(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """The reasons against each quarantined label."""
    with workspace.settings.catalog.begin() as transaction:
        return {each.label_id: tuple(each.reasons) for each in labels.quarantined(transaction)}


def accepted(workspace: Workspace) -> dict[str, LabelRow]:
    """The accepted label of each image."""
    with workspace.settings.catalog.begin() as transaction:
        return {row.image_id: row for row in labels.accepted(transaction)}


def label(workspace: Workspace, identity: str) -> VerifiedLabel:
    with workspace.settings.catalog.begin() as transaction:
        found = transaction.get(VerifiedLabel, identity)
    assert found is not None
    return found


@pytest.fixture
def quarantine(
    workspace: Workspace, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, tuple[str, ...]]:
    """The labels of one product, whose name the policy takes for a placeholder."""
    ingest(str(sample.labelled))
    with workspace.settings.catalog.begin() as transaction:
        name = min(each.name or "" for each in labels.manifest_labels(transaction))
    monkeypatch.setenv("GROUNDTRUTH_GATE__PLACEHOLDERS", f'["{name.casefold()}"]')
    load_settings.cache_clear()
    collect()
    found = stopped(workspace)
    assert len(found) > 3
    assert {*found.values()} == {("the name is a placeholder",)}
    return found


def test_quarantined_labels_are_released_corrected_and_taken_back(
    workspace: Workspace, quarantine: Mapping[str, tuple[str, ...]]
) -> None:
    before = accepted(workspace)
    freed, renamed, wrong, *rest = quarantine
    status, printed = workspace.groundtruth("quarantine", "list")
    assert status == 0
    assert all(identity[:12] in printed for identity in quarantine)

    released = settle("release", labels=[freed], **BY)
    assert accepted(workspace).keys() - before.keys() == {label(workspace, freed).image_id}

    corrected = settle("correct", labels=[renamed], name="Fine Cocoa", **BY)
    shown = accepted(workspace)[label(workspace, renamed).image_id]
    assert (shown.name, shown.annotators) == ("Fine Cocoa", ("lead",))

    settle("correct", labels=[wrong], **BY)
    assert label(workspace, wrong).image_id not in accepted(workspace)
    assert {*stopped(workspace)} == {*rest}

    settle("retract", settlement=corrected.number, **BY)
    settle("retract", settlement=released.number, **BY)
    assert accepted(workspace) == before
    again = {label(workspace, each).image_id for each in stopped(workspace)}
    assert again == {label(workspace, each).image_id for each in (freed, renamed, *rest)}

    collect()
    assert accepted(workspace) == before


def test_quarantined_labels_are_sent_back_as_one_question(
    workspace: Workspace, quarantine: Mapping[str, tuple[str, ...]]
) -> None:
    settlement = settle("ask", labels=list(quarantine)[:2], **BY)

    assert len(stopped(workspace)) == len(quarantine) - 2
    with workspace.settings.catalog.begin() as transaction:
        [question] = decisions.undecided_questions(transaction)
    assert question.id == settlement.question_id
    assert len(question.image_ids) == 2
    assert sum(annotate().pushed.values()) == 1


def test_a_label_that_is_not_in_quarantine_cannot_be_settled(workspace: Workspace) -> None:
    with pytest.raises(NoSuchLabel, match="0 quarantined labels begin with 'abc'"):
        settle("release", labels=["abc"], **BY)


def test_an_image_whose_file_changed_is_stopped_with_a_page_about_it(
    workspace: Workspace, sample: Sample
) -> None:
    ingest(str(sample.labelled))
    with workspace.settings.catalog.begin() as transaction:
        changed, *others = sorted(row.image_id for row in labels.unjudged(transaction))
    root = workspace.settings.blob_store.local_root
    assert root is not None
    original = Path(root, image_key(changed)).read_bytes()
    Path(root, image_key(changed)).write_bytes(original + b"0")
    try:
        collected = collect()
    finally:
        Path(root, image_key(changed)).write_bytes(original)
    assert hashlib.sha256(original).hexdigest() == changed
    assert [*stopped(workspace).values()] == [
        ("the image's bytes are gone, or not those that were ingested",)
    ]
    assert {*accepted(workspace)} == {*others}

    assert collected.judged is not None
    page = collected.judged.page.read_text(encoding="utf-8")
    assert "bytes are gone" in page
    assert "data:image/jpeg;base64," in page
    with workspace.settings.catalog.begin() as transaction:
        seen = gate_history.observations(transaction, gate_history.passages(transaction, 1))
    [(_, unchanged)] = [
        each for each in seen if (each[1].rule, each[1].locale) == ("image_is_unchanged", "")
    ]
    assert unchanged.value == pytest.approx(1 / unchanged.n)


def hold_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDTRUTH_GATE__SHARES_JUDGED_FROM", "1")
    monkeypatch.setenv("GROUNDTRUTH_GATE__LARGEST_PRODUCT_SHARE", "0.01")
    load_settings.cache_clear()


def held_runs(workspace: Workspace) -> list[str]:
    with workspace.settings.catalog.read() as transaction:
        return [each.id for each in transaction.scalars(select(GateRun).where(GateRun.held))]


def events_of(workspace: Workspace, since: datetime) -> list[str]:
    """Which held batches were told since then, once one is."""
    query = {
        "filter": {
            "event": {"name": [str(Happened.HELD)]},
            "occurred": {"since": since.isoformat()},
        }
    }
    deadline = time.monotonic() + PATIENCE_S
    with prefect_client(workspace.settings) as api:
        while not (found := api.post("/events/filter", json=query).json()["events"]):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    return [UUID(each["id"]).hex for each in found]


def test_that_a_batch_is_held_is_told_once_also_where_a_settlement_brought_it_there(
    workspace: Workspace,
    quarantine: Mapping[str, tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold_every_batch(monkeypatch)
    began = datetime.now(UTC)

    settle("release", labels=[*quarantine], **BY)
    collect()

    [run] = held_runs(workspace)
    assert events_of(workspace, began) == [run]


def test_a_batch_whose_run_was_killed_before_it_was_on_record_is_told_once(
    workspace: Workspace, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(str(sample.labelled))
    hold_every_batch(monkeypatch)
    began = datetime.now(UTC)

    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_ROW],
        cwd=ROOT,
        env=os.environ | workspace.environment,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    told = events_of(workspace, began)
    assert held_runs(workspace) == []

    collect()
    assert held_runs(workspace) == told == events_of(workspace, began)
