"""Prefect: whether it answers, has a worker, creates the runs of its schedules, and ends them."""

import datetime as dt
import os
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
from prefect import __version__ as CLIENT_VERSION
from prefect.client.orchestration import SyncPrefectClient, get_client

from deployments import orchestration
from deployments.doctor.examination import Finding, error, warning, well
from tasks.settings import Settings

ACTIVE = ["PENDING", "RUNNING", "CANCELLING"]
LONGEST_RUN = dt.timedelta(hours=24)
LATE = dt.timedelta(minutes=15)
SILENT = dt.timedelta(minutes=2)
"""A worker that was not heard of for so long is not there: it reports every 30 seconds."""
A_DAY = dt.timedelta(days=1)
PAGE = 200
REGISTER = (
    "`groundtruth up`, or on another Prefect, in the folder in which its workers have the code,"
    " `prefect deploy --all --prefect-file deployments/prefect.yaml`"
)
START_WORKER = "`groundtruth up`; `groundtruth logs worker` says why it ended"
START = "start it with `groundtruth up`, or correct PREFECT_API_URL"


def server(_settings: Settings) -> Iterator[Finding]:
    """Whether the server answers, in the version of this program."""
    with get_client(sync_client=True) as prefect:
        place = str(prefect.api_url).rstrip("/")
        if (problem := prefect.api_healthcheck()) is not None:
            yield error(f"Prefect at {place} does not answer: {problem}", START)
            return
        version = str(_read(prefect, "/admin/version"))
    if version == CLIENT_VERSION:
        yield well(f"{version} answers at {place}")
    else:
        yield warning(
            f"the server at {place} is {version}, and this program was tried with {CLIENT_VERSION}",
            f"install Prefect {CLIENT_VERSION} there",
        )


def workers(settings: Settings) -> Iterator[Finding]:
    """Whether each work pool that runs flows has a worker that asks for them."""
    now = dt.datetime.now(dt.UTC)
    ours = orchestration.worker(settings)
    if ours.pid_file.exists() and ours.process() is None:
        yield error("the worker of this machine has ended: its flows do not begin", START_WORKER)
    with get_client(sync_client=True) as prefect:
        pools = {each["work_pool_name"] for each in _deployments(prefect) if each["work_pool_name"]}
        for pool in sorted(pools):
            paused = _read(prefect, f"/work_pools/{pool}")["is_paused"]
            heard = [
                dt.datetime.fromisoformat(each["last_heartbeat_time"])
                for each in _query(prefect, f"/work_pools/{pool}/workers/filter")
                if each["last_heartbeat_time"]
            ]
            alive = [at for at in heard if now - at < SILENT]
            if paused:
                yield error(
                    f"the work pool {pool} is paused: no flow begins",
                    f"`prefect work-pool resume {pool}`",
                )
            elif alive:
                yield well(f"{len(alive)} at work in the pool {pool}")
            elif heard:
                yield error(
                    f"no worker of the pool {pool} was heard of since {max(heard):%Y-%m-%d %H:%M}"
                    " UTC: no flow begins",
                    START_WORKER,
                )
            else:
                yield error(f"the pool {pool} never had a worker: no flow begins", START_WORKER)
    if not pools:
        yield error("there are no deployments, so no work pool", REGISTER)


def schedules(_settings: Settings) -> Iterator[Finding]:
    """Whether every flow is registered, and each schedule that is on has created runs to come.

    A schedule that shows as active proves nothing: of some versions of SQLAlchemy, Prefect's server
    creates no run and does not say so.
    """
    declared = orchestration.declared_deployments()
    with get_client(sync_client=True) as prefect:
        known = {(each["entrypoint"], each["name"]): each for each in _deployments(prefect)}
        scheduled = {
            each["deployment_id"]
            for each in _runs(prefect, {"state": {"type": {"any_": ["SCHEDULED"]}}})
            if each["auto_scheduled"]
        }
    n_well = 0
    for each in declared:
        key, name = (each["entrypoint"], each["name"]), each["entrypoint"].rpartition(":")[2]
        if key not in known:
            yield error(f"{name} is not registered: it never runs", REGISTER)
            continue
        found = known[key]
        active = [one for one in found["schedules"] if one["active"]]
        wanted = [one for one in each.get("schedules", ()) if one.get("active", True)]
        if wanted and (found["paused"] or not active):
            yield warning(
                f"the schedule of {name} is paused",
                f"`prefect deployment schedule resume` in Prefect, or leave {name} to events",
            )
        elif active and found["id"] not in scheduled:
            yield error(
                f"the schedule of {name} is on, and no run of it is to come",
                "look for errors of the scheduler with `groundtruth logs prefect`, compare the"
                " versions (the check `packages`), and restart the server",
            )
        else:
            n_well += 1
    yield well(f"{n_well} of {len(declared)} flows are registered, with runs to come where due")


def runs(_settings: Settings) -> Iterator[Finding]:
    """Whether runs begin when they are due, and those that have begun still live."""
    now = dt.datetime.now(dt.UTC)
    with get_client(sync_client=True) as prefect:
        going = list(_runs(prefect, {"state": {"type": {"any_": ACTIVE}}}))
        overdue = list(
            _runs(
                prefect,
                {
                    "state": {"type": {"any_": ["SCHEDULED"]}},
                    "expected_start_time": {"before_": (now - LATE).isoformat()},
                },
            )
        )
        crashed = list(
            _runs(
                prefect,
                {
                    "state": {"type": {"any_": ["CRASHED"]}},
                    "end_time": {"after_": (now - A_DAY).isoformat()},
                },
            )
        )
    for run in going:
        began = dt.datetime.fromisoformat(run["start_time"] or run["created"])
        name = f"{run['name']} ({run['id']})"
        mend = f"`prefect flow-run cancel {run['id']}`, or `groundtruth up`, and run it again"
        if _is_gone(run["infrastructure_pid"]):
            yield error(
                f"the run {name} shows as {run['state_name']} and its process is gone: it may hold"
                " the place of the next run",
                mend,
            )
        elif now - began > LONGEST_RUN:
            yield warning(f"the run {name} has gone on since {began:%Y-%m-%d %H:%M} UTC", mend)
    if overdue:
        yield warning(
            f"{len(overdue)} runs are more than {LATE.total_seconds() / 60:.0f} minutes late, the"
            f" oldest was due at {min(each['expected_start_time'] for each in overdue)}",
            "see the check `workers`, and whether another run holds their place",
        )
    if crashed:
        yield warning(
            f"{len(crashed)} runs crashed within a day, the last was {crashed[0]['name']}"
            f" ({crashed[0]['id']})",
            f"`prefect flow-run logs {crashed[0]['id']}` says why; the next run goes on from there",
        )
    yield well(f"{len(going)} runs go on, of the ones that are due")


def leases(_settings: Settings) -> Iterator[Finding]:
    """Whether places of concurrency limits are held by runs that still go on."""
    with get_client(sync_client=True) as prefect:
        limits = _query(prefect, "/v2/concurrency_limits/filter")
        names = {each["id"]: each["entrypoint"] for each in _deployments(prefect)}
        going = Counter(
            each["deployment_id"] for each in _runs(prefect, {"state": {"type": {"any_": ACTIVE}}})
        )
    n_held = 0
    for limit in limits:
        _, _, deployment = str(limit["name"]).partition("deployment:")
        held, n_held = int(limit["active_slots"]), n_held + int(limit["active_slots"])
        if deployment in names and held > going[deployment]:
            flow = names[deployment].rpartition(":")[2]
            yield error(
                f"{held} places of {flow} are taken, and {going[deployment]} of its runs go on: the"
                " next waits for one that is dead",
                "wait five minutes, since a lease that nobody renews ends by itself; then restart"
                " Prefect's server (`groundtruth down`, `groundtruth up`)",
            )
    yield well(f"{n_held} places of {len(limits)} limits are taken")


def _is_gone(infrastructure: str | None) -> bool:
    """Whether a process of this machine, named as ``host:pid``, has ended."""
    host, _, pid = (infrastructure or "").rpartition(":")
    here = host in {socket.gethostname(), os.uname().nodename}
    return here and pid.isdigit() and not psutil.pid_exists(int(pid))


def _deployments(prefect: SyncPrefectClient) -> list[dict[str, Any]]:
    ours = {"deployments": {"tags": {"all_": ["groundtruth"]}}}
    return _query(prefect, "/deployments/filter", ours)


def _runs(prefect: SyncPrefectClient, which: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The flow runs that are meant, page by page, the newest first."""
    offset = 0
    while True:
        page = _query(
            prefect,
            "/flow_runs/filter",
            {"flow_runs": which, "sort": "EXPECTED_START_TIME_DESC", "offset": offset},
        )
        yield from page
        if len(page) < PAGE:
            return
        offset += PAGE


def _query(
    prefect: SyncPrefectClient, path: str, query: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = prefect.request("POST", path, json=query or {}).json()  # type: ignore[arg-type]
    return found


def _read(prefect: SyncPrefectClient, path: str) -> Any:
    return prefect.request("GET", path).json()  # type: ignore[arg-type]
