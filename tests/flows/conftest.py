"""A catalogue of its own for each test, on the servers that all tests share."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from label_studio_sdk import LabelStudio
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import AnyHttpUrl, SecretStr

from catalog.fingerprint import Fingerprint, fingerprint
from catalog.schema import Desk, Question, SiteTask
from catalog.summary import Summary, summarise
from deployments.orchestration import ROOT, prefect_environment, server
from deployments.sample import Sample, write
from tasks.settings import Settings, load_settings
from tasks.sites import LabelStudioSite
from tests.conftest import RunningStack, servers_on_free_ports

# Small enough to train in seconds on two cores, large enough for every step to have work.
SMALL = {
    "GROUNDTRUTH_ENCODER__IMAGE_SIZE": "32",
    "GROUNDTRUTH_ENCODER__EPOCHS": "8",
}


@dataclass(frozen=True)
class Workspace:
    """A catalogue that is empty at first, a Label Studio without projects, and a Prefect."""

    settings: Settings
    environment: dict[str, str]
    label_studio: LabelStudio

    @classmethod
    def open(cls, catalogue: Path, environment: dict[str, str], client: LabelStudio) -> "Workspace":
        own = environment | {"GROUNDTRUTH_CATALOGUE": f"sqlite:///{catalogue}"}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in own.items():
                patch.setenv(name, value)
            return cls(Settings(), own, client)

    def beside(self, catalogue: Path) -> "Workspace":
        """The same servers with another catalogue."""
        return self.open(catalogue, self.environment, self.label_studio)

    @property
    def variables(self) -> dict[str, str]:
        """What a worker is told, so that its flows work here."""
        ours = self.environment.items()
        return {name: value for name, value in ours if name.startswith("GROUNDTRUTH_")}

    def empty_label_studio(self) -> None:
        for project in list(self.label_studio.projects.list()):
            self.label_studio.projects.delete(project.id)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command line in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "deployments", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def groundtruth(self, *arguments: str) -> tuple[int, str]:
        """Run the command line to its end: exit status and what it printed."""
        process = self.start(*arguments)
        printed, _ = process.communicate()
        return process.returncode, printed

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def task_of(self, question: Question) -> tuple[int, int]:
        """The project and the task of a question on the site."""
        with self.settings.catalog.begin() as transaction:
            found = transaction.get(SiteTask, (question.id, Desk.CROWD))
        assert found is not None
        return found.project_id, found.task_id

    def summary(self) -> Summary:
        with self.settings.catalog.begin() as transaction:
            return summarise(transaction)

    def fingerprint(self) -> Sequence[Fingerprint]:
        with self.settings.catalog.begin() as transaction:
            return fingerprint(transaction)


@pytest.fixture
def workspace(
    stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    client = LabelStudio(base_url=stack.site.url, api_key=stack.credentials.admin_token)
    opened = Workspace.open(
        tmp_path / "catalogue.sqlite", prefect_environment(stack.settings) | SMALL, client
    )
    opened.empty_label_studio()
    # Without a webhook: a hint would start a run of `collect` on the stack's own catalogue.
    quiet = LabelStudioSite(
        url=AnyHttpUrl(stack.site.url), api_key=SecretStr(stack.credentials.admin_token)
    )
    for name, value in opened.environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    # Events go where they went first in this process: to the server of a test before this one.
    EventsWorker.drain_all()
    with temporary_settings({PREFECT_API_URL: opened.environment["PREFECT_API_URL"]}):
        usual = LabelStudioSite.load(stack.site.name, _sync=True)
        quiet.save(stack.site.name, overwrite=True)
        yield opened
        usual.save(stack.site.name, overwrite=True)
    load_settings.cache_clear()


@pytest.fixture
def overrides() -> dict[str, str]:
    """What a module sets otherwise than groundtruth.toml, by environment variable."""
    return {}


@pytest.fixture
def settings(
    overrides: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A catalogue of its own, without servers."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path))
    for name, value in overrides.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    yield load_settings()
    load_settings.cache_clear()


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Prefect server that keeps events at once, and nothing else."""
    settings = Settings(data=tmp_path_factory.mktemp("prefect"), servers=servers_on_free_ports())
    running = server(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL", "0.2")
        running.start()
    try:
        running.wait_until_ready()
        yield settings
    finally:
        running.stop()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Pictures of a few products in a left-to-right and a right-to-left locale."""
    return write(
        tmp_path_factory.mktemp("sample"),
        locales=("en-US", "ar-EG"),
        labelled_products=5,
        new_products=3,
        images_per_product=5,
        rounds=2,
    )
