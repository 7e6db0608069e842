"""One ingest, and the loop goes on by itself: each step starts the next, and none runs twice."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from prefect.client.base import PrefectHttpxSyncClient

from deployments.orchestration import declared_deployments, prefect_client
from deployments.sample import Sample
from tasks.events import Happened
from tests.conftest import RunningStack
from tests.deployments.test_stack import (
    deployments_by_flow,
    eventually,
    prefect,
)
from tests.flows.conftest import Workspace

LOOP = ("ingest", "collect", "retrain_when_due", "retrain", "cluster", "annotate")


@contextmanager
def worked_on_at_once(stack: RunningStack, workspace: Workspace, pictures: Path) -> Iterator[None]:
    """Have the deployments work in `workspace`, and each start without its minute of waiting.

    Manifests may name what lies below `pictures`.
    """
    variables = workspace.variables
    variables["GROUNDTRUTH_INGEST__SOURCES"] = json.dumps([str(pictures)])
    ids = [deployments_by_flow(stack)[flow]["id"] for flow in LOOP]
    with prefect_client(stack.settings) as server:
        try:
            for each in ids:
                change = {"job_variables": {"env": variables}}
                server.patch(f"/deployments/{each}", json=change)
            set_waits(server, 0)
            yield
        finally:
            for each in ids:
                server.patch(f"/deployments/{each}", json={"job_variables": {}})
            set_waits(server, 60)


def set_waits(server: PrefectHttpxSyncClient, seconds: float) -> None:
    for automation in server.post("/automations/filter", json={}).json():
        if automation["name"] in declared_triggers():
            made = ("id", "created", "updated")
            changed = {key: value for key, value in automation.items() if key not in made}
            changed["trigger"]["within"] = seconds
            changed["actions"][0]["schedule_after"] = seconds
            server.put(f"/automations/{automation['id']}", json=changed)


def declared_triggers() -> dict[str, dict[str, Any]]:
    return {
        trigger["name"]: trigger
        for deployment in declared_deployments()
        for trigger in deployment.get("triggers", [])
    }


def manifest_of(sample: Sample, folder: Path) -> Path:
    """What is labelled already, and new pictures, in one manifest."""
    manifest = folder / "manifest.csv"
    with manifest.open("w") as file:
        writer = csv.DictWriter(file, ("uri", "locale", "product"))
        writer.writeheader()
        for listed in (sample.labelled, sample.rounds[0]):
            for row in csv.DictReader(listed.open()):
                writer.writerow({**row, "uri": str(listed.parent / row["uri"])})
    return manifest


def test_after_one_ingest_the_first_model_is_trained_and_asked_about(
    stack: RunningStack, workspace: Workspace, sample: Sample, tmp_path: Path
) -> None:
    source = json.dumps(str(manifest_of(sample, tmp_path)))
    with worked_on_at_once(stack, workspace, sample.directory):
        workspace.prefect("deployment", "run", "ingest/local", "--param", f"source={source}")
        eventually(lambda: workspace.summary().questions_on_site > 0, seconds=900)
        eventually(lambda: not active_runs(stack), seconds=300)

    found = workspace.summary()
    assert found.questions == found.questions_on_site
    assert [model.promoted for model in found.models] == [True]


def active_runs(stack: RunningStack) -> list[str]:
    return [
        run["id"]
        for state in ("PENDING", "RUNNING")
        for run in prefect(
            stack, "/flow_runs/filter", flow_runs={"state": {"type": {"any_": [state]}}}
        )
    ]


def test_every_event_of_the_loop_is_one_that_a_trigger_or_a_person_waits_for() -> None:
    awaited = {event for each in declared_triggers().values() for event in each["expect"]}

    assert awaited == set(Happened) - {Happened.HELD}


def test_a_storm_of_events_starts_the_next_step_once(stack: RunningStack) -> None:
    before = runs_of(stack, "annotate"), runs_of(stack, "retrain")

    def started() -> tuple[set[str], set[str]]:
        return runs_of(stack, "annotate") - before[0], runs_of(stack, "retrain") - before[1]

    with prefect_client(stack.settings) as server:
        for event in [Happened.CLUSTERED] * 5 + [Happened.DUE]:
            happened = {
                "id": str(uuid4()),
                "occurred": datetime.now(UTC).isoformat(),
                "event": event,
                "resource": {"prefect.resource.id": "groundtruth.loop"},
            }
            server.post("/events", json=[happened])
    # The last event's run comes last, unless an earlier one had to be tried again: await both.
    eventually(lambda: all(started()), seconds=300)

    assert [len(runs) for runs in started()] == [1, 1]
    with prefect_client(stack.settings) as server:
        for run in set.union(*started()):
            server.delete(f"/flow_runs/{run}")


def runs_of(stack: RunningStack, flow: str) -> set[str]:
    deployment = deployments_by_flow(stack)[flow]["id"]
    found = prefect(
        stack,
        "/flow_runs/filter",
        deployments={"id": {"any_": [deployment]}},
        sort="EXPECTED_START_TIME_DESC",
    )
    return {run["id"] for run in found if not run["auto_scheduled"]}
