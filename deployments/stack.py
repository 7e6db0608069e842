"""The whole of groundtruth on one machine: Prefect, Label Studio and a worker, on loopback only.

`up` may be repeated at any time: it starts what is not running, leaves alone what is, and returns
when everything is healthy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployments import label_studio, orchestration
from deployments.orchestration import prefect_environment
from deployments.service import Service, StackError
from tasks.settings import Settings
from tasks.sites import simulated_site

__all__ = [
    "Login",
    "ServerStatus",
    "StackError",
    "StackStatus",
    "down",
    "logs",
    "prefect_environment",
    "status",
    "up",
]


@dataclass(frozen=True)
class ServerStatus:
    """One server as it is now; ``url`` is None for the worker, ``pid`` for what is not running."""

    name: str
    url: str | None
    pid: int | None
    healthy: bool
    log: Path


@dataclass(frozen=True)
class Login:
    """How a person enters Label Studio."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class StackStatus:
    """The servers in the order in which they start; no login before the first start."""

    servers: tuple[ServerStatus, ...]
    login: Login | None

    @property
    def healthy(self) -> bool:
        return all(server.healthy for server in self.servers)


def up(settings: Settings, on_progress: Callable[[str], None] = print) -> StackStatus:
    """Start what is not running, connect it, and wait until all of it is healthy.

    Raises `StackError` that names the server, the reason and what to change.
    """
    (settings.data / "blobs").mkdir(parents=True, exist_ok=True)
    prefect, labelling, worker = _services(settings).values()
    _install_label_studio(on_progress)
    started = _launch([prefect, labelling], on_progress)

    prefect.wait_until_ready()
    if worker.process() is None:
        worker.make_way()
        orchestration.create_work_pool(settings)
        orchestration.crash_orphaned_runs(settings)
    if worker.process() is None or not orchestration.deployments_are_current(settings):
        on_progress("Registering the deployments")
        orchestration.register_deployments(settings)

    labelling.wait_until_ready()
    known = label_studio.sign_in(settings)
    if worker.process() is None or labelling in started:
        on_progress("Saving the Label Studio site")
        for name, token in (
            (settings.annotate.site, known.admin_token),
            (simulated_site(settings.annotate.site), known.annotator_token),
        ):
            orchestration.save_site(settings, name, label_studio.url(settings), token)

    _launch([worker], on_progress)
    worker.wait_until_ready()
    return status(settings)


def status(settings: Settings) -> StackStatus:
    """How each server is doing; starts nothing."""
    known = label_studio.credentials(settings)
    urls = _urls(settings)
    return StackStatus(
        servers=tuple(
            _server_status(service, urls.get(service.name))
            for service in _services(settings).values()
        ),
        login=Login(known.admin_email, known.admin_password) if known else None,
    )


def down(settings: Settings, on_progress: Callable[[str], None] = print) -> None:
    """Stop the worker, then the servers; nothing that they started outlives them."""
    for service in reversed([*_services(settings).values()]):
        if service.process() is not None:
            on_progress(f"Stopping {service.name}")
        service.stop()


def logs(settings: Settings, server: str | None = None, lines: int = 30) -> str:
    """The last lines of one server's log, or of each, under a heading with the log's path."""
    services = _services(settings)
    if server is not None and server not in services:
        raise StackError(f"There is no server {server!r}. There are {', '.join(services)}.")
    chosen = [services[server]] if server else services.values()
    return "\n\n".join(f"==> {each.log} <==\n{each.tail(lines)}" for each in chosen)


def _services(settings: Settings) -> Mapping[str, Service]:
    """The servers in the order in which they start."""
    services = (
        orchestration.server(settings),
        label_studio.server(settings),
        orchestration.worker(settings),
    )
    return {service.name: service for service in services}


def _urls(settings: Settings) -> Mapping[str, str]:
    return {
        "prefect": orchestration.api_url(settings).removesuffix("/api"),
        "label-studio": label_studio.url(settings),
    }


def _install_label_studio(on_progress: Callable[[str], None]) -> None:
    folder = label_studio.environment_folder()
    if not label_studio.is_installed(folder):
        on_progress(f"Installing Label Studio into {folder} (once, some minutes)")
        label_studio.install(folder)


def _launch(services: Sequence[Service], on_progress: Callable[[str], None]) -> list[Service]:
    """Start, side by side, those that do not run, once each has its port; returns those."""
    absent = [service for service in services if service.process() is None]
    for service in absent:
        service.make_way()
    for service in absent:
        on_progress(f"Starting {service.name}")
        service.start()
    return absent


def _server_status(service: Service, url: str | None) -> ServerStatus:
    process = service.process()
    return ServerStatus(
        name=service.name,
        url=url,
        pid=process.pid if process else None,
        healthy=service.is_healthy(),
        log=service.log,
    )
