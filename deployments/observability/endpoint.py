"""`/metrics`: what Prometheus reads, for whoever shows the token.

Everything is computed when it is asked for, from rows, from Prefect and from the disks, so that no
count is lost with a process and two servers say the same. A part that cannot be read is missing,
`groundtruth_part_up` says so, and the others are there.
"""

import datetime as dt
import hmac
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deployments.observability import families
from deployments.observability.of_catalogue import of_catalogue
from deployments.observability.of_disks import of_disks
from deployments.observability.of_prefect import of_prefect
from deployments.observability.of_sites import of_sites
from tasks.settings import Settings, load_settings

Part = Callable[[], Iterator[Metric]]

log = logging.getLogger("uvicorn.error")


class Parts(Collector):
    """Metrics in parts, each read whole or not at all."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts

    def describe(self) -> list[Metric]:
        """Nothing: only what is collected tells what there is."""
        return []

    def collect(self) -> Iterator[Metric]:
        up: dict[tuple[str, ...], float] = {}
        seconds: dict[tuple[str, ...], float] = {}
        for name, part in self._parts.items():
            began = time.monotonic()
            try:
                found = list(part())
            except Exception:
                log.exception("The metrics of %s cannot be read", name)
                found = []
                up[(name,)] = 0.0
            else:
                up[(name,)] = 1.0
            seconds[(name,)] = time.monotonic() - began
            yield from found
        yield families.PART_UP.of(up)
        yield families.PART_SECONDS.of(seconds)


def routes(settings: Settings) -> Sequence[Route]:
    """`/metrics`, and apart from it `/metrics/sites`, which asks every site."""
    here: dict[str, Part] = {
        "catalogue": lambda: of_catalogue(settings, dt.datetime.now(dt.UTC)),
        "prefect": of_prefect,
        "disks": lambda: of_disks(settings),
    }
    sites: dict[str, Part] = {"sites": lambda: of_sites(settings)}
    return [
        Route("/metrics", _endpoint(settings, here)),
        Route("/metrics/sites", _endpoint(settings, sites)),
    ]


def from_settings() -> Starlette:
    """A server of the metrics alone; an ASGI server calls this to make it."""
    settings = load_settings()
    token(settings.metrics_token_file)
    health = Route("/health", lambda _request: PlainTextResponse("ok\n"))
    return Starlette(routes=[*routes(settings), health])


def token(file: Path) -> str:
    """The token that `file` holds, for its owner only; made where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        made = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(made, "w") as writer:
        writer.write(secrets.token_urlsafe(32))
    return token(file)


def _endpoint(settings: Settings, parts: Mapping[str, Part]) -> Callable[[Request], Response]:
    registry = CollectorRegistry()
    registry.register(Parts(parts))

    def metrics(request: Request) -> Response:
        known = token(settings.metrics_token_file)
        shown = request.headers.get("Authorization", "").encode("latin-1")
        if not (known and hmac.compare_digest(shown, f"Bearer {known}".encode())):
            return Response(
                "Authorization does not hold the token of metrics\n",
                401,
                {"WWW-Authenticate": "Bearer"},
            )
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), headers={"Content-Type": content_type})

    return metrics
