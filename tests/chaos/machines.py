"""The machines of the campaign: its servers, its small disk and its two clocks.

Each is broken and mended here. Prefect, its worker and the webhooks are brought up again by the
product's own `up`; Label Studio and PostgreSQL, as a supervisor of services would.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import httpx
import psutil
from label_studio_sdk import LabelStudio
from pydantic import AnyHttpUrl, SecretStr

from deployments import orchestration, stack
from deployments.label_studio import LocalSite
from deployments.service import Service
from tasks.settings import Annotate, Settings
from tasks.sites import LabelStudioSite
from tests.annotation.faults import FaultyProxy
from tests.chaos.schedule import Kind
from tests.conftest import servers_on_free_ports
from tests.postgresql import FOR_A_STACK, USER, PostgreSQL, of_label_studio

SITE = "chaos"
N_ANNOTATORS = 2
DISK_BYTES = 256_000_000
BALLAST = "ballast"
SOURCE = Path(__file__).with_name("clock.c")


@dataclass(frozen=True)
class Clock:
    """The wall clock of one machine: of every process that starts with its `environment`.

    `clock.c`, loaded into such a process, reads from `folder` how far off the clock is, so that it
    can step while the process runs.
    """

    folder: Path

    def make(self) -> bool:
        """Set the clock right; whether there is a compiler, without which it cannot step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._offset.write_bytes(struct.pack("l", 0))
        compiler = shutil.which("cc")
        if compiler is not None and not self._library.exists():
            command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(self._library), str(SOURCE)]
            subprocess.run([*command, "-ldl"], check=True)
        return compiler is not None

    @property
    def environment(self) -> dict[str, str]:
        if not self._library.exists():
            return {}
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._offset)}

    def step(self, seconds: int) -> None:
        """Let it be so many seconds off from now on."""
        with self._offset.open("r+b") as file:
            file.write(struct.pack("l", seconds))

    @property
    def _library(self) -> Path:
        return self.folder / "clock.so"

    @property
    def _offset(self) -> Path:
        return self.folder / "offset"


@dataclass(frozen=True)
class Disk:
    """A file system of its own, with little room, for the catalogue and the blobs."""

    folder: Path

    def mount(self) -> bool:
        """Whether it could be mounted; without it, the folder is one like any other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.folder.is_mount():
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", SITE, str(self.folder)],
                check=False,
                capture_output=True,
            )
        self.folder.chmod(0o755)
        return self.folder.is_mount()

    def unmount(self) -> None:
        if self.folder.is_mount():
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fill(self) -> None:
        """Leave no room."""
        with suppress(OSError), (self.folder / BALLAST).open("wb", buffering=0) as file:
            while file.write(bytes(1_000_000)):
                pass

    def make_room(self) -> None:
        (self.folder / BALLAST).unlink(missing_ok=True)


class Machines:
    """Everything that runs, in `folder`; the same folder is taken up again by the next campaign."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = PostgreSQL(folder / "postgresql", options=FOR_A_STACK)
        self.disk = Disk(folder / "disk")
        self.flows_clock = Clock(folder / "clocks" / "flows")
        self.site_clock = Clock(folder / "clocks" / "site")
        self._ports = servers_on_free_ports(chaos={})
        self.possible = set(Kind)

    def start(self) -> None:
        """Start everything; what cannot be done on this machine is no longer `possible`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.disk.mount():
            self.possible.discard(Kind.FULL_DISK)
        for clock, kind in (
            (self.flows_clock, Kind.FLOWS_CLOCK),
            (self.site_clock, Kind.SITE_CLOCK),
        ):
            if not clock.make():
                self.possible.discard(kind)
        place = self.disk.folder / "tablespace"
        place.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(place, USER)
        self.database.start()
        for name in {"prefect", "label_studio"} - self.database.databases():
            self.database.execute(f"CREATE DATABASE {name}")
        self._make_tablespace()
        self.label_studio.start()
        os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = self.database.url(
            "prefect", "asyncpg"
        )
        self.heal()
        known = self._local_site.sign_in()
        self._save_site()
        for person in (known.admin, *known.annotators):
            assert person.token

    def stop(self) -> None:
        stack.down(self.settings, on_progress=_silent)
        self.label_studio.stop()
        self.proxy.close()
        self.disk.make_room()
        self.database.stop()
        self.disk.unmount()

    @cached_property
    def settings(self) -> Settings:
        """Of the stack: Prefect, the worker and the webhooks; Label Studio is started here."""
        return Settings(
            data=self.folder / "stack",
            servers=self._ports.model_copy(update={"label_studio": {}}),
            annotate=Annotate(sites=[SITE]),
        )

    @cached_property
    def environment(self) -> dict[str, str]:
        """What every flow is told, wherever it runs."""
        told = orchestration.prefect_environment(self.settings)
        ours = {name: told[name] for name in told if name.startswith(("GROUNDTRUTH_", "PREFECT_"))}
        return {**ours, "OMP_NUM_THREADS": "1"}

    @property
    def api(self) -> str:
        return self.settings.servers.prefect_api

    @cached_property
    def label_studio(self) -> Service:
        """On PostgreSQL, as in production, with the clock of its own machine."""
        server = self._local_site.server()
        usual = server.environment

        def environment() -> Mapping[str, str]:
            return {
                **usual(),
                **of_label_studio(self.database),
                **self.site_clock.environment,
            }

        return replace(server, environment=environment)

    @cached_property
    def proxy(self) -> FaultyProxy:
        """The way from the flows to the site."""
        return FaultyProxy(self._local_site.url)

    @property
    def site_url(self) -> str:
        """Where annotators open the site."""
        return self._local_site.url

    @property
    def annotators(self) -> list[tuple[str, str]]:
        """The e-mail address and the token of each annotator."""
        known = self._local_site.credentials()
        assert known is not None
        return [(each.email, each.token) for each in known.annotators]

    @property
    def admin(self) -> LabelStudio:
        known = self._local_site.credentials()
        assert known is not None
        return LabelStudio(base_url=self._local_site.url, api_key=known.admin.token)

    @property
    def blobs(self) -> Path:
        return self.disk.folder / "blobs"

    def heal(self) -> None:
        """See that everything runs again."""
        self.disk.make_room()
        self.database.start()
        if self.label_studio.process() is None:
            self.label_studio.start()
        stack.up(self.settings, on_progress=_silent)
        self._pause_schedules()
        self.label_studio.wait_until_ready()

    def reset_clocks(self) -> None:
        for clock in (self.flows_clock, self.site_clock):
            clock.step(0)

    def kill(self, kind: Kind) -> bool:
        """Kill the server that `kind` names; whether it was running."""
        if kind == Kind.KILL_DATABASE:
            self.database.kill()
            return True
        process = {
            Kind.KILL_WORKER: orchestration.worker(self.settings),
            Kind.KILL_PREFECT: orchestration.server(self.settings),
            Kind.KILL_SITE: self.label_studio,
        }[kind].process()
        if process is None:
            return False
        # The worker alone: the flow that it runs is left an orphan.
        others = [] if kind == Kind.KILL_WORKER else process.children(recursive=True)
        killed = [process, *others]
        for each in killed:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(killed)  # one that is dying still has its port
        return True

    def new_database(self, name: str, template: str | None = None) -> str:
        """The URL of another catalogue on the small disk, as the `template` is."""
        self.drop_database(name)
        copied = f"TEMPLATE {template}" if template else ""
        self.database.execute(f"CREATE DATABASE {name} {copied} TABLESPACE {SITE}")
        return self.database.url(name)

    def drop_database(self, name: str) -> None:
        self.database.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def new_blobs(self, like: Path | None = None) -> None:
        """Empty the blob store, or fill it as the folder `like` is."""
        shutil.rmtree(self.blobs, ignore_errors=True)
        if like is not None:
            shutil.copytree(like, self.blobs)
        self._local_site.pictures.mkdir(parents=True, exist_ok=True)

    def empty_site(self) -> None:
        """Delete every project of the site."""
        client = self.admin
        for project in list(client.projects.list()):
            client.projects.delete(project.id)

    @property
    def _local_site(self) -> LocalSite:
        return LocalSite(
            name=SITE,
            port=self._ports.label_studio[SITE].port,
            locales=(),
            n_annotators=N_ANNOTATORS,
            data=self.folder / "stack",
            pictures=self.blobs / "sites" / SITE,
        )

    def _make_tablespace(self) -> None:
        """On the small disk, which is empty when it was mounted anew."""
        place = self.disk.folder / "tablespace"
        for name in self.database.databases():
            if name.startswith("loop"):
                self.drop_database(name)
        self.database.execute(f"DROP TABLESPACE IF EXISTS {SITE}")
        self.database.execute(f"CREATE TABLESPACE {SITE} LOCATION '{place}'")

    def _save_site(self) -> None:
        known = self._local_site.credentials()
        assert known is not None
        block = LabelStudioSite(
            url=AnyHttpUrl(self.proxy.url), api_key=SecretStr(known.admin.token)
        )
        orchestration.save_sites(self.settings, {SITE: block})

    def _pause_schedules(self) -> None:
        """Nothing runs but what the campaign asks for."""
        with httpx.Client(base_url=self.api, timeout=30) as api:
            found = api.post("/deployments/filter", json={}).raise_for_status().json()
            for deployment in found:
                if not deployment["paused"]:
                    api.post(f"/deployments/{deployment['id']}/pause_deployment").raise_for_status()


def _silent(_: str) -> None:
    pass
