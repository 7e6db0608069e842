"""People who answer are as careful as somebody in a browser, whatever happens on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from label_studio_sdk import LabelStudio

from annotation import Site, Wording, task
from annotation.results import read
from catalog.schema import Question, QuestionKind, Verdict
from tests.annotation.conftest import make_question
from tests.annotation.faults import Fault, FaultyProxy, Happens
from tests.chaos.people import Ledger, Person
from tests.conftest import RunningStack

TRUTH = {"a": ("1", "One"), "b": ("1", "One"), "c": ("2", "Two")}


@pytest.fixture
def site(stack: RunningStack) -> Site:
    client = LabelStudio(base_url=stack.site.url, api_key=stack.credentials.admin_token)
    for project in list(client.projects.list()):
        client.projects.delete(project.id)
    return Site("local", stack.site.url, stack.credentials.admin_token)


@pytest.fixture
def project(site: Site) -> int:
    return site.ensure_project(QuestionKind.VERIFY, Wording.load("en-US"))


@pytest.fixture
def question(site: Site, project: int) -> Question:
    question = make_question("a", "b", "c")
    site.push(project, [task(question, str)])
    return question


@pytest.fixture
def proxy(stack: RunningStack) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(stack.site.url)
    yield proxy
    proxy.close()


@pytest.fixture
def person(stack: RunningStack, proxy: FaultyProxy, tmp_path: Path) -> Person:
    known = stack.credentials
    ledger = Ledger(tmp_path / "ledger.jsonl")
    return Person(proxy.url, known.annotator_email, known.annotator_token, TRUTH, 0, ledger)


@pytest.mark.parametrize("broken", [Happens.RESET_BEFORE, Happens.RESET_AFTER])
def test_an_answer_that_breaks_off_is_given_once(
    broken: Happens,
    site: Site,
    project: int,
    question: Question,
    proxy: FaultyProxy,
    person: Person,
) -> None:
    with proxy.suffering(Fault(broken, "POST", "/annotations")):
        person.answer({question.id: question})
    assert proxy.hit.is_set()

    [submission] = site.pull(project).submissions
    [annotation] = submission.annotations
    [said] = person.ledger.said[question.id, person.email]
    assert read(annotation.result, question).verdict == Verdict.CONFIRM
    assert annotation.seconds == said.seconds
