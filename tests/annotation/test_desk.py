"""An annotator at the desk: a contact sheet in a browser, from the first look to the pull."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from annotation import Wording, new_answers, task
from catalog.schema import Verdict
from tests.annotation.conftest import RunningLabelStudio, make_question, picture_url, save_picture


@pytest.fixture
def page(label_studio: RunningLabelStudio) -> Iterator[Page]:
    """A browser in which the annotator is signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{label_studio.url}/user/login/")
        page.fill("input[name=email]", label_studio.credentials.annotator_email)
        page.fill("input[name=password]", label_studio.credentials.annotator_password)
        page.click("[type=submit]")
        page.wait_for_url(f"{label_studio.url}/**")
        yield page
        browser.close()


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
