"""The running servers: who may ask them what, and what they never say."""

import json
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr
from starlette.routing import Route

from annotation import Site, Wording, invalid_annotations, new_answers, task
from annotation.results import result
from annotation.site import SECRET_HEADER
from catalog.schema import QuestionKind, Verdict
from deployments.label_studio import local_sites
from deployments.orchestration import prefect_client
from deployments.webhooks import application
from tasks.settings import Annotate, Settings
from tasks.sites import LabelStudioSite
from tests.annotation.conftest import make_question
from tests.conftest import RunningStack
from tests.flows.conftest import *  # noqa: F403
from tests.flows.conftest import Workspace

OPEN = {"/health"}
"""Routes of the webhooks server that say nothing but that it runs."""


@pytest.fixture
def webhooks(stack: RunningStack) -> Iterator[httpx.Client]:
    base = f"http://127.0.0.1:{stack.settings.servers.webhooks_port}"
    with httpx.Client(base_url=base, timeout=30) as client:
        yield client


async def _nothing() -> None:
    return None


def routes() -> list[Route]:
    app = application(Settings(annotate=Annotate(sites=["local"])), _nothing)
    return [route for route in app.routes if isinstance(route, Route)]


class TestWebhooks:
    def test_every_route_but_health_asks_for_the_secret(
        self, stack: RunningStack, webhooks: httpx.Client
    ) -> None:
        guarded = [route for route in routes() if route.path not in OPEN]
        assert guarded
        for route in guarded:
            for method in route.methods or ():
                answer = webhooks.request(method, route.path.format(site=stack.site.name))
                assert answer.status_code == 401, route

    def test_no_visitor_is_sent_to_the_host_that_a_request_names(
        self, webhooks: httpx.Client
    ) -> None:
        forged = {"Host": "evil.example"}
        assert webhooks.post("/webhooks/local/", headers=forged).status_code == 404

    @pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/webhooks"])
    def test_there_is_nothing_else(self, webhooks: httpx.Client, path: str) -> None:
        assert webhooks.get(path).status_code == 404

    @pytest.mark.parametrize("path", ["/webhooks/local", "/webhooks/nobody", "/health"])
    def test_no_answer_is_taken_for_a_page(self, webhooks: httpx.Client, path: str) -> None:
        answer = webhooks.post(path) if "webhooks" in path else webhooks.get(path)
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_one_site_s_secret_opens_no_other(
        self, stack: RunningStack, webhooks: httpx.Client
    ) -> None:
        shown = {SECRET_HEADER: stack.credentials.webhook_secret}
        answers = [
            webhooks.post(f"/webhooks/{site}", headers=shown).status_code
            for site in ("local-lead", "../local", "local%00", "LOCAL")
        ]
        assert set(answers) == {404}


class TestPrefect:
    def test_no_other_page_in_the_operator_s_browser_may_read_it(self, stack: RunningStack) -> None:
        asked = {
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        blocks = f"{stack.settings.servers.prefect_api}/block_documents/filter"
        answer = httpx.options(blocks, headers=asked)
        assert answer.headers.get("Access-Control-Allow-Origin") is None

    def test_its_own_pages_may(self, stack: RunningStack) -> None:
        own = stack.settings.servers.prefect_api.removesuffix("/api")
        asked = {"Origin": own, "Access-Control-Request-Method": "POST"}
        answer = httpx.options(f"{own}/api/block_documents/filter", headers=asked)
        assert answer.headers["Access-Control-Allow-Origin"] == own


def test_only_the_owner_can_enter_the_folder_of_the_servers(stack: RunningStack) -> None:
    servers = stack.settings.data / "servers"
    assert stat.S_IMODE(servers.stat().st_mode) == 0o700
    for site in local_sites(stack.settings):
        assert stat.S_IMODE(site.credentials_file.stat().st_mode) == 0o600


def test_malformed_answers_hold_back_no_other_to_the_same_question(stack: RunningStack) -> None:
    admin = Site("local", stack.site.url, stack.credentials.admin_token)
    wording = Wording.load("en-US").model_copy(update={"locale": f"en-{uuid.uuid4().hex[:8]}"})
    project = admin.ensure_project(QuestionKind.VERIFY, wording)
    question = make_question("a", "b")
    [task_id] = admin.push(project, [task(question, str)]).values()
    hostile = ([1, "x"], [{"from_name": "verdict"}], [{"from_name": "name", "value": {"text": 7}}])
    with httpx.Client(base_url=stack.site.url, timeout=60) as annotator:
        annotator.headers["Authorization"] = f"Token {stack.credentials.annotator_token}"
        taken = [
            annotator.post(
                f"/api/tasks/{task_id}/annotations/",
                json={"result": regions, "lead_time": -1e300},
            ).is_success
            for regions in hostile
        ]
        assert any(taken)
        said = {"result": result(QuestionKind.VERIFY, Verdict.CONFIRM, name="Tea")}
        annotator.post(f"/api/tasks/{task_id}/annotations/", json=said).raise_for_status()

    [submission] = admin.pull(project).submissions

    problems = list(invalid_annotations(submission, question))
    assert len(problems) == sum(taken)
    assert all("correct or delete the annotation there" in each for each in problems)
    [answer] = new_answers(submission, question, [])
    assert answer.name == "Tea"


HARMLESS = "planted-harmless-word-2b7d"
"""Stands where everybody may read it: what finds it there would find a secret as well."""

PLANTED = {
    "token": "planted-token-3f9c",
    "webhook": "planted-webhook-71aa",
    "access": "planted-access-key-55d0",
    "secret": "planted-secret-key-8e1b",
    "database": "planted-database-password-c2",
    "signature": "planted-signature-90ab",
    "login": "planted-login-6d6d",
}


def kept_by(prefect: httpx.Client, kind: str) -> str:
    """All that it holds of a kind, page by page."""
    pages = []
    while (page := prefect.post(f"/{kind}/filter", json={"offset": 200 * len(pages)})).json():
        page.raise_for_status()
        pages.append(page.text)
    return "".join(pages)


def events_of(prefect: httpx.Client) -> str:
    page = prefect.post("/events/filter", json={}).raise_for_status()
    pages = [page.text]
    while following := page.json()["next_page"]:
        page = prefect.get(following).raise_for_status()
        pages.append(page.text)
    return "".join(pages)


def test_planted_secrets_are_shown_nowhere(
    workspace: Workspace, stack: RunningStack, tmp_path: Path
) -> None:
    planted = LabelStudioSite(
        url=AnyHttpUrl(stack.site.url),
        api_key=SecretStr(PLANTED["token"]),
        webhook_secret=SecretStr(PLANTED["webhook"]),
        pictures_access_key=SecretStr(PLANTED["access"]),
        pictures_secret_key=SecretStr(PLANTED["secret"]),
        pictures_region=HARMLESS,
    )
    planted.save(stack.site.name, overwrite=True)
    manifest = tmp_path / f"{HARMLESS}.jsonl"
    manifest.write_text(
        json.dumps(
            {
                "uri": f"https://{PLANTED['login']}@127.0.0.1:1/{HARMLESS}.jpg"
                f"?X-Amz-Signature={PLANTED['signature']}",
                "locale": "en-US",
            }
        )
    )
    loud = {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_DEBUG_MODE": "true", "PYTHONUNBUFFERED": "1"}
    workspace.environment.update(loud)
    database = f"postgresql+psycopg://user:{PLANTED['database']}@127.0.0.1:1/none"

    printed = [
        workspace.groundtruth("ingest", str(manifest)),
        workspace.groundtruth("sites"),
        workspace.groundtruth("annotate"),
    ]
    workspace.environment["GROUNDTRUTH_CATALOGUE"] = database
    printed += [workspace.groundtruth("collect")]

    assert {status for status, _ in printed} == {0, 1}
    told = "\n".join(text for _, text in printed)
    told += "".join(
        file.read_text(errors="replace") for file in (stack.settings.data / "servers").glob("*.log")
    )
    with prefect_client(stack.settings) as prefect:
        kinds = ("flow_runs", "task_runs", "logs", "artifacts", "block_documents")
        kept = {kind: kept_by(prefect, kind) for kind in kinds}
        kept["events"] = events_of(prefect)
    kept["printed"] = told
    shown = {kind: "list_pictures" if kind == "task_runs" else HARMLESS for kind in kept}
    assert not [kind for kind, word in shown.items() if word not in kept[kind]]
    told = "".join(kept.values())
    told += repr(planted) + str(planted) + repr(Settings(catalogue=database))
    assert not [name for name, secret in PLANTED.items() if secret in told]
