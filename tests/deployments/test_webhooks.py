"""A webhook leads to a run of `collect`, soon and once; whoever has no secret moves nothing."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import AnyHttpUrl, SecretStr
from starlette.applications import Starlette

from annotation.site import SECRET_HEADER
from deployments.orchestration import save_sites
from deployments.webhooks import (
    LARGEST_BODY,
    application,
    start_collecting,
)
from tasks.settings import Annotate, Settings
from tasks.sites import LabelStudioSite, webhook_url
from tests.conftest import RunningStack
from tests.deployments.test_stack import (
    deployments_by_flow,
    eventually,
    found_by_prefect,
    later,
    prefect,
)

CONFIG = """<View><Text name="text" value="$text"/>
<Choices name="verdict" toName="text"><Choice value="yes"/></Choices></View>"""
SAYS_YES = {
    "from_name": "verdict",
    "to_name": "text",
    "type": "choices",
    "value": {"choices": ["yes"]},
}


@pytest.fixture
def settings(stack: RunningStack) -> Iterator[Settings]:
    """The stack's settings with two more sites: one without a secret, and one without a block."""
    quiet = LabelStudioSite(
        url=AnyHttpUrl(stack.site.url), api_key=SecretStr(stack.credentials.admin_token)
    )
    save_sites(stack.settings, {"quiet": quiet})
    with temporary_settings({PREFECT_API_URL: stack.settings.servers.prefect_api}):
        yield Settings(
            data=stack.settings.data,
            servers=stack.settings.servers,
            annotate=Annotate(sites=["local", "quiet", "nowhere"]),
        )


class Acts:
    """Counts how often it is called; each call lasts until it is `let_go`."""

    def __init__(self) -> None:
        self.count = 0
        self.goes_on = asyncio.Semaphore(0)

    async def __call__(self) -> None:
        self.count += 1
        await self.goes_on.acquire()

    def let_go(self) -> None:
        self.goes_on.release()


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def send(app: Starlette, site: str, secret: str | None, body: bytes = b"{}") -> int:
    """Post a webhook; the HTTP status."""
    headers = {} if secret is None else {SECRET_HEADER: secret.encode()}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://webhooks") as client:
        answer = await client.post(f"/webhooks/{site}", content=body, headers=headers)
        return answer.status_code


def status_and_acts(settings: Settings, *webhook: object) -> tuple[int, int]:
    """The HTTP status of one webhook, and how often it was acted on."""

    async def run() -> tuple[int, int]:
        acts = Acts()
        app = application(settings, acts, pause_seconds=0)
        async with app.router.lifespan_context(app):
            status = await send(app, *webhook)  # type: ignore[arg-type]
            await turns()
        return status, acts.count

    return asyncio.run(run())


def test_an_answer_in_label_studio_starts_collect(stack: RunningStack) -> None:
    before = hinted_runs(stack)
    with httpx.Client(base_url=stack.site.url, timeout=60) as api:
        api.headers["Authorization"] = f"Token {stack.credentials.admin_token}"
        project = created(api, "/api/projects", title="hints", label_config=CONFIG)
        task = created(api, "/api/tasks", project=project["id"], data={"text": "?"})
        created(
            api,
            "/api/webhooks/",
            project=project["id"],
            url=webhook_url(stack.settings, "local"),
            headers={SECRET_HEADER: stack.credentials.webhook_secret},
            send_for_all_actions=False,
            actions=["ANNOTATION_CREATED"],
        )

        api.headers["Authorization"] = f"Token {stack.credentials.annotator_token}"
        created(api, f"/api/tasks/{task['id']}/annotations/", result=[SAYS_YES])

    eventually(lambda: hinted_runs(stack) > before)


def created(api: httpx.Client, path: str, **given: object) -> dict[str, object]:
    return dict(api.post(path, json=given).raise_for_status().json())


def hinted_runs(stack: RunningStack) -> set[str]:
    """The runs of `collect` that webhooks led to."""
    collect = deployments_by_flow(stack)["collect"]["id"]
    found = prefect(
        stack,
        "/flow_runs/filter",
        flow_runs={"tags": {"all_": ["webhook"]}},
        deployments={"id": {"any_": [collect]}},
    )
    return {run["id"] for run in found}


def test_a_webhook_with_the_secret_is_acted_on(settings: Settings, stack: RunningStack) -> None:
    assert status_and_acts(settings, "local", stack.credentials.webhook_secret) == (202, 1)


@pytest.mark.parametrize("secret", [None, "", "wrong", "schlüssel"])
def test_a_webhook_without_the_secret_moves_nothing(settings: Settings, secret: str | None) -> None:
    assert status_and_acts(settings, "local", secret) == (401, 0)


@pytest.mark.parametrize("site", ["local-lead", "quiet", "nowhere", "unknown"])
def test_a_site_that_sends_no_webhooks_here_moves_nothing(
    settings: Settings, stack: RunningStack, site: str
) -> None:
    assert status_and_acts(settings, site, stack.credentials.webhook_secret) == (404, 0)


def test_a_body_without_an_end_is_cut_off(settings: Settings, stack: RunningStack) -> None:
    body = b" " * (LARGEST_BODY + 1)

    assert status_and_acts(settings, "local", stack.credentials.webhook_secret, body) == (413, 0)


def test_hints_that_come_while_one_is_acted_on_lead_to_one_more_act(
    settings: Settings, stack: RunningStack
) -> None:
    async def run() -> list[int]:
        acts, counts = Acts(), []
        app = application(settings, acts, pause_seconds=0)
        async with app.router.lifespan_context(app):
            for _ in range(4):
                await send(app, "local", stack.credentials.webhook_secret)
            await turns()
            for _ in range(3):
                counts.append(acts.count)
                acts.let_go()
                await turns()
        return counts

    assert asyncio.run(run()) == [1, 2, 2]


def test_an_act_that_fails_does_not_end_the_hearing(
    settings: Settings, stack: RunningStack
) -> None:
    acts = []

    async def fail() -> None:
        acts.append(len(acts))
        raise ConnectionError("Prefect is away")

    async def run() -> None:
        app = application(settings, fail, pause_seconds=0)
        async with app.router.lifespan_context(app):
            for _ in range(2):
                await send(app, "local", stack.credentials.webhook_secret)
                await turns()

    asyncio.run(run())

    assert acts == [0, 1]


def test_no_second_run_is_started_while_one_waits_to_begin(stack: RunningStack) -> None:
    eventually(lambda: not due_runs(stack, "SCHEDULED", "PENDING", "RUNNING"))
    collect = deployments_by_flow(stack)["collect"]
    running = prefect(stack, f"/deployments/{collect['id']}/create_flow_run", state=later())
    for state in ("PENDING", "RUNNING"):
        prefect(stack, f"/flow_runs/{running['id']}/set_state", state={"type": state})

    with temporary_settings({PREFECT_API_URL: stack.settings.servers.prefect_api}):
        asyncio.run(start_collecting())
        [waiting] = due_runs(stack, "SCHEDULED", "PENDING")
        eventually(lambda: state_name(stack, waiting) == "AwaitingConcurrencySlot")
        asyncio.run(start_collecting())

    assert due_runs(stack, "SCHEDULED", "PENDING") == {waiting}
    prefect(stack, f"/flow_runs/{running['id']}/set_state", state={"type": "CRASHED"}, force=True)


def due_runs(stack: RunningStack, *states: str) -> set[str]:
    """The runs of `collect` in one of the states whose time has come."""
    collect = deployments_by_flow(stack)["collect"]["id"]
    found = prefect(
        stack,
        "/flow_runs/filter",
        flow_runs={
            "state": {"type": {"any_": states}},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        },
        deployments={"id": {"any_": [collect]}},
    )
    return {run["id"] for run in found}


def state_name(stack: RunningStack, run: str) -> str:
    return str(found_by_prefect(stack, f"/flow_runs/{run}")["state_name"])
