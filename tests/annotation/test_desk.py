"""An annotator at the desk: a contact sheet in a browser, from the first look to the pull."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from annotation import Wording, new_answers, task
from catalog.schema import Verdict
from tests.annotation.conftest import RunningLabelStudio, make_question, picture_url, save_picture
from tests.browser import signed_in


@pytest.fixture
def page(label_studio: RunningLabelStudio) -> Iterator[Page]:
    with signed_in(label_studio.url, label_studio.credentials) as page:
        yield page


@pytest.mark.parametrize(
    ("locale", "name"), [("en-US", "Morna Crunchy 250 g"), ("ar-EG", "مورنا المقرمشة ٢٥٠ جم")]
)
def test_a_sheet_of_sixty_is_answered_on_one_screen(
    label_studio: RunningLabelStudio, page: Page, locale: str, name: str
) -> None:
    site, wording = label_studio.site, Wording.load(locale)
    intruder = save_picture(label_studio.pictures, "navy", 0)
    packets = [save_picture(label_studio.pictures, "crimson", number) for number in range(59)]
    question = make_question(*packets[:20], intruder, *packets[20:], locale=locale)
    project = site.ensure_project(wording, label_studio.pictures)
    task_id = site.push(project, [task(question, picture_url)])[question.id]

    page.goto(f"{label_studio.url}/projects/{project}/data?task={task_id}")
    pictures = page.locator(".pictures label")
    expect(pictures).to_have_count(60)
    page.wait_for_function(
        "[...document.querySelectorAll('.pictures img')].every(picture => picture.naturalWidth)"
    )
    for corner in (pictures.first, pictures.last):
        expect(corner).to_be_in_viewport(ratio=1)
    first, second = (pictures.nth(number).bounding_box()["x"] for number in (0, 1))
    assert (first < second) == (wording.direction == "ltr")

    pictures.nth(20).click()
    page.get_by_text(wording.verdicts[Verdict.CONFIRM]).click()
    page.get_by_placeholder(wording.name).fill(name)
    page.keyboard.press("Enter")
    mark = "e => getComputedStyle(e.closest('.lsf-choice__item'), '::after').backgroundImage"
    assert "gradient" in pictures.nth(20).evaluate(mark)
    assert "gradient" not in pictures.nth(19).evaluate(mark)
    with page.expect_response(f"**/api/tasks/{task_id}/annotations*") as submitted:
        page.get_by_role("button", name="Submit").click()
    assert submitted.value.ok

    (submission,) = (s for s in site.pull(project).submissions if s.question_id == question.id)
    (answer,) = new_answers(submission, question, [])
    assert (answer.verdict, answer.intruder_ids, answer.name) == ("confirm", [intruder], name)
    assert answer.annotator == label_studio.credentials.annotator_email
    assert answer.seconds > 0
