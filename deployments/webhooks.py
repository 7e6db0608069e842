"""The webhooks server: a site tells it that there are answers, and the answers are read sooner.

A webhook is a hint and no more. Label Studio sends it once, unsigned, loses it when nobody listens,
and shows its secret to whoever signs in there; so nothing that it says is read, and what it leads
to is the run of `collect` that its schedule would start later. Repeated, forged or lost, a hint
changes no answer.

The same server answers Prometheus (`deployments.observability.endpoint`).
"""

import asyncio
import hmac
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import uvicorn
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.config import LOGGING_CONFIG

from annotation.site import SECRET_HEADER
from deployments.observability import endpoint as metrics
from deployments.orchestration import ROOT, prefect_environment
from deployments.service import Service, answers
from tasks.settings import Settings, load_settings
from tasks.sites import LabelStudioSite

COLLECT = "collect/local"
LARGEST_BODY = 4_000_000  # bytes
PAUSE_SECONDS = 30.0

log = logging.getLogger("uvicorn.error")


def server(settings: Settings) -> Service:
    """The webhooks server of the local stack."""
    port = settings.servers.webhooks_port
    return Service(
        name="webhooks",
        command=[sys.executable, "-m", "deployments.webhooks"],
        environment=lambda: prefect_environment(settings),
        folder=settings.data / "servers",
        working_directory=ROOT,
        is_ready=lambda: answers(f"{url(settings)}/health"),
        port=port,
        port_setting="servers.webhooks_port",
    )


def url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.servers.webhooks_port}"


def application(
    settings: Settings,
    act: Callable[[], Awaitable[None]],
    pause_seconds: float = PAUSE_SECONDS,
) -> Starlette:
    """Take the hints of the sites of `settings`, and `act` on them.

    The first hint is acted on at once. Those that come until `pause_seconds` after that are acted
    on together, once.
    """
    heard = asyncio.Event()

    async def hear(request: Request) -> Response:
        secret = await _secret_of(request.path_params["site"], settings)
        if secret is None:
            return _said("no site of this name sends webhooks here\n", 404)
        shown = request.headers.get(SECRET_HEADER, "").encode("latin-1")
        if not hmac.compare_digest(shown, secret.encode()):
            return _said(f"{SECRET_HEADER} does not hold the secret of this site\n", 401)
        if not await _is_small(request):
            return _said(f"more than {LARGEST_BODY} bytes\n", 413)
        heard.set()
        return _said("", 202)

    async def health(_request: Request) -> Response:
        return _said("ok\n")

    async def act_on_hints() -> None:
        while await heard.wait():
            heard.clear()
            try:
                await act()
            except Exception:
                log.exception("A hint led to no run; the schedule of %s reads its answers", COLLECT)
            await asyncio.sleep(pause_seconds)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        acting = asyncio.create_task(act_on_hints())
        yield
        acting.cancel()
        with suppress(asyncio.CancelledError):
            await acting

    app = Starlette(
        routes=[
            Route("/webhooks/{site}", hear, methods=["POST"]),
            Route("/health", health),
            *metrics.routes(settings),
        ],
        lifespan=lifespan,
    )
    # A redirect would send the visitor, and the secret, to whatever host the request names.
    app.router.redirect_slashes = False
    return app


def from_settings() -> Starlette:
    """The server as the settings in force want it; an ASGI server calls this to make it."""
    settings = load_settings()
    metrics.token(settings.metrics_token_file)
    return application(settings, start_collecting)


async def start_collecting() -> None:
    """Start a run of `collect`, unless one that has not begun yet will read what is new as well."""
    async with get_client() as prefect:
        deployment = await prefect.read_deployment_by_name(COLLECT)
        waiting = await prefect.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(
                    type=FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING])
                ),
                expected_start_time=FlowRunFilterExpectedStartTime(before_=datetime.now(UTC)),
            ),
            limit=1,
        )
        if not waiting:
            await prefect.create_flow_run_from_deployment(deployment.id, tags=["webhook"])


def _said(text: str, status: int = 200) -> Response:
    """A text that no browser takes for anything else."""
    return PlainTextResponse(text, status, {"X-Content-Type-Options": "nosniff"})


async def _secret_of(site: str, settings: Settings) -> str | None:
    """What webhooks of `site` must show; None where it is not ours, or has no secret."""
    if site not in settings.annotate.sites:
        return None
    try:
        block = await LabelStudioSite.aload(site)
    except ValueError:
        return None
    return block.webhook_secret.get_secret_value() if block.webhook_secret else None


async def _is_small(request: Request) -> bool:
    """Whether the body, which is thrown away as it comes, ends within `LARGEST_BODY`."""
    n_bytes = 0
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            n_bytes += len(chunk)
            if n_bytes > LARGEST_BODY:
                return False
    return True


if __name__ == "__main__":
    settings = load_settings()
    uvicorn.run(
        from_settings(),
        host="127.0.0.1",
        port=settings.servers.webhooks_port,
        # Prefect has set up logging as JSON, of uvicorn too.
        log_config=None if settings.observability.logs == "json" else LOGGING_CONFIG,
    )
