"""The whole of groundtruth on one machine: Prefect, a Label Studio for each site, a worker and the
webhooks server, on loopback only.

`up` may be repeated at any time: it starts what is not running, leaves alone what is, and returns
when everything is healthy. What it saves as the blocks of the local sites follows the settings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AnyHttpUrl, SecretStr

from deployments import label_studio, notifications, orchestration, webhooks
from deployments.label_studio import LocalSite, local_sites
from deployments.logins import Credentials, Person
from deployments.orchestration import prefect_environment
from deployments.service import Service, StackError
from tasks.blocks import register as register_forms
from tasks.settings import Settings
from tasks.sites import LabelStudioSite, lead_site, simulated_site

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
    """How the admin enters the Label Studio of a site, and the file of all its logins."""

    site: str
    url: str
    email: str
    password: str = field(repr=False)
    file: Path


@dataclass(frozen=True)
class StackStatus:
    """The servers in the order in which they start; no login of a site before its first start."""

    servers: tuple[ServerStatus, ...]
    logins: tuple[Login, ...]

    @property
    def healthy(self) -> bool:
        return all(server.healthy for server in self.servers)


def up(settings: Settings, on_progress: Callable[[str], None] = print) -> StackStatus:
    """Start what is not running, connect it, and wait until all of it is healthy.

    Raises `StackError` that names the server, the reason and what to change.
    """
    sites = local_sites(settings)
    labelling = [site.server() for site in sites]
    prefect = orchestration.server(settings)
    worker = orchestration.worker(settings)
    hearing = webhooks.server(settings)
    if sites:
        _install_label_studio(on_progress)
    _launch([prefect, *labelling], on_progress)

    prefect.wait_until_ready()
    if worker.process() is None:
        worker.make_way()
        orchestration.create_work_pool(settings)
        orchestration.crash_orphaned_runs(settings)
    if not orchestration.deployments_are_current(settings):
        on_progress("Registering the deployments")
        orchestration.register_deployments(settings)
        register_forms(settings.servers.prefect_api)
    if settings.notifications.block is not None:
        notifications.subscribe(settings.servers.prefect_api, settings.notifications.block)

    for site, server in zip(sites, labelling, strict=True):
        server.wait_until_ready()
        orchestration.save_sites(settings, _blocks(site, site.sign_in()))

    _launch([worker, hearing], on_progress)
    for service in (worker, hearing):
        service.wait_until_ready()
    return status(settings)


def status(settings: Settings) -> StackStatus:
    """How each server is doing; starts nothing."""
    return StackStatus(
        servers=tuple(_server_status(service) for service in _services(settings).values()),
        logins=tuple(
            Login(
                site.name, site.url, known.admin.email, known.admin.password, site.credentials_file
            )
            for site in local_sites(settings)
            if (known := site.credentials()) is not None
        ),
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
        *(site.server() for site in local_sites(settings)),
        orchestration.worker(settings),
        webhooks.server(settings),
    )
    return {service.name: service for service in services}


def _blocks(site: LocalSite, known: Credentials) -> dict[str, LabelStudioSite]:
    """The keys to a local site by the name of their Prefect block: ours, and its people's."""

    def block(person: Person, webhook_secret: SecretStr | None = None) -> LabelStudioSite:
        return LabelStudioSite(
            url=AnyHttpUrl(site.url),
            api_key=SecretStr(person.token),
            locales=list(site.locales),
            webhook_secret=webhook_secret,
        )

    return {
        site.name: block(known.admin, SecretStr(known.webhook_secret)),
        lead_site(site.name): block(known.lead),
        **{
            simulated_site(site.name, number): block(annotator)
            for number, annotator in enumerate(known.annotators, start=1)
        },
    }


def _install_label_studio(on_progress: Callable[[str], None]) -> None:
    folder = label_studio.environment_folder()
    if not label_studio.is_installed(folder):
        on_progress(f"Installing Label Studio into {folder} (once, some minutes)")
        label_studio.install(folder)


def _launch(services: Sequence[Service], on_progress: Callable[[str], None]) -> None:
    """Start, side by side, those that do not run, once each has its port."""
    absent = [service for service in services if service.process() is None]
    for service in absent:
        service.make_way()
    for service in absent:
        on_progress(f"Starting {service.name}")
        service.start()


def _server_status(service: Service) -> ServerStatus:
    process = service.process()
    return ServerStatus(
        name=service.name,
        url=f"http://127.0.0.1:{service.port}" if service.port else None,
        pid=process.pid if process else None,
        healthy=service.is_healthy(),
        log=service.log,
    )
