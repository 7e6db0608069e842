"""The local Prefect: server, work pool, deployments, saved Label Studio sites, and worker."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from deployments.observability.json_lines import CONFIGURATION
from deployments.service import Service, StackError, answers
from tasks.settings import SETTINGS_VARIABLE, Settings, settings_file
from tasks.sites import LabelStudioSite

if TYPE_CHECKING:
    from prefect.client.base import PrefectHttpxSyncClient

ROOT = Path(__file__).resolve().parents[1]
PREFECT_FILE = ROOT / "deployments" / "prefect.yaml"
WORK_POOL = "groundtruth"
WORKER = "local"
SIMULTANEOUS_RUNS = 2
PREFECT = (sys.executable, "-m", "prefect")


def prefect_environment(settings: Settings) -> dict[str, str]:
    """The environment of every process that belongs to this stack: server, worker, flow runs.

    It is this process's environment, so that ``GROUNDTRUTH_*`` overrides reach the flows, with the
    settings file and the data directory as absolute paths and with Prefect pointed at our server.
    """
    home = settings.data / "servers" / "prefect"
    as_json = {"PREFECT_LOGGING_SETTINGS_PATH": str(CONFIGURATION)}
    return {
        **os.environ,
        **(as_json if settings.observability.logs == "json" else {}),
        SETTINGS_VARIABLE: str(settings_file()),
        "GROUNDTRUTH_DATA": str(settings.data),
        "GROUNDTRUTH_SERVERS": settings.servers.model_dump_json(),
        "GROUNDTRUTH_ANNOTATE__SITES": json.dumps(settings.annotate.sites),
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_URL": settings.servers.prefect_api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # By default any page that the operator's browser opens may read this API, tokens and all.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": settings.servers.prefect_api.removesuffix("/api"),
        # The default keeps the leases of concurrency slots in memory: a slot that is held when the
        # server ends would stay taken for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def prefect_server(settings: Settings) -> Iterator[None]:
    """Run the flows of this process on the local Prefect, or on the one that Prefect itself names.

    Raises `StackError` when that server does not answer; without one, Prefect would start a
    temporary server whose runs nobody sees.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings

    address = PREFECT_API_URL.value() or settings.servers.prefect_api
    if not answers(f"{address}/health"):
        raise StackError(
            f"Prefect at {address} does not answer: start it with `groundtruth up`, or set"
            " PREFECT_API_URL to a server that runs"
        )
    with temporary_settings({PREFECT_API_URL: address}):
        yield


def server(settings: Settings) -> Service:
    """The Prefect server with its SQLite database in the data directory."""
    port = settings.servers.prefect_port
    return Service(
        name="prefect",
        command=[
            *(sys.executable, "-m", "deployments.prefect_on_sqlite", "server", "start"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        environment=lambda: prefect_environment(settings),
        folder=settings.data / "servers",
        working_directory=ROOT,
        is_ready=lambda: answers(f"{settings.servers.prefect_api}/health"),
        port=port,
        port_setting="servers.prefect_port",
    )


def worker(settings: Settings) -> Service:
    """The process worker that runs the scheduled flows on this machine."""
    service = Service(
        name="worker",
        command=[
            *(*PREFECT, "worker", "start", "--pool", WORK_POOL, "--type", "process"),
            *("--name", WORKER, "--limit", str(SIMULTANEOUS_RUNS)),
        ],
        environment=lambda: prefect_environment(settings),
        folder=settings.data / "servers",
        working_directory=ROOT,
        is_ready=lambda: _is_online(settings, service),
    )
    return service


def prefect_client(settings: Settings) -> "PrefectHttpxSyncClient":
    """A client of the local server that calls again while the SQLite file there is busy.

    Every answer but a success raises `httpx.HTTPStatusError`.
    """
    from prefect.client.base import PrefectHttpxSyncClient

    return PrefectHttpxSyncClient(base_url=settings.servers.prefect_api, timeout=60)


def create_work_pool(settings: Settings) -> None:
    """Make the work pool unless there is one; the worker completes it when it starts."""
    with prefect_client(settings) as api:
        try:
            api.post("/work_pools/", json={"name": WORK_POOL, "type": "process"})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.CONFLICT:
                raise


def register_deployments(settings: Settings) -> None:
    """Register every deployment of `prefect.yaml`; repeated, it changes nothing.

    Entrypoints and the flows' working directory are resolved from the folder above this package,
    wherever `prefect.yaml` itself lies.
    """
    _prefect(settings, "--no-prompt", "deploy", "--all", "--prefect-file", str(PREFECT_FILE))
    _stamp(settings).write_text(_deployments_digest())


def deployments_are_current(settings: Settings) -> bool:
    """Whether `prefect.yaml` and the flows are as they were when the server was told of them."""
    stamp = _stamp(settings)
    if not stamp.exists() or stamp.read_text() != _deployments_digest():
        return False
    with prefect_client(settings) as api:
        n_known = int(api.post("/deployments/count", json={}).text)
    return n_known >= len(declared_deployments())


def declared_deployments() -> list[dict[str, Any]]:
    """Those of `prefect.yaml`."""
    found: list[dict[str, Any]] = yaml.safe_load(PREFECT_FILE.read_text())["deployments"]
    return found


def save_sites(settings: Settings, sites: Mapping[str, LabelStudioSite]) -> None:
    """Save each Label Studio site under its name, for the flows to load."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: settings.servers.prefect_api}):
        for name, site in sites.items():
            site.save(name, overwrite=True)


def crash_orphaned_runs(settings: Settings) -> None:
    """Mark what a worker that is gone was running as crashed, subflows as well.

    Left alone, the runs would show as running for ever and hold their deployment's concurrency
    slot. Every flow is idempotent, so the next run takes up what they left.
    """
    state = {"type": "CRASHED", "name": "Crashed", "message": "The worker ended before the run."}
    with prefect_client(settings) as api:
        orphans = _active_runs(api, work_pools={"name": {"any_": [WORK_POOL]}})
        while orphans:
            for run in orphans:
                change = {"state": state, "force": True}
                api.post(f"/flow_runs/{run}/set_state", json=change)
            orphans = _active_runs(api, flow_runs={"parent_flow_run_id": {"any_": orphans}})


def _active_runs(api: httpx.Client, **where: Mapping[str, Any]) -> list[str]:
    active = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    query = {**where, "flow_runs": {**where.get("flow_runs", {}), **active}}
    return [run["id"] for run in api.post("/flow_runs/filter", json=query).json()]


def _prefect(settings: Settings, *arguments: str) -> None:
    done = subprocess.run(
        [*PREFECT, *arguments],
        cwd=ROOT,
        env=prefect_environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"prefect {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


def _stamp(settings: Settings) -> Path:
    return settings.data / "servers" / "prefect" / "deployments.sha256"


def _deployments_digest() -> str:
    sources = [PREFECT_FILE, *sorted((ROOT / "flows").glob("*.py"))]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def _is_online(settings: Settings, service: Service) -> bool:
    """Whether the worker has reported to the server since *this* process of it started."""
    process = service.process()
    if process is None:
        return False
    with suppress(httpx.HTTPError):
        answer = httpx.post(
            f"{settings.servers.prefect_api}/work_pools/{WORK_POOL}/workers/filter",
            json={},
            timeout=5,
        )
        return answer.is_success and any(
            _is_ours(found, process.create_time()) for found in answer.json()
        )
    return False


def _is_ours(found: Mapping[str, str], started: float) -> bool:
    heard = datetime.fromisoformat(found["last_heartbeat_time"]).timestamp()
    return found["name"] == WORKER and found["status"] == "ONLINE" and heard >= started
