"""What a flow run came to, for machines: an artifact of the run, and a file where one is asked for.

The file is written when the outermost run of a process ends, whole or not at all, however it ended;
a process that is killed writes none.
"""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun, State
from pydantic import BaseModel

from catalog.blobs import write_whole

SUMMARY_VARIABLE = "GROUNDTRUTH_SUMMARY"
KEY = "summary"

Figures = Mapping[str, str | int | float | bool | None]
AnyFlow = TypeVar("AnyFlow", bound=Flow[Any, Any])


class Summary(BaseModel, frozen=True, extra="forbid"):
    """A flow run that ended.

    `version` changes when a field changes its meaning or goes; fields and figures may be added.
    `figures` are empty where the run did not end well, and `message` then says why.
    """

    version: Literal[1] = 1
    flow: str
    run: UUID
    state: Literal["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
    message: str
    started_at: dt.datetime | None
    ended_at: dt.datetime
    figures: dict[str, str | int | float | bool | None]


def summarised(figures: Callable[[Any], Figures]) -> Callable[[AnyFlow], AnyFlow]:
    """Have every run of a flow leave a `Summary`; `figures` makes them of what the flow returns."""

    def hooked(flow: AnyFlow) -> AnyFlow:
        # A worker that cancels a run, or finds it crashed, gives the arguments by these names.
        def summarise(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:
            done = figures(state.result()) if state.is_completed() else {}
            keep(summary_of(flow.name, flow_run, state, done), flow_run)

        flow.on_completion(summarise)
        flow.on_failure(summarise)
        flow.on_crashed(summarise)
        flow.on_cancellation(summarise)
        return flow

    return hooked


def summary_of(flow: str, run: FlowRun, state: State[Any], figures: Figures) -> Summary:
    """The summary of a run that is in its last state, or about to be cancelled."""
    return Summary(
        flow=flow,
        run=run.id,
        state="CANCELLED" if state.is_cancelling() else state.type.value,
        message=state.message or "",
        started_at=run.start_time,
        ended_at=state.timestamp,
        figures=dict(figures),
    )


def keep(summary: Summary, run: FlowRun) -> None:
    """Keep a summary with its run and, of an outermost run, in the file that is asked for."""
    text = summary.model_dump_json(indent=2)
    with get_client(sync_client=True) as prefect:
        prefect.create_artifact(
            ArtifactCreate(
                key=KEY,
                type="markdown",
                description=f"Summary of {summary.flow}",
                data=f"```json\n{text}\n```",
                flow_run_id=run.id,
            )
        )
    file = os.environ.get(SUMMARY_VARIABLE)
    if file and run.parent_task_run_id is None:
        write_whole(os.path.abspath(file), lambda target: target.write(f"{text}\n".encode()))
