"""The metrics that Prefect knows: the runs of each flow, by state, and the last that completed."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from prefect.client.orchestration import get_client
from prometheus_client.core import Metric

from deployments.observability import families
from deployments.observability.families import Labels

A_DAY = dt.timedelta(days=1)
PAGE = 200
"""Runs that Prefect tells at once, at most."""
PAGES = 25


def of_prefect() -> Iterator[Metric]:
    """What ended within a day, and what has begun and not ended; of 5,000 runs at most."""
    since = (dt.datetime.now(dt.UTC) - A_DAY).isoformat()
    ended = {"end_time": {"after_": since}}
    going = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING", "PAUSED"]}}}
    overdue = {"state": {"name": {"any_": ["Late", "AwaitingConcurrencySlot"]}}}
    with get_client(sync_client=True) as prefect:
        flows = {
            each["id"]: str(each["name"])
            for each in prefect.request("POST", "/flows/filter", json={}).json()
        }

        def runs(which: dict[str, object]) -> Iterator[dict[str, str]]:
            for page in range(PAGES):
                query = {"flow_runs": which, "sort": "START_TIME_DESC"}
                found = prefect.request(
                    "POST", "/flow_runs/filter", json={**query, "offset": page * PAGE}
                ).json()
                yield from found
                if len(found) < PAGE:
                    return

        states: Counter[Labels] = Counter()
        last: dict[Labels, dict[str, str]] = {}
        for which in (ended, going, overdue):
            for run in runs(which):
                flow = flows.get(run["flow_id"], "")
                states[flow, run["state_name"]] += 1
                newest = last.get((flow,))
                if run["state_type"] == "COMPLETED" and (
                    newest is None or newest["end_time"] < run["end_time"]
                ):
                    last[(flow,)] = run
    yield families.FLOW_RUNS.of(states)
    yield families.FLOW_DURATION.of(
        {flow: float(run["total_run_time"]) for flow, run in last.items()}
    )
    yield families.FLOW_SUCCESS.of(
        {flow: dt.datetime.fromisoformat(run["end_time"]).timestamp() for flow, run in last.items()}
    )
