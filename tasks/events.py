"""What has happened, as Prefect events: the triggers in `deployments/prefect.yaml` go on from them.

An event makes the next step come sooner and no more: whoever loses one waits for the schedule, and
whoever gets it twice finds nothing left to do.
"""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from prefect.context import FlowRunContext
from prefect.events import emit_event


class Happened(StrEnum):
    """The events that the loop emits."""

    INGESTED = "groundtruth.images.ingested"
    LABELLED = "groundtruth.images.labelled"
    CLUSTERED = "groundtruth.clusters.formed"
    COMMITTED = "groundtruth.training-set.committed"
    DUE = "groundtruth.training.due"
    PROMOTED = "groundtruth.model.promoted"
    HELD = "groundtruth.gate.held"


def tell(event: Happened, about: Mapping[str, str | int], identity: UUID | None = None) -> None:
    """Emit `event` with numbers and names, and nothing that is secret or that somebody typed.

    Prefect keeps what has an `identity` once.
    """
    emit_event(
        event,
        resource={
            "prefect.resource.id": "groundtruth.loop",
            "prefect.resource.name": "groundtruth",
        },
        payload=dict(about),
        id=identity,
    )


def pass_on(event: Happened, about: Mapping[str, str | int]) -> None:
    """Emit `event` where a deployment runs by itself, so that the next step follows.

    A step that a person runs by hand, or that is part of a larger run, is followed by nothing:
    that person, or that run, goes on.
    """
    context = FlowRunContext.get()
    if context is not None and context.flow_run is not None and context.flow_run.deployment_id:
        tell(event, about)
