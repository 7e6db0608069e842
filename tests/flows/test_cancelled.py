"""A run that is cancelled leaves no half of anything, no process, and no slot taken."""

import csv
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil
import pytest

from deployments.orchestration import prefect_client
from deployments.stack import status
from tests.conftest import RunningStack
from tests.deployments.test_stack import (
    deployments_by_flow,
    eventually,
    pids,
    prefect,
    slots_taken,
    state_type,
)
from tests.flows.conftest import Workspace


@pytest.fixture
def slow_store() -> Iterator[socket.socket]:
    """A server that takes calls."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(300)
        yield listening


def drip(caller: socket.socket) -> None:
    """Send a picture that never ends, a byte a second, as long as somebody listens."""
    with suppress(OSError):
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            caller.sendall(b"x")
            time.sleep(1)


def test_a_cancelled_ingest_leaves_nothing_behind(
    stack: RunningStack, workspace: Workspace, slow_store: socket.socket, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    store = f"http://127.0.0.1:{slow_store.getsockname()[1]}/"
    with manifest.open("w") as file:
        csv.writer(file).writerows([("uri", "locale"), (f"{store}photo.jpg", "de-DE")])
    before = workspace.fingerprint()
    deployment = deployments_by_flow(stack)["ingest"]
    variables = workspace.variables
    variables["GROUNDTRUTH_INGEST__SOURCES"] = json.dumps([store])
    asked = {"parameters": {"source": str(manifest)}, "job_variables": {"env": variables}}
    run = prefect(stack, f"/deployments/{deployment['id']}/create_flow_run", **asked)
    caller, _ = slow_store.accept()
    Thread(target=drip, args=(caller,), daemon=True).start()
    working = processes_of(stack, run["id"])
    assert working
    assert slots_taken(stack, deployment) == 1

    with prefect_client(stack.settings) as server:
        change = {"state": {"type": "CANCELLING"}}
        server.post(f"/flow_runs/{run['id']}/set_state", json=change)

    eventually(lambda: state_type(stack, run) == "CANCELLED", seconds=300)
    eventually(lambda: not any(process.is_running() for process in working))
    eventually(lambda: slots_taken(stack, deployment) == 0)
    assert '"state": "CANCELLED"' in summary_of(stack, run["id"])
    assert workspace.fingerprint() == before
    caller.close()


def summary_of(stack: RunningStack, run: str) -> str:
    wanted = {"flow_run_id": {"any_": [run]}, "key": {"any_": ["summary"]}}
    [kept] = prefect(stack, "/artifacts/filter", artifacts=wanted)
    return str(kept["data"])


def processes_of(stack: RunningStack, run: str) -> list[psutil.Process]:
    """The processes in which the worker runs a flow run."""
    worker = psutil.Process(pids(status(stack.settings))["worker"])
    return [
        process
        for process in worker.children(recursive=True)
        if process.environ().get("PREFECT__FLOW_RUN_ID") == run
    ]
