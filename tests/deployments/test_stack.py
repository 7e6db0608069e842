"""The local stack, with its real servers: repeatable, loopback only, and without leftovers."""

import json
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from deployments.label_studio import local_sites
from deployments.orchestration import ROOT, declared_deployments, prefect_client
from deployments.stack import StackError, StackStatus, down, logs, prefect_environment, status, up
from tasks.settings import Settings
from tests.conftest import RunningStack, servers_on_free_ports


def pids(status: StackStatus) -> dict[str, int | None]:
    return {server.name: server.pid for server in status.servers}


def kill(status: StackStatus, name: str) -> None:
    pid = pids(status)[name]
    assert pid is not None
    process = psutil.Process(pid)
    process.send_signal(signal.SIGKILL)
    process.wait()


def processes(status: StackStatus) -> list[psutil.Process]:
    """The servers and everything that they started."""
    servers = [psutil.Process(server.pid) for server in status.servers]
    return [
        process
        for server in servers
        for process in (server, *server.children(recursive=True))
        if process.status() != psutil.STATUS_ZOMBIE
    ]


def prefect(stack: RunningStack, path: str, **query: Any) -> Any:
    with prefect_client(stack.settings) as server:
        return server.post(path, json=query).json()


def found_by_prefect(stack: RunningStack, path: str) -> Any:
    with prefect_client(stack.settings) as server:
        return server.get(path).json()


def deployments_by_flow(stack: RunningStack) -> dict[str, dict[str, Any]]:
    found = prefect(stack, "/deployments/filter")
    return {deployment["entrypoint"].rpartition(":")[2]: deployment for deployment in found}


def test_every_flow_has_its_deployment() -> None:
    flows = [path.stem for path in (ROOT / "flows").glob("[!_]*.py")]

    entrypoints = [deployment["entrypoint"] for deployment in declared_deployments()]

    assert sorted(entrypoints) == sorted(f"flows/{flow}.py:{flow}" for flow in flows)


def test_up_leaves_everything_healthy(stack: RunningStack) -> None:
    assert status(stack.settings).healthy


def test_up_again_keeps_the_running_servers(stack: RunningStack) -> None:
    before = pids(status(stack.settings))

    again = up(stack.settings)

    assert pids(again) == before


def test_a_killed_label_studio_comes_back_with_the_same_login(stack: RunningStack) -> None:
    before = status(stack.settings)
    kill(before, "label-studio-local")

    after = up(stack.settings)

    assert after.healthy
    assert after.logins == before.logins
    assert pids(after)["prefect"] == pids(before)["prefect"]
    assert pids(after)["worker"] == pids(before)["worker"]


def test_everybody_reaches_label_studio_with_their_token(stack: RunningStack) -> None:
    known = stack.credentials
    people = (known.admin, known.lead, *known.annotators)

    emails = [
        httpx.get(
            f"{stack.site.url}/api/current-user/whoami",
            headers={"Authorization": f"Token {person.token}"},
        ).json()["email"]
        for person in people
    ]

    assert emails == [person.email for person in people]


def test_secrets_are_in_no_log_and_no_command_line(stack: RunningStack) -> None:
    known = stack.credentials
    people = (known.admin, known.lead, *known.annotators)
    secrets = [
        known.webhook_secret,
        *(secret for person in people for secret in (person.password, person.token)),
    ]
    running = status(stack.settings)
    seen = [server.log.read_text(errors="replace") for server in running.servers]
    seen += [" ".join(process.cmdline()) for process in processes(running)]
    seen += [repr(known), repr(running)]

    assert not [secret for secret in secrets if any(secret in text for text in seen)]


def test_only_the_owner_can_read_the_logins(stack: RunningStack) -> None:
    assert stat.S_IMODE(stack.site.credentials_file.stat().st_mode) == 0o600


def test_everything_listens_on_loopback_only(stack: RunningStack) -> None:
    listening = [
        connection.laddr
        for process in processes(status(stack.settings))
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    servers = stack.settings.servers
    ours = {servers.prefect_port, servers.webhooks_port, stack.site.port}

    assert ours <= {each.port for each in listening}
    assert {each.ip for each in listening} == {"127.0.0.1"}


def test_an_occupied_port_is_named_with_the_setting_to_change(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, servers=servers_on_free_ports(local={}))
    [site] = local_sites(settings)
    with (
        socket.create_server(("127.0.0.1", site.port)),
        pytest.raises(StackError, match=rf"port {site.port}.*servers\.label_studio\.local\.port"),
    ):
        up(settings)

    assert {server.pid for server in status(settings).servers} == {None}


def test_every_active_schedule_has_scheduled_runs(stack: RunningStack) -> None:
    found = deployments_by_flow(stack)
    active = {
        deployment["id"]
        for deployment in found.values()
        if any(schedule["active"] for schedule in deployment["schedules"])
    }

    eventually(lambda: auto_scheduled(stack) == active)

    assert found["groundtruth"]["id"] not in active


def auto_scheduled(stack: RunningStack) -> set[str]:
    """The deployments that the server itself has made runs for."""
    state = {"type": {"any_": ["SCHEDULED"]}}
    runs = prefect(stack, "/flow_runs/filter", flow_runs={"state": state})
    return {run["deployment_id"] for run in runs if run["auto_scheduled"]}


def eventually(holds: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for a service of the server that works in the background."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.5)


def test_a_run_that_dies_with_its_worker_is_crashed_with_its_subflows_and_frees_its_slot(
    stack: RunningStack,
) -> None:
    deployment = deployments_by_flow(stack)["groundtruth"]
    run = prefect(stack, f"/deployments/{deployment['id']}/create_flow_run", state=later())
    for state in ("PENDING", "RUNNING"):
        prefect(stack, f"/flow_runs/{run['id']}/set_state", state={"type": state})
    subflow = running_subflow(stack, run)
    assert slots_taken(stack, deployment) == 1
    kill(status(stack.settings), "worker")

    up(stack.settings)

    assert [state_type(stack, each) for each in (run, subflow)] == ["CRASHED", "CRASHED"]
    assert slots_taken(stack, deployment) == 0


def later() -> dict[str, Any]:
    """A state that no worker acts on during the tests."""
    details = {"scheduled_time": "2100-01-01T00:00:00Z"}
    return {"type": "SCHEDULED", "state_details": details}


def running_subflow(stack: RunningStack, parent: dict[str, Any]) -> dict[str, Any]:
    call = {"flow_run_id": parent["id"], "task_key": "subflow", "dynamic_key": "0"}
    task = prefect(stack, "/task_runs/", **call)
    state = {"type": "RUNNING"}
    return prefect(
        stack,
        "/flow_runs/",
        flow_id=parent["flow_id"],
        parent_task_run_id=task["id"],
        state=state,
    )


def state_type(stack: RunningStack, run: dict[str, Any]) -> str:
    return str(found_by_prefect(stack, f"/flow_runs/{run['id']}")["state_type"])


def slots_taken(stack: RunningStack, deployment: dict[str, Any]) -> int:
    limit = deployment["global_concurrency_limit"]["id"]
    return int(found_by_prefect(stack, f"/v2/concurrency_limits/{limit}")["active_slots"])


def test_a_deployment_that_somebody_deleted_comes_back(stack: RunningStack) -> None:
    with prefect_client(stack.settings) as server:
        server.delete(f"/deployments/{deployments_by_flow(stack)['survey']['id']}")
    assert "survey" not in deployments_by_flow(stack)
    up(stack.settings, on_progress=print)
    assert "survey" in deployments_by_flow(stack)


def test_a_process_of_the_stack_sees_the_same_settings_from_any_folder(
    stack: RunningStack, tmp_path: Path
) -> None:
    program = (
        "from tasks.settings import load_settings\n"
        "print(load_settings().model_dump_json(include={'data', 'servers', 'annotate'}))"
    )
    environment = {**prefect_environment(stack.settings), "PYTHONPATH": str(ROOT)}

    seen = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )

    expected = stack.settings.model_dump(mode="json", include={"data", "servers", "annotate"})
    assert json.loads(seen.stdout) == expected


def test_logs_of_an_unknown_server_name_the_known_ones(stack: RunningStack) -> None:
    with pytest.raises(StackError, match="prefect, label-studio-local, worker, webhooks"):
        logs(stack.settings, "postgres")


def test_down_leaves_no_process_and_up_brings_all_back(stack: RunningStack) -> None:
    before = status(stack.settings)
    family = processes(before)

    down(stack.settings)

    assert not [process for process in family if process.is_running()]
    after = up(stack.settings)
    assert after.healthy
    assert after.logins == before.logins
