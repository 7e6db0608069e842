"""What people decide, take back, and break by hand: through real servers and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from annotation import Site
from annotation.questions import merge_question
from annotation.results import result
from catalog import decisions, labels
from catalog.schema import QuestionKind, SiteProject, Verdict
from deployments.sample import Sample
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
    """Two products of the manifest that an annotator is asked about, and where."""

    workspace: Workspace
    question_id: str
    annotator: Site

    @property
    def project(self) -> SiteProject:
        with self.workspace.settings.catalog.begin() as transaction:
            [project] = decisions.projects(transaction, "local")
        return project

    @property
    def task_id(self) -> int:
        with self.workspace.settings.catalog.begin() as transaction:
            [task_id] = decisions.tasks_of_project(
                transaction, "local", self.project.project_id
            ).values()
        return task_id

    def answer(self, verdict: Verdict) -> None:
        said = result(QuestionKind.MERGE, verdict)
        self.annotator.annotate(self.task_id, said, seconds=4)


@pytest.fixture
def merge(stack: RunningStack, workspace: Workspace, sample: Sample) -> AskedMerge:
    run(workspace, "ingest", str(sample.labelled))
    run(workspace, "collect")
    with workspace.settings.catalog.begin() as transaction:
        known = labels.galleries(transaction, 12, "en-US")
        first, second = sorted(known)[:2]
        question = merge_question(
            known[first], known[second], about=[first, second], locale="en-US"
        )
        question.site = "local"
        decisions.add_questions(transaction, [question])
    run(workspace, "annotate")
    annotator = Site("local", stack.site.url, stack.credentials.annotator_token)
    return AskedMerge(workspace, question.id, annotator)


def sizes(products: Mapping[str, str]) -> list[int]:
    return sorted(list(products.values()).count(product) for product in {*products.values()})


def test_a_wrong_merge_is_undone_with_all_that_followed(merge: AskedMerge) -> None:
    before = products(merge.workspace)
    merge.answer(Verdict.CONFIRM)
    run(merge.workspace, "collect")
    merged = products(merge.workspace)
    assert merged.keys() == before.keys()
    assert len({*merged.values()}) == len({*before.values()}) - 1

    listed = run(merge.workspace, "decisions", "--kind", "merge")
    with merge.workspace.settings.catalog.begin() as transaction:
        [(_, decision)] = decisions.decided(transaction)
    assert decision.id[:12] in listed
    run(merge.workspace, "undo", decision.id[:12], "--reason", "two products", "--by", "operator")
    assert products(merge.workspace) == before
    run(merge.workspace, "collect")
    assert products(merge.workspace) == before
    with merge.workspace.settings.catalog.begin() as transaction:
        [(_, undone)] = decisions.decided(transaction)
    assert (undone.supersedes_id, undone.annotators) == (decision.id, ["operator"])
    assert undone.reason == "two products"


def test_what_was_broken_by_hand_is_found_mended_and_said(
    merge: AskedMerge, stack: RunningStack
) -> None:
    client, project = merge.workspace.label_studio, merge.project
    sheet = client.projects.get(project.project_id).label_config
    client.tasks.delete(str(merge.task_id))
    client.projects.update(project.project_id, title="mine now", label_config="<View/>")
    printed = run(merge.workspace, "reconcile")
    assert "1 missing, to be asked again" in printed
    mended = client.projects.get(project.project_id)
    assert (mended.title, mended.label_config) == ("groundtruth · en-US · merge", sheet)
    assert mended.task_number == 1
    merge.answer(Verdict.DIFFERENT)
    assert "1 answers that were not known" in run(merge.workspace, "reconcile")
    assert "all as it should be" in run(merge.workspace, "reconcile")


def test_the_annotators_are_listed_with_what_can_be_said_of_them(merge: AskedMerge) -> None:
    merge.answer(Verdict.DIFFERENT)
    run(merge.workspace, "collect")
    printed = run(merge.workspace, "annotators")
    assert "en-US" in printed
    assert "annotator" in printed


def test_no_decision_is_undone_by_a_name_that_means_none(workspace: Workspace) -> None:
    status, printed = workspace.groundtruth("undo", "abc", "--reason", "none")
    assert status == 1
    assert "0 decisions that stand begin with 'abc'" in " ".join(printed.split())
