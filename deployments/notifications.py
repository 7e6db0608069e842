"""Tell a person what goes wrong: Prefect automations that send it to the block of their choice."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import typer
from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import get_client
from prefect.events.actions import SendNotification
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, temporary_settings
from rich.console import Console

from deployments.orchestration import prefect_server
from deployments.service import StackError
from tasks.events import Happened
from tasks.settings import load_settings

app = typer.Typer()
console = Console()

OF_OURS = {"prefect.resource.id": "prefect.tag.groundtruth", "prefect.resource.role": "tag"}


@app.command()
def notify() -> None:
    """Have Prefect tell what goes wrong to the block that `notifications` names."""
    settings = load_settings()
    if settings.notifications.block is None:
        raise StackError(
            "nobody is told anything: create a notification block in the Prefect UI under Blocks"
            ' (Slack Webhook, Email ...), and name it as block = "slack-webhook/NAME" under'
            " [notifications] in groundtruth.toml"
        )
    with prefect_server(settings):
        api = PREFECT_API_URL.value() or settings.servers.prefect_api
        for name in subscribe(api, settings.notifications.block):
            console.print(f"{name}: told to {settings.notifications.block}", markup=False)


def subscribe(api: str, block: str) -> list[str]:
    """Make or mend the automations of the Prefect at `api`; their names.

    `block` is a notification block as its type and name. Raises `StackError` where there is none.
    """
    kind, name = block.split("/")
    with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as prefect:
        try:
            found = prefect.read_block_document_by_name(name, kind, include_secrets=False)
        except ObjectNotFound as error:
            raise StackError(
                f"there is no Prefect block {block}: create it in the Prefect UI under Blocks, or"
                " correct `block` under [notifications] in groundtruth.toml"
            ) from error
        wanted = list(automations(found.id))
        for automation in wanted:
            known = prefect.read_automations_by_name(automation.name)
            if known:
                prefect.update_automation(known[0].id, automation)
            else:
                prefect.create_automation(automation)
        return [automation.name for automation in wanted]


def automations(block_id: UUID) -> Iterator[AutomationCore]:
    """What is told, and in which words; each as often as it happens."""
    yield _told(
        block_id,
        "groundtruth: a run failed",
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed", "prefect.flow-run.TimedOut"},
        related=OF_OURS,
        subject="groundtruth: {{ flow.name }} {{ flow_run.state.name }}",
        body="{{ flow.name }} run {{ flow_run.name }}: {{ flow_run.state.message }}\n"
        "{{ flow_run|ui_url }}",
    )
    yield _told(
        block_id,
        "groundtruth: the gate holds a batch",
        expect={str(Happened.HELD)},
        subject="groundtruth: the gate holds a batch",
        body="No label of the batch joins the training set. "
        "The artifact `gate` names the rule; docs/gate.md says what to do.",
    )
    yield _told(
        block_id,
        "groundtruth: a warning",
        expect={"groundtruth.warning.*"},
        subject="groundtruth: {{ event.payload.light }}, {{ event.payload.about }}",
        body="{{ event.payload.what }}",
    )


def _told(
    block_id: UUID,
    name: str,
    *,
    expect: set[str],
    related: dict[str, str] | None = None,
    subject: str,
    body: str,
) -> AutomationCore:
    return AutomationCore(
        name=name,
        description="Made by groundtruth; `groundtruth notify` makes it anew.",
        trigger=EventTrigger(
            expect=expect,
            match_related=related or {},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[SendNotification(block_document_id=block_id, subject=subject, body=body)],
    )
