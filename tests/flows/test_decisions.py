"""What people decide, take back, and break by hand: through real servers and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest

from annotation import Site
from annotation.questions import merge_question
from annotation.results import result
from catalog import decisions, labels
from catalog.schema import DecisionKind, Desk, QuestionKind, SiteProject, Verdict
from deployments.logins import Credentials, Person
from deployments.sample import Sample
from flows.annotate import annotate
from flows.collect import collect
from flows.ingest import ingest
from tasks.settings import load_settings
from tests.conftest import RunningStack
from tests.flows.conftest import Workspace


def run(workspace: Workspace, *arguments: str) -> str:
    status, printed = workspace.groundtruth(*arguments)
    assert status == 0, printed
    return printed


def products(workspace: Workspace) -> dict[str, str]:
    """The product of every image that the gate accepted."""
    with workspace.settings.catalog.begin() as transaction:
        return {row.image_id: row.product_id or "" for row in labels.accepted(transaction)}


@dataclass(frozen=True)
class AskedMerge:
    """Two products of the manifest that people are asked about, and where."""

    workspace: Workspace
    url: str
    people: Credentials

    def project(self, desk: Desk = Desk.CROWD) -> SiteProject:
        with self.workspace.settings.catalog.begin() as transaction:
            [found] = [p for p in decisions.projects(transaction, "local") if p.desk == desk]
        return found

    def task_id(self, desk: Desk = Desk.CROWD) -> int:
        project_id = self.project(desk).project_id
        with self.workspace.settings.catalog.begin() as transaction:
            [found] = decisions.tasks_of_project(transaction, "local", project_id).values()
        return found

    def is_offered_to(self, person: Person) -> bool:
        """Whether Label Studio shows the question to `person`, who has not answered it."""
        following = httpx.get(
            f"{self.url}/api/projects/{self.project().project_id}/next",
            headers={"Authorization": f"Token {person.token}"},
        )
        return following.is_success and following.json()["id"] == self.task_id()

    def answer(
        self, verdict: Verdict, person: Person | None = None, desk: Desk = Desk.CROWD
    ) -> None:
        """Answer as one of the site's people, the first annotator if nobody is named."""
        site = Site("local", self.url, (person or self.people.annotators[0]).token)
        site.annotate(self.task_id(desk), result(QuestionKind.MERGE, verdict), seconds=4)


@pytest.fixture
def merge(stack: RunningStack, workspace: Workspace, sample: Sample) -> AskedMerge:
    ingest(str(sample.labelled))
    collect()
    with workspace.settings.catalog.begin() as transaction:
        known = labels.galleries(transaction, 12, "en-US")
        first, second = sorted(known)[:2]
        question = merge_question(
            known[first], known[second], about=[first, second], locale="en-US"
        )
        question.site = "local"
        decisions.add_questions(transaction, [question])
    annotate()
    return AskedMerge(workspace, stack.site.url, stack.credentials)


def sizes(products: Mapping[str, str]) -> list[int]:
    return sorted(list(products.values()).count(product) for product in {*products.values()})


def test_a_wrong_merge_is_undone_with_all_that_followed(merge: AskedMerge) -> None:
    before = products(merge.workspace)
    merge.answer(Verdict.CONFIRM)
    collect()
    merged = products(merge.workspace)
    assert merged.keys() == before.keys()
    assert len({*merged.values()}) == len({*before.values()}) - 1

    listed = run(merge.workspace, "decisions", "--kind", "merge")
    with merge.workspace.settings.catalog.begin() as transaction:
        [(_, decision)] = decisions.decided(transaction)
    assert decision.id[:12] in listed
    run(merge.workspace, "undo", decision.id[:12], "--reason", "two products", "--by", "operator")
    assert products(merge.workspace) == before
    collect()
    assert products(merge.workspace) == before
    with merge.workspace.settings.catalog.begin() as transaction:
        [(_, undone)] = decisions.decided(transaction)
    assert (undone.supersedes_id, undone.annotators) == (decision.id, ["operator"])
    assert undone.reason == "two products"


def test_what_was_broken_by_hand_is_found_mended_and_said(
    merge: AskedMerge,
) -> None:
    client, project = merge.workspace.label_studio, merge.project()
    sheet = client.projects.get(project.project_id).label_config
    client.tasks.delete(str(merge.task_id()))
    client.projects.update(project.project_id, title="mine now", label_config="<View/>")
    printed = run(merge.workspace, "reconcile")
    assert "1 missing, to be asked again" in printed
    mended = client.projects.get(project.project_id)
    assert (mended.title, mended.label_config) == ("groundtruth · en-US · merge", sheet)
    assert mended.task_number == 1
    merge.answer(Verdict.DIFFERENT)
    assert "1 answers that were not known" in run(merge.workspace, "reconcile")
    assert "all as it should be" in run(merge.workspace, "reconcile")


def test_a_doubt_asks_a_second_annotator_and_a_dispute_the_lead(
    merge: AskedMerge, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MOST": "2", "RISK": "0.01", "LEAD": "true"}.items():
        monkeypatch.setenv(f"GROUNDTRUTH_ANNOTATE__VOTES__{name}", value)
    load_settings.cache_clear()
    first, second, *_ = merge.people.annotators

    merge.answer(Verdict.CONFIRM, first)
    assert not merge.is_offered_to(second)
    collect()
    assert merge.is_offered_to(second)

    merge.answer(Verdict.DIFFERENT, second)
    collect()
    with merge.workspace.settings.catalog.begin() as transaction:
        assert decisions.decided(transaction) == []

    merge.answer(Verdict.DIFFERENT, merge.people.lead, Desk.LEAD)
    collect()
    with merge.workspace.settings.catalog.begin() as transaction:
        [(_, decision)] = decisions.decided(transaction)
    assert decision.kind == DecisionKind.DIFFERENT
    assert decision.annotators == [merge.people.lead.email]


def test_the_annotators_are_listed_with_what_can_be_said_of_them(merge: AskedMerge) -> None:
    merge.answer(Verdict.DIFFERENT)
    collect()
    printed = run(merge.workspace, "annotators")
    assert "en-US" in printed
    assert "annotator" in printed
    assert "pace" in printed


def test_no_decision_is_undone_by_a_name_that_means_none(workspace: Workspace) -> None:
    status, printed = workspace.groundtruth("undo", "abc", "--reason", "none")
    assert status == 1
    assert "0 decisions that stand begin with 'abc'" in " ".join(printed.split())
