"""A person answers in the browser, and the answer is found in the catalogue."""

import pytest
from playwright.sync_api import expect

from annotation import Wording
from catalog import decisions, labels
from catalog.schema import DecisionKind, Question, QuestionKind, Verdict
from deployments.sample import Sample
from tests.browser import signed_in
from tests.conftest import RunningStack
from tests.flows.conftest import Workspace

NAMES = {"en-US": "Roelow Family Soda 330 ml", "ar-EG": "مورنا المقرمشة ٢٥٠ جم"}


@pytest.fixture
def asked(workspace: Workspace, sample: Sample) -> dict[str, Question]:
    """The first question with three pictures or more in each locale, from the loop itself."""
    status, printed = workspace.groundtruth(
        *("run", str(sample.rounds[0]), "--labelled", str(sample.labelled))
    )
    assert status == 0, printed
    with workspace.settings.catalog.begin() as transaction:
        open_questions = decisions.undecided_questions(transaction)
    return {
        question.locale: question
        for question in open_questions
        if question.kind == QuestionKind.VERIFY and len(question.image_ids) > 2
    }


def test_an_intruder_ticked_in_english_and_in_arabic_reaches_the_catalogue(
    stack: RunningStack, workspace: Workspace, asked: dict[str, Question]
) -> None:
    url = stack.site.url
    with signed_in(url, stack.credentials) as page:
        for locale, name in NAMES.items():
            question, wording = asked[locale], Wording.load(locale)
            project_id, task_id = workspace.task_of(question)
            page.goto(f"{url}/projects/{project_id}/data?task={task_id}")
            pictures = page.locator(".pictures label")
            expect(pictures).to_have_count(len(question.image_ids))
            page.wait_for_function(
                "[...document.querySelectorAll('.pictures img')].every(img => img.naturalWidth)"
            )
            pictures.nth(1).click()
            page.get_by_text(wording.verify.verdicts[Verdict.CONFIRM].label).click()
            page.get_by_placeholder(wording.name.placeholder).fill(name)
            page.keyboard.press("Enter")
            with page.expect_response(f"**/api/tasks/{task_id}/annotations*") as submitted:
                page.get_by_role("button", name="Submit").click()
            assert submitted.value.ok

    status, printed = workspace.groundtruth("collect")
    assert status == 0, printed
    for locale, name in NAMES.items():
        question = asked[locale]
        intruder = question.image_ids[1]
        with workspace.settings.catalog.begin() as transaction:
            [answer] = decisions.answers_to(transaction, [question.id])[question.id]
            [decision] = decisions.current_decisions(transaction, question_ids=[question.id])
            rows = [row for row in labels.accepted(transaction) if row.decision_id == decision.id]
        assert (answer.verdict, answer.intruder_ids, answer.name) == ("confirm", [intruder], name)
        assert answer.annotator == stack.credentials.annotator_email
        assert (decision.kind, decision.removed_ids) == (DecisionKind.SAME, [intruder])
        assert {row.image_id for row in rows} == set(question.image_ids) - {intruder}
        assert {row.name for row in rows} == {name}
