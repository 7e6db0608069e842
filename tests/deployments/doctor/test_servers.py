"""Prefect and the sites under the doctor's eyes: real ones, stopped and tampered with."""

import datetime as dt
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import AnyHttpUrl, SecretStr
from typer.testing import CliRunner

from annotation import Site, Wording
from annotation import task as site_task
from catalog import decisions
from catalog.database import add_new
from catalog.schema import Desk, Question, QuestionKind, SiteProject
from deployments import orchestration
from deployments.doctor import clocks, command, prefect, programs, sites
from deployments.doctor.examination import Check, Finding, Level
from deployments.orchestration import ROOT, prefect_client, prefect_environment, save_sites
from tasks.settings import Annotate, Settings
from tasks.sites import LabelStudioSite
from tests.conftest import RunningStack, free_ports, servers_on_free_ports
from tests.deployments.doctor.findings import told

RUNNING = {"type": "RUNNING", "name": "Running"}


@contextmanager
def prefect_at(address: str) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: address}):
        yield


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(data=tmp_path_factory.mktemp("idle"), servers=servers_on_free_ports())
    running = orchestration.server(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED", "false")
        running.start()
    try:
        running.wait_until_ready()
        orchestration.create_work_pool(settings)
        with prefect_at(settings.servers.prefect_api):
            assert told(prefect.schedules, settings, Level.ERROR)  # nothing is registered
            orchestration.register_deployments(settings)
            yield settings
    finally:
        running.stop()


class TestAPrefectThatDoesNothing:
    """Its scheduler is off, as it is in effect with some versions, and no worker ever came."""

    def test_a_schedule_without_runs_to_come_is_an_error(self, idle: Settings) -> None:
        found = told(prefect.schedules, idle, Level.ERROR)

        assert any(
            "the schedule of collect is on, and no run of it is to come" in each.says
            for each in found
        )

    def test_a_pool_without_worker_is_an_error(self, idle: Settings) -> None:
        [found] = told(prefect.workers, idle, Level.ERROR)

        assert "the pool groundtruth never had a worker" in found.says

    def test_a_run_whose_process_is_gone_and_the_place_that_it_holds_are_named(
        self, idle: Settings
    ) -> None:
        assert not told(prefect.runs, idle, Level.ERROR)
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        with prefect_client(idle) as api:

            def post(path: str, **body: Any) -> Any:
                return api.post(path, json=body).json()

            known = {each["entrypoint"]: each["id"] for each in post("/deployments/filter")}
            collect = known["flows/collect.py:collect"]
            run = post(f"/deployments/{collect}/create_flow_run")["id"]
            post(f"/flow_runs/{run}/set_state", state=RUNNING, force=True)
            api.patch(
                f"/flow_runs/{run}",
                json={"infrastructure_pid": f"{socket.gethostname()}:{ended.pid}"},
            )
            limits = post("/v2/concurrency_limits/filter")
            taken = max(each["active_slots"] for each in limits)

            [found] = told(prefect.runs, idle, Level.ERROR)
            assert run in found.says
            assert "its process is gone" in found.says

            post(f"/flow_runs/{run}/set_state", state={"type": "CRASHED"}, force=True)
            assert not told(prefect.leases, idle, Level.ERROR)
            api.post(
                "/v2/concurrency_limits/increment",
                json={"names": [f"deployment:{collect}"], "slots": 1, "mode": "concurrency"},
            )

        [found] = told(prefect.leases, idle, Level.ERROR)
        assert f"{max(taken, 1)} places of collect are taken, and 0 of its runs go on" in found.says
        assert told(prefect.runs, idle, Level.WARNING)  # of the run that crashed

    def test_a_prefect_that_is_down_is_an_error_that_says_where(self, idle: Settings) -> None:
        [closed] = free_ports(1)

        with prefect_at(f"http://127.0.0.1:{closed}/api"):
            [found] = told(prefect.server, idle, Level.ERROR)

        assert f"127.0.0.1:{closed}" in found.says


@pytest.fixture
def settings(stack: RunningStack, tmp_path: Any) -> Iterator[Settings]:
    """The stack's settings with a catalogue of the test's own."""
    opened = Settings(
        data=stack.settings.data,
        servers=stack.settings.servers,
        catalogue=f"sqlite:///{tmp_path / 'catalogue.sqlite'}",
    )
    with opened.catalog.begin(), prefect_at(stack.settings.servers.prefect_api):
        pass
    with prefect_at(stack.settings.servers.prefect_api):
        yield opened
    opened.catalog.close()


def at(settings: Settings, name: str, url: str, token: str) -> Settings:
    """The settings with one site, whose block is saved."""
    save_sites(settings, {name: LabelStudioSite(url=AnyHttpUrl(url), api_key=SecretStr(token))})
    return settings.model_copy(update={"annotate": Annotate(sites=[name])})


def test_a_running_stack_has_no_error_and_every_check_answers(stack: RunningStack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deployments", "doctor", "--json"],
        cwd=ROOT,
        env=prefect_environment(stack.settings),
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)

    assert [each for each in found if each["level"] == "error"] == []
    assert done.returncode == 0
    assert {each["check"] for each in found} == {each.name for each in command.checks()}


def test_the_command_ends_with_1_where_something_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [closed] = free_ports(1)
    two = (Check("python", programs.python), Check("prefect", prefect.server))
    monkeypatch.setattr(command, "checks", lambda: two)
    monkeypatch.setenv("COLUMNS", "300")

    with prefect_at(f"http://127.0.0.1:{closed}/api"):
        done = CliRunner().invoke(command.app)

    assert done.exit_code == 1
    assert f"Prefect at http://127.0.0.1:{closed}/api does not answer" in done.stdout
    assert "Python 3.11" in done.stdout


class TestSites:
    def test_a_token_that_is_void_is_named(self, stack: RunningStack, settings: Settings) -> None:
        refused = at(settings, "doctor-refused", stack.site.url, "0" * 40)

        [found] = told(sites.reached, refused, Level.ERROR)

        assert "refused the token" in found.says

    def test_a_site_that_is_down_is_named(self, settings: Settings) -> None:
        [closed] = free_ports(1)
        gone = at(settings, "doctor-gone", f"http://127.0.0.1:{closed}", "0" * 40)

        for look in (sites.reached, sites.lag, sites.drift):
            [found] = told(look, gone, Level.ERROR)
            assert "doctor-gone" in found.says

    def test_a_locale_that_no_site_serves_is_named(self, settings: Settings) -> None:
        block = LabelStudioSite(
            url=AnyHttpUrl("http://site.example"), api_key=SecretStr("key"), locales=["de-DE"]
        )
        save_sites(settings, {"doctor-german": block})
        german = settings.model_copy(update={"annotate": Annotate(sites=["doctor-german"])})

        [found] = told(sites.locales, german, Level.ERROR)

        assert "ja-JP" in found.says
        assert "de-DE" not in found.says

    def test_webhooks_that_nobody_hears_are_a_warning(self, settings: Settings) -> None:
        assert told(sites.hearing, settings, Level.OK) or told(
            sites.hearing, settings, Level.WARNING
        )
        [closed] = free_ports(1)
        elsewhere = Annotate(webhooks_url=AnyHttpUrl(f"http://127.0.0.1:{closed}"))
        unheard = settings.model_copy(update={"annotate": elsewhere})

        [found] = told(sites.hearing, unheard, Level.WARNING)

        assert f"nothing answers at http://127.0.0.1:{closed}" in found.says

    def test_tasks_that_somebody_deleted_or_doubled_are_told_and_left(
        self, stack: RunningStack, settings: Settings
    ) -> None:
        site = Site("local", stack.site.url, stack.credentials.admin_token)
        wording = Wording.load("en-US").model_copy(update={"locale": f"en-{uuid4().hex[:8]}"})
        project = site.ensure_project(QuestionKind.VERIFY, wording)
        kept, gone, twice = (question(wording.locale) for _ in range(3))
        tasks = [site_task(each, str) for each in (kept, gone, twice)]
        task_ids = site.push(project, tasks)
        with settings.catalog.begin() as transaction:
            add_new(transaction, [kept, gone, twice])
            decisions.record_tasks(transaction, Desk.CROWD, project, task_ids)
            decisions.record_project(
                transaction,
                SiteProject(
                    site="local",
                    locale=wording.locale,
                    kind="verify",
                    desk=Desk.CROWD,
                    project_id=project,
                ),
            )
        assert not told(sites.drift, settings, Level.ERROR)

        headers = {"Authorization": f"Token {stack.credentials.admin_token}"}
        with httpx.Client(base_url=stack.site.url, headers=headers, timeout=60) as api:
            api.delete(f"/api/tasks/{task_ids[gone.id]}").raise_for_status()
            api.post(f"/api/projects/{project}/import", json=tasks[2:]).raise_for_status()

            missing, doubled = told(sites.drift, settings, Level.ERROR)
            assert "1 questions are gone from the site: nobody is asked them, for example" in (
                missing.says
            )
            assert gone.id in missing.says
            assert twice.id in doubled.says
            left = api.get("/api/tasks", params={"project": project}).json()["total"]
        assert left == 3

    def test_an_answer_that_is_not_collected_for_long_is_told(
        self, stack: RunningStack, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sites, "LONGEST_LAG", dt.timedelta(0))
        site = Site("local", stack.site.url, stack.credentials.admin_token)
        wording = Wording.load("en-US").model_copy(update={"locale": f"en-{uuid4().hex[:8]}"})
        project = site.ensure_project(QuestionKind.VERIFY, wording)
        asked = question(wording.locale)
        [task_id] = site.push(project, [site_task(asked, str)]).values()
        recorded = SiteProject(
            site="local", locale=wording.locale, kind="verify", desk="crowd", project_id=project
        )
        with settings.catalog.begin() as transaction:
            decisions.record_project(transaction, recorded)
        assert not told(sites.lag, settings, Level.ERROR)

        annotator = Site("local", stack.site.url, stack.credentials.annotator_token)
        choice = {"choices": ["confirm"]}
        said = {"from_name": "verdict", "to_name": "verdict", "type": "choices", "value": choice}
        annotator.annotate(task_id, [said], 3.0)
        [found] = told(sites.lag, settings, Level.ERROR)
        assert "local: an answer waits to be collected" in found.says

        through = site.pull(project).through
        with settings.catalog.begin() as transaction:
            decisions.record_pull(transaction, "local", project, through)
        assert not told(sites.lag, settings, Level.ERROR)


class FastClock(BaseHTTPRequestHandler):
    """A server that lives ten minutes ahead."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        ahead = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10)
        return super().date_time_string(ahead.timestamp())

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_clock_that_is_ahead_is_named(settings: Settings) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FastClock)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        fast = at(settings, "doctor-fast", f"http://127.0.0.1:{server.server_port}", "0" * 40)
        [found] = told(clocks.clocks, fast, Level.ERROR)
        [right] = told(clocks.clocks, fast, Level.OK)
    finally:
        server.shutdown()
        server.server_close()

    assert "the site doctor-fast is" in found.says
    assert "ahead of this machine" in found.says
    assert right == Finding(Level.OK, "Prefect has the time of this machine")


def question(locale: str) -> Question:
    return Question(
        id=uuid4().hex, kind="verify", locale=locale, site="local", image_ids=["a", "b"]
    )
