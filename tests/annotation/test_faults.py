"""The fault table: whatever goes wrong between us and a site, one task per question is left, and
every answer is known exactly once.

Each row of `FAULTS` happens to a real Label Studio, once in the middle of a push and once in the
middle of a pull; the classes below are the faults that are no matter of the wire.
"""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from label_studio_sdk import LabelStudio

from annotation import (
    Site,
    SiteError,
    SiteRefused,
    SiteUnreachable,
    Wording,
    listing,
    new_answers,
    task,
)
from annotation import site as site_module
from annotation.desk import label_config
from annotation.results import result
from catalog.schema import Answer, AnswerState, Question, QuestionKind, Verdict
from tests.annotation.conftest import REPOSITORY, RunningLabelStudio, make_question
from tests.annotation.faults import Fault, FaultyProxy, Happens

VERIFY = QuestionKind.VERIFY
IMPATIENT = 10.0  # seconds; the real server answers a small push in less

FAULTS = {
    "connection reset before the server heard": partial(Fault, Happens.RESET_BEFORE),
    "connection reset after the server accepted": partial(Fault, Happens.RESET_AFTER),
    "answer that never comes": partial(Fault, Happens.SILENCE),
    "500": partial(Fault, Happens.ANSWER, status=500),
    "502 with a page of HTML": partial(Fault, Happens.ANSWER, status=502, body=b"<html>"),
    "401, and 401 again": partial(Fault, Happens.ANSWER, status=401, times=2),
}


class Catalogue:
    """What is known of the answers to some questions, as `new_answers` makes it grow."""

    def __init__(self, questions: list[Question]) -> None:
        self.questions = {question.id: question for question in questions}
        self.answers: list[Answer] = []

    def read(self, site: Site, project: int, since: Any = None) -> Any:
        pulled = site.pull(project, since)
        self.learn(pulled.submissions)
        return pulled.through

    def learn(self, submissions: Any) -> None:
        for submission in submissions:
            known = [each for each in self.answers if each.question_id == submission.question_id]
            question = self.questions[submission.question_id]
            self.answers += new_answers(submission, question, known)

    @property
    def said(self) -> list[tuple[str, int, str]]:
        """Each answer's question, revision, and verdict or state, in the order of arrival."""
        return [
            (answer.question_id, answer.revision, answer.verdict or answer.state)
            for answer in self.answers
        ]


@pytest.fixture
def proxy(label_studio: RunningLabelStudio) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(label_studio.url)
    yield proxy
    proxy.close()


@pytest.fixture
def wording() -> Wording:
    locale = f"en-{uuid.uuid4().hex[:8]}"
    return Wording.load("en-US").model_copy(update={"locale": locale})


@pytest.fixture
def project(site: Site, wording: Wording) -> int:
    return site.ensure_project(VERIFY, wording)


@pytest.fixture
def client(label_studio: RunningLabelStudio) -> Any:
    """Label Studio as somebody with a mouse reaches it."""
    return LabelStudio(base_url=label_studio.url, api_key=label_studio.credentials.admin_token)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three imports for a push of nine questions, three pages for a pull of them."""
    monkeypatch.setattr(site_module, "BATCH", 3)
    monkeypatch.setattr(listing, "PAGE", 3)


@pytest.fixture
def questions() -> list[Question]:
    return [make_question("a", "b", "c") for _ in range(9)]


def sheets(questions: list[Question]) -> list[dict[str, Any]]:
    return [task(question, str) for question in questions]


def asked(site: Site, project: int) -> Counter[str]:
    return Counter(submission.question_id for submission in site.pull(project).submissions)


def once(questions: list[Question]) -> Counter[str]:
    return Counter(question.id for question in questions)


def until_it_works(call: Callable[[], Any]) -> Any:
    """As the flow does: what failed because the site was out of reach is run again."""
    for _ in range(2):
        with suppress(SiteUnreachable, SiteRefused):
            return call()
    return call()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
class TestOnTheWire:
    @pytest.fixture
    def suffering(self, site: Site, proxy: FaultyProxy) -> Site:
        return replace(site, url=proxy.url, patience=IMPATIENT)

    def test_a_push_asks_each_question_once(
        self,
        fault: Callable[..., Fault],
        site: Site,
        suffering: Site,
        proxy: FaultyProxy,
        project: int,
        questions: list[Question],
    ) -> None:
        with proxy.suffering(fault(method="POST", path="/import", spare=1)):
            task_ids = until_it_works(lambda: suffering.push(project, sheets(questions)))
        assert proxy.hit.is_set()
        assert asked(site, project) == once(questions)
        assert task_ids == site.push(project, sheets(questions))

    def test_a_pull_gives_each_answer_once(
        self,
        fault: Callable[..., Fault],
        site: Site,
        suffering: Site,
        proxy: FaultyProxy,
        project: int,
        questions: list[Question],
    ) -> None:
        for task_id in site.push(project, sheets(questions)).values():
            site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        catalogue = Catalogue(questions)
        with proxy.suffering(fault(method="GET", path="/api/tasks", spare=2)):
            through = until_it_works(lambda: catalogue.read(suffering, project))
        assert proxy.hit.is_set()
        catalogue.read(site, project, through)
        assert Counter(catalogue.said) == {(question.id, 0, "confirm"): 1 for question in questions}


class TestRefusals:
    def test_one_401_is_overcome_because_it_did_nothing(
        self, site: Site, proxy: FaultyProxy, project: int, questions: list[Question]
    ) -> None:
        with proxy.suffering(Fault(Happens.ANSWER, "POST", "/import", status=401)):
            replace(site, url=proxy.url).push(project, sheets(questions))
        assert proxy.hit.is_set()
        assert asked(site, project) == once(questions)

    def test_a_token_that_only_the_server_thinks_expired_is_renewed(
        self, site: Site, personal_token: str, project: int, questions: list[Question]
    ) -> None:
        personal = replace(site, api_key=personal_token)
        personal.check()
        tokens = personal._client._client_wrapper._tokens_client
        tokens._access_token = signed(exp=2**31)
        personal.push(project, sheets(questions))
        assert asked(personal, project) == once(questions)

    def test_a_personal_access_token_past_its_day_is_told_so(self, site: Site) -> None:
        with pytest.raises(SiteRefused, match=r"expired: copy a valid one"):
            replace(site, api_key=signed(exp=1)).check()

    def test_a_personal_access_token_that_was_revoked_is_told_so(self, site: Site) -> None:
        with pytest.raises(SiteRefused, match=r"expired: copy a valid one"):
            replace(site, api_key=signed(exp=2**31)).check()

    def test_what_its_user_may_not_do_is_told_apart_from_a_wrong_token(
        self, site: Site, proxy: FaultyProxy, project: int
    ) -> None:
        with (
            proxy.suffering(Fault(Happens.ANSWER, "GET", "/api/tasks", status=403)),
            pytest.raises(SiteRefused, match=r"does not allow its user .* SSRF_PROTECTION_ENABLED"),
        ):
            replace(site, url=proxy.url).pull(project)

    def test_a_label_studio_that_is_too_old_is_told_what_is_needed(
        self, site: Site, proxy: FaultyProxy
    ) -> None:
        old = b'{"release": "1.8.2"}'
        with (
            proxy.suffering(Fault(Happens.ANSWER, "GET", "/api/version", status=200, body=old)),
            pytest.raises(SiteError, match=r"runs version 1\.8\.2, but 1\.23 or newer is needed"),
        ):
            replace(site, url=proxy.url).check()

    def test_a_server_that_is_not_well_is_told_so(self, site: Site, proxy: FaultyProxy) -> None:
        with (
            proxy.suffering(Fault(Happens.ANSWER, "GET", "/health", status=503)),
            pytest.raises(SiteUnreachable, match=r"not well \(503\)"),
        ):
            replace(site, url=proxy.url).check()


class TestByHand:
    """What people do in the web interface, and `reconcile` or the next call mends."""

    @pytest.fixture
    def task_ids(self, site: Site, project: int, questions: list[Question]) -> dict[str, int]:
        return site.push(project, sheets(questions))

    def test_a_deleted_task_is_missed_and_asked_again(
        self, site: Site, project: int, questions: list[Question], task_ids: Any, client: Any
    ) -> None:
        gone = questions[4].id
        client.tasks.delete(str(task_ids[gone]))
        mended = site.reconcile(project, task_ids)
        assert mended.missing == (gone,)
        assert "1 missing" in str(mended)
        again = site.push(project, sheets(questions))
        assert asked(site, project) == once(questions)
        assert again[gone] != task_ids[gone]
        assert site.reconcile(project, again).missing == ()

    def test_a_question_that_moved_is_found(
        self, site: Site, project: int, questions: list[Question], task_ids: Any, client: Any
    ) -> None:
        client.tasks.delete(str(task_ids[questions[0].id]))
        again = site.push(project, sheets(questions))
        mended = site.reconcile(project, task_ids)
        assert mended.moved == {questions[0].id: again[questions[0].id]}
        assert mended.missing == ()

    def test_surplus_goes_and_the_task_that_the_catalogue_knows_stays(
        self, site: Site, project: int, questions: list[Question], task_ids: Any, client: Any
    ) -> None:
        client.projects.import_tasks(project, request=sheets(questions[:2]))
        newest = {each.question_id: each.task_id for each in site.pull(project).submissions}
        mended = site.reconcile(project, newest)
        assert set(mended.surplus) == {task_ids[question.id] for question in questions[:2]}
        assert (mended.missing, mended.moved) == ((), {})
        assert asked(site, project) == once(questions)

    def test_a_task_that_somebody_began_to_answer_is_never_surplus(
        self, site: Site, project: int, questions: list[Question], task_ids: Any, client: Any
    ) -> None:
        client.projects.import_tasks(project, request=sheets(questions[:1]))
        begun = max(each.task_id for each in site.pull(project).submissions)
        httpx.post(
            f"{site.url}/api/tasks/{begun}/drafts",
            json={"result": result(VERIFY, Verdict.CONFIRM)},
            headers={"Authorization": f"Token {site.api_key}"},
        ).raise_for_status()
        assert begun not in site.reconcile(project, task_ids).surplus
        assert begun in {each.task_id for each in site.pull(project).submissions}

    def test_an_edited_annotation_is_the_next_revision_and_a_deleted_one_is_withdrawn(
        self, site: Site, project: int, questions: list[Question], task_ids: Any, client: Any
    ) -> None:
        question = questions[0]
        catalogue = Catalogue(questions)
        number = site.annotate(task_ids[question.id], result(VERIFY, Verdict.CONFIRM), seconds=1)
        through = catalogue.read(site, project)
        client.annotations.update(number, result=result(VERIFY, Verdict.MIXED))
        through = catalogue.read(site, project, through)
        client.annotations.delete(number)
        through = catalogue.read(site, project, through)
        catalogue.read(site, project, through)
        catalogue.learn(site.reconcile(project, task_ids).submissions)
        assert catalogue.said == [
            (question.id, 0, "confirm"),
            (question.id, 1, "mixed"),
            (question.id, 2, AnswerState.WITHDRAWN),
        ]

    def test_a_task_deleted_while_a_pull_turns_the_page_hides_no_other(
        self,
        site: Site,
        project: int,
        questions: list[Question],
        task_ids: Any,
        client: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        first = questions[0].id

        class DeletesBetweenPages(Site):
            @property
            def _client(self) -> Any:
                return deleting

        deleting = LabelStudio(base_url=site.url, api_key=site.api_key)
        list_tasks, pages = deleting.tasks.list, []

        def listed(**query: Any) -> Any:
            pages.append(query)
            if len(pages) == 3:
                client.tasks.delete(str(task_ids[first]))
            return list_tasks(**query)

        monkeypatch.setattr(deleting.tasks, "list", listed)
        monkeypatch.setattr(listing, "PAGE", 3)
        pulled = DeletesBetweenPages(site.name, site.url, site.api_key).pull(project)
        assert {each.question_id for each in pulled.submissions} == set(once(questions))

    def test_a_renamed_project_is_still_ours_and_gets_its_title_back(
        self, site: Site, project: int, wording: Wording, client: Any
    ) -> None:
        title = client.projects.get(project).title
        client.projects.update(project, title="my project")
        assert site.ensure_project(VERIFY, wording, known=project) == project
        assert client.projects.get(project).title == title

    def test_a_deleted_project_is_made_anew(
        self, site: Site, project: int, wording: Wording, questions: list[Question], client: Any
    ) -> None:
        client.projects.delete(project)
        anew = site.ensure_project(VERIFY, wording, known=project)
        assert anew != project
        site.push(anew, sheets(questions))
        assert asked(site, anew) == once(questions)

    def test_a_label_config_edited_by_hand_is_restored(
        self, site: Site, project: int, wording: Wording, task_ids: Any, client: Any
    ) -> None:
        ours = label_config(VERIFY, wording)
        edited = ours.replace(wording.verify.question, "Is it red?")
        client.projects.update(project, label_config=edited, show_skip_button=False)
        site.ensure_project(VERIFY, wording, known=project)
        mended = client.projects.get(project)
        assert (mended.label_config, mended.show_skip_button) == (ours, True)


@pytest.mark.parametrize("days", [3, -3])
class TestClocks:
    def test_a_wrong_clock_here_hides_nothing(
        self, days: int, site: Site, project: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class WrongDatetime(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Any:
                return dt.datetime.now(tz) + dt.timedelta(days=days)

        clock = SimpleNamespace(**{**vars(dt), "datetime": WrongDatetime})
        for module in (site_module, listing):
            monkeypatch.setattr(module, "dt", clock)
        question = make_question("a", "b")
        task_id = site.push(project, [task(question, str)])[question.id]
        before = site.pull(project)
        site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        after = site.pull(project, before.through)
        (submission,) = after.submissions
        assert len(submission.annotations) == 1
        assert after.through == submission.updated_at > before.through


class TestKilled:
    def test_a_push_killed_between_two_batches_is_completed(
        self, label_studio: RunningLabelStudio, site: Site, project: int, questions: list[Question]
    ) -> None:
        killed(
            label_studio,
            f"""
            import json, os, signal, sys
            from annotation import Site, site
            site.BATCH = 3

            class KilledAfterOneBatch(Site):
                def _send(self, project_id, tasks):
                    super()._send(project_id, tasks)
                    os.kill(os.getpid(), signal.SIGKILL)

            tasks = json.load(sys.stdin)
            KilledAfterOneBatch("local", {site.url!r}, os.environ["TOKEN"]).push({project}, tasks)
            """,
            sheets(questions),
        )
        assert asked(site, project).total() == 3
        site.push(project, sheets(questions))
        assert asked(site, project) == once(questions)

    def test_a_push_killed_before_it_heard_the_answer_is_not_repeated(
        self,
        label_studio: RunningLabelStudio,
        proxy: FaultyProxy,
        site: Site,
        project: int,
        questions: list[Question],
    ) -> None:
        script = f"""
            import json, os, sys
            from annotation import Site
            tasks = json.load(sys.stdin)
            Site("local", {proxy.url!r}, os.environ["TOKEN"]).push({project}, tasks)
        """
        with proxy.suffering(Fault(Happens.SILENCE, "POST", "/import")):
            process = start(label_studio, script, stdin=subprocess.PIPE)
            assert process.stdin is not None
            process.stdin.write(json.dumps(sheets(questions)).encode())
            process.stdin.close()
            assert proxy.hit.wait(60)
            process.kill()
            process.wait()
        site.push(project, sheets(questions))
        assert asked(site, project) == once(questions)

    def test_a_pull_killed_between_two_pages_is_read_again(
        self,
        label_studio: RunningLabelStudio,
        proxy: FaultyProxy,
        site: Site,
        project: int,
        questions: list[Question],
    ) -> None:
        for task_id in site.push(project, sheets(questions)).values():
            site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        script = f"""
            import os
            from annotation import Site, listing
            listing.PAGE = 3
            Site("local", {proxy.url!r}, os.environ["TOKEN"]).pull({project})
        """
        with proxy.suffering(Fault(Happens.SILENCE, "GET", "/api/tasks", spare=2)):
            process = start(label_studio, script)
            assert proxy.hit.wait(60)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        catalogue = Catalogue(questions)
        through = catalogue.read(site, project)
        catalogue.read(site, project, through)
        assert Counter(catalogue.said) == {(question.id, 0, "confirm"): 1 for question in questions}


@pytest.mark.parametrize("moment", [Happens.RESET_BEFORE, Happens.RESET_AFTER])
@pytest.mark.usefixtures("small_batches")
class TestRestart:
    def test_a_server_restarted_in_the_middle_loses_and_doubles_nothing(
        self,
        moment: Happens,
        label_studio: RunningLabelStudio,
        proxy: FaultyProxy,
        site: Site,
        project: int,
        questions: list[Question],
    ) -> None:
        def restart() -> None:
            label_studio.server.stop()
            label_studio.server.start()
            label_studio.server.wait_until_ready()

        through_proxy = replace(site, url=proxy.url)
        with proxy.suffering(Fault(moment, "POST", "/import", spare=1, meanwhile=restart)):
            task_ids = through_proxy.push(project, sheets(questions))
        assert proxy.hit.is_set()
        assert asked(site, project) == once(questions)

        for task_id in task_ids.values():
            site.annotate(task_id, result(VERIFY, Verdict.CONFIRM), seconds=1)
        catalogue = Catalogue(questions)
        with proxy.suffering(Fault(moment, "GET", "/api/tasks", spare=2, meanwhile=restart)):
            through = until_it_works(lambda: catalogue.read(through_proxy, project))
        assert proxy.hit.is_set()
        catalogue.read(site, project, through)
        assert Counter(catalogue.said) == {(question.id, 0, "confirm"): 1 for question in questions}


def signed(exp: int) -> str:
    """A token that nobody but the SDK takes for one, until the second `exp`."""
    return jwt.encode({"token_type": "refresh", "exp": exp}, "a key that no server knows" * 2)


def start(
    label_studio: RunningLabelStudio, script: str, *arguments: str, **streams: Any
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "TOKEN": label_studio.credentials.admin_token,
            "PYTHONPATH": str(REPOSITORY),
        },
        **streams,
    )


def killed(label_studio: RunningLabelStudio, script: str, stdin: Any) -> None:
    process = start(label_studio, script, stdin=subprocess.PIPE)
    process.communicate(json.dumps(stdin).encode())
    assert process.returncode == -signal.SIGKILL
