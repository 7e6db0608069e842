"""A site asks every question once and gives back all that was said, whatever happened before."""

import datetime as dt
import json
import queue
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from label_studio_sdk import LabelStudio

from annotation import (
    Site,
    SiteRefused,
    SiteUnreachable,
    Wording,
    label_config,
    new_answers,
    task,
)
from annotation.results import result
from annotation.site import BATCH
from catalog.schema import AnswerState, Desk, Question, QuestionKind, Verdict
from tests.annotation.conftest import (
    PICTURES,
    RunningLabelStudio,
    make_question,
    picture_url,
    save_picture,
)

ENGLISH = Wording.load("en-US")
VERIFY = QuestionKind.VERIFY


@pytest.fixture
def client(label_studio: RunningLabelStudio) -> Any:
    """Label Studio as its other users reach it."""
    return LabelStudio(base_url=label_studio.url, api_key=label_studio.credentials.admin_token)


@pytest.fixture
def wording() -> Wording:
    """English, in a project of the test's own."""
    return ENGLISH.model_copy(update={"locale": f"en-{uuid.uuid4().hex[:8]}"})


@pytest.fixture
def project(site: Site, wording: Wording) -> int:
    return site.ensure_project(VERIFY, wording)


def sheets(count: int) -> list[dict[str, Any]]:
    return [task(make_question("a", "b", "c"), str) for _ in range(count)]


def asked(site: Site, project: int) -> Counter[str]:
    return Counter(submission.question_id for submission in site.pull(project).submissions)


def once(tasks: list[dict[str, Any]]) -> Counter[str]:
    return Counter(task["meta"]["question"] for task in tasks)


class TestCheck:
    def test_a_token_tells_whose_it_is(self, label_studio: RunningLabelStudio) -> None:
        assert label_studio.site.check() == label_studio.credentials.admin_email
        assert label_studio.annotator_site.check() == label_studio.credentials.annotator_email

    def test_a_personal_access_token_is_accepted(
        self, label_studio: RunningLabelStudio, personal_token: str
    ) -> None:
        site = Site("local", label_studio.url, personal_token)
        assert site.check() == label_studio.credentials.admin_email

    def test_a_wrong_token_is_told_where_to_set_a_valid_one(
        self, label_studio: RunningLabelStudio
    ) -> None:
        with pytest.raises(SiteRefused, match=r"refused the token .* api_key in the block"):
            Site("local", label_studio.url, "0" * 40).check()

    def test_a_server_that_is_down_is_told_how_to_start_it(self) -> None:
        with pytest.raises(
            SiteUnreachable, match=r"http://127.0.0.1:9 .* does not answer .*`groundtruth up`"
        ):
            Site("local", "http://127.0.0.1:9", "0" * 40).check()

    def test_the_token_is_not_shown(self) -> None:
        assert "secret" not in repr(Site("local", "http://127.0.0.1:9", "secret"))


class TestEnsureProject:
    def test_a_locale_has_one_project(self, site: Site, wording: Wording) -> None:
        with ThreadPoolExecutor(4) as pool:
            ids = set(pool.map(site.ensure_project, [VERIFY] * 4, [wording] * 4))
        assert site.ensure_project(VERIFY, wording) == min(ids)

    def test_the_project_shows_the_sheet_and_the_guidelines_in_the_locale(
        self, site: Site, client: Any
    ) -> None:
        arabic = Wording.load("ar-EG")
        project = client.projects.get(site.ensure_project(VERIFY, arabic))
        assert project.title == "groundtruth · ar-EG · verify"
        assert project.label_config == label_config(VERIFY, arabic)
        assert arabic.verify.steps[0] in project.expert_instruction
        assert project.maximum_annotations == 1

    def test_each_kind_and_each_desk_has_a_project_of_its_own(
        self, site: Site, client: Any, wording: Wording, project: int
    ) -> None:
        others = [
            site.ensure_project(QuestionKind.MERGE, wording),
            site.ensure_project(VERIFY, wording, Desk.LEAD, overlap=2),
        ]
        titles = [client.projects.get(each).title for each in (project, *others)]
        assert [title.removeprefix(f"groundtruth · {wording.locale} · ") for title in titles] == [
            "verify",
            "merge",
            "verify · lead",
        ]
        assert client.projects.get(others[1]).maximum_annotations == 2

    def test_a_changed_wording_reaches_the_project(
        self, site: Site, client: Any, wording: Wording, project: int
    ) -> None:
        changed = wording.model_copy(
            update={"verify": wording.verify.model_copy(update={"question": "One product?"})}
        )
        assert site.ensure_project(VERIFY, changed) == project
        assert client.projects.get(project).label_config == label_config(VERIFY, changed)

    def test_the_project_serves_local_pictures_to_who_signed_in(
        self, label_studio: RunningLabelStudio, wording: Wording, client: Any
    ) -> None:
        image_id = save_picture(label_studio.pictures, "red", 0)
        for _ in range(2):
            project = label_studio.site.ensure_project(
                VERIFY, wording, pictures=label_studio.picture_source
            )
        address = f"{label_studio.url}{picture_url(image_id)}"
        signed_in = {"Authorization": f"Token {label_studio.credentials.annotator_token}"}
        picture = (label_studio.pictures / f"{image_id}.jpg").read_bytes()
        assert PICTURES in address
        assert httpx.get(address, headers=signed_in).content == picture
        assert httpx.get(address).status_code == 401
        assert len(client.import_storage.local.list(project=project)) == 1


class TestPush:
    def test_pushing_twice_asks_once(self, site: Site, project: int) -> None:
        tasks = sheets(5)
        first = site.push(project, tasks)
        assert site.push(project, tasks) == first
        assert asked(site, project) == once(tasks)
        assert set(first) == set(once(tasks))

    def test_a_question_given_twice_is_asked_once(self, site: Site, project: int) -> None:
        tasks = sheets(3)
        site.push(project, tasks + tasks)
        assert asked(site, project) == once(tasks)

    def test_a_larger_push_asks_only_what_is_missing(self, site: Site, project: int) -> None:
        tasks = sheets(BATCH + 20)
        first = site.push(project, tasks[:10])
        assert first.items() <= site.push(project, tasks).items()
        assert asked(site, project) == once(tasks)

    def test_two_pushes_at_once_leave_one_task_each_after_the_next(
        self, site: Site, project: int
    ) -> None:
        tasks = sheets(40)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: site.push(project, tasks), range(2)))
        site.push(project, tasks)
        assert asked(site, project) == once(tasks)

    def test_of_two_tasks_the_answered_one_stays(
        self, site: Site, project: int, client: Any
    ) -> None:
        (sheet,) = tasks = sheets(1)
        client.projects.import_tasks(project, request=[sheet] * 3)
        *_, last = site.pull(project).submissions
        site.annotate(last.task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        assert site.push(project, tasks) == {sheet["meta"]["question"]: last.task_id}
        assert asked(site, project) == once(tasks)

    def test_a_task_of_somebody_else_is_left_alone(
        self, site: Site, project: int, client: Any, wording: Wording
    ) -> None:
        client.projects.update(project, label_config="<View/>")
        client.projects.import_tasks(project, request=[{"data": {"theirs": 1}}] * 2)
        site.ensure_project(VERIFY, wording)
        site.push(project, [])
        assert client.projects.get(project).task_number == 2


class TestWantVotes:
    @pytest.fixture
    def task_id(self, site: Site, project: int) -> int:
        (task_id,) = site.push(project, sheets(1)).values()
        return task_id

    def offered(self, label_studio: RunningLabelStudio, project: int) -> int | None:
        """The task that the annotator is offered next."""
        answer = httpx.get(
            f"{label_studio.url}/api/projects/{project}/next",
            headers={"Authorization": f"Token {label_studio.credentials.annotator_token}"},
        )
        return int(answer.json()["id"]) if answer.is_success else None

    def test_an_answered_question_is_offered_to_another_annotator_and_then_no_more(
        self, label_studio: RunningLabelStudio, site: Site, project: int, task_id: int
    ) -> None:
        site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        assert self.offered(label_studio, project) is None
        site.want_votes(project, {task_id: 2})
        assert self.offered(label_studio, project) == task_id
        label_studio.annotator_site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        assert self.offered(label_studio, project) is None

    def test_it_never_lowers_and_writes_only_once(
        self, site: Site, project: int, task_id: int
    ) -> None:
        def overlap_and_change() -> tuple[int, dt.datetime]:
            (submission,) = site.pull(project).submissions
            return submission.overlap, submission.updated_at

        site.want_votes(project, {task_id: 3})
        before = overlap_and_change()
        site.want_votes(project, {task_id: 2})
        site.want_votes(project, {task_id: 3})
        assert overlap_and_change() == before
        assert before[0] == 3

    def test_a_task_that_is_gone_is_no_matter(self, site: Site, project: int) -> None:
        site.want_votes(project, {10**6: 2})
        assert site.pull(project).submissions == []


class TestHear:
    def test_every_change_of_an_annotation_is_told_with_the_secret(
        self, site: Site, client: Any, project: int
    ) -> None:
        heard: queue.Queue[tuple[str | None, str]] = queue.Queue()

        class Ear(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.put((self.headers["X-Groundtruth-Secret"], json.loads(body)["action"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        (task_id,) = site.push(project, sheets(1)).values()
        with ThreadingHTTPServer(("127.0.0.1", 0), Ear) as ear:
            threading.Thread(target=ear.serve_forever, daemon=True).start()
            site.hear(f"http://127.0.0.1:{ear.server_address[1]}/", "hush", project)
            number = site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
            client.annotations.update(number, result=result(VERIFY, Verdict.MIXED))
            client.annotations.delete(number)
            told = [heard.get(timeout=60) for _ in range(3)]
            ear.shutdown()
        assert told == [
            ("hush", "ANNOTATION_CREATED"),
            ("hush", "ANNOTATION_UPDATED"),
            ("hush", "ANNOTATIONS_DELETED"),
        ]

    def test_a_project_has_one_webhook_with_the_newest_address_and_secret(
        self, site: Site, client: Any, project: int
    ) -> None:
        for port, secret in ((8, "old"), (8, "old"), (9, "new")):
            site.hear(f"http://127.0.0.1:{port}/", secret, project)
        (hook,) = client.webhooks.list(project=str(project))
        assert (hook.url, hook.headers) == ("http://127.0.0.1:9/", {"X-Groundtruth-Secret": "new"})


class TestPull:
    @pytest.fixture
    def question(self) -> Question:
        return make_question("a", "b", "c")

    @pytest.fixture
    def task_id(self, site: Site, project: int, question: Question) -> int:
        return site.push(project, [task(question, str)])[question.id]

    def test_it_sees_what_was_created_updated_skipped_and_deleted(
        self,
        label_studio: RunningLabelStudio,
        client: Any,
        project: int,
        question: Question,
        task_id: int,
    ) -> None:
        site, known = label_studio.site, []
        pulled = site.pull(project)

        def see() -> list[str]:
            nonlocal pulled
            pulled = site.pull(project, pulled.through)
            fresh = [
                answer
                for submission in pulled.submissions
                for answer in new_answers(submission, question, known)
            ]
            known.extend(fresh)
            return [answer.verdict or answer.state for answer in fresh]

        assert see() == []
        number = label_studio.annotator_site.annotate(
            task_id, result(VERIFY, Verdict.CONFIRM, intruder_ids=["b"]), 7.5
        )
        assert see() == ["confirm"]
        client.annotations.update(number, result=result(VERIFY, Verdict.MIXED))
        assert see() == ["mixed"]
        client.annotations.update(number, was_cancelled=True)
        assert see() == [AnswerState.SKIPPED]
        client.annotations.delete(number)
        assert see() == [AnswerState.WITHDRAWN]
        assert {answer.annotator for answer in known} == {label_studio.credentials.annotator_email}
        assert (known[0].intruder_ids, known[0].seconds) == (["b"], 7.5)

    def test_a_task_that_nobody_has_answered_is_read_with_all_and_not_with_the_news(
        self, site: Site, project: int, question: Question, task_id: int
    ) -> None:
        whole = site.pull(project)
        assert [each.task_id for each in whole.submissions] == [task_id]
        assert site.pull(project, whole.through).submissions == []
        site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=3)
        [submission] = site.pull(project, whole.through).submissions
        assert submission.task_id == task_id

    def test_what_did_not_change_for_long_is_not_pulled_again(
        self, site: Site, project: int, task_id: int
    ) -> None:
        later = site.pull(project).through + dt.timedelta(hours=1)
        pulled = site.pull(project, later)
        assert (pulled.submissions, pulled.through) == ([], later)

    def test_a_hostile_name_comes_back_as_it_was_typed(
        self, site: Site, project: int, question: Question, task_id: int
    ) -> None:
        hostile = "<img src=x onerror=alert(1)> \"'&amp; \u202eشاي\u200f"
        site.annotate(task_id, result(VERIFY, Verdict.CONFIRM, name=hostile), seconds=3)
        (submission,) = site.pull(project).submissions
        (answer,) = new_answers(submission, question, [])
        assert answer.name == hostile
