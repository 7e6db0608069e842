"""An annotator at the desk: each kind of question in a browser, from the first look to the pull."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from annotation import Wording, new_answers, task
from annotation.wording import LOCALES
from catalog.schema import Answer, Question, QuestionKind, Verdict
from tests.annotation.conftest import RunningLabelStudio, make_question, picture_url, save_picture
from tests.browser import signed_in

EVERY_LOCALE = sorted(file.stem for file in LOCALES.glob("*.toml"))
NAMES = {
    "en-US": "Morna Crunchy 250 g",
    "ar-EG": "مورنا المقرمشة ٢٥٠ جم",
    "ja-JP": "もりな クランチ 250g",
}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

in_three_scripts = pytest.mark.parametrize("locale", NAMES)
of_every_kind = pytest.mark.parametrize("kind", QuestionKind)


@pytest.fixture(scope="module")
def page(label_studio: RunningLabelStudio) -> Iterator[Page]:
    with signed_in(label_studio.url, label_studio.credentials) as page:
        yield page


@dataclass(frozen=True)
class OpenQuestion:
    """A question that a page shows."""

    page: Page
    label_studio: RunningLabelStudio
    project: int
    task_id: int
    question: Question
    wording: Wording

    @property
    def pictures(self) -> Locator:
        return self.page.locator(".pictures label")

    def choose(self, verdict: Verdict) -> None:
        texts = self.wording.sheet(QuestionKind(self.question.kind)).verdicts
        self.page.locator(".bar").get_by_text(texts[verdict].label, exact=False).click()

    def drag(self, image_id: str, column: str) -> None:
        """Move a picture of a split like a hand does, and wait until it has landed."""
        picture = self.page.locator(f"[data-ranker-id='{image_id}']")
        target = self.page.locator(f"[data-rbd-droppable-id='{column}']")
        picture.hover()
        self.page.mouse.down()
        box = target.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=12)
        self.page.mouse.up()
        expect(target.locator(f"[data-ranker-id='{image_id}']")).to_be_visible()

    def submit(self) -> None:
        with self.saving():
            self.page.get_by_role("button", name="Submit").click()

    def submit_by_key(self) -> None:
        with self.saving():
            self.page.keyboard.press("Control+Enter")

    def saving(self) -> AbstractContextManager[object]:
        return self.page.expect_response(f"**/api/tasks/{self.task_id}/annotations*")

    def answer(self) -> Answer:
        """What the catalogue would hold of the submitted annotation."""
        pulled = self.label_studio.site.pull(self.project).submissions
        (submission,) = (each for each in pulled if each.question_id == self.question.id)
        (answer,) = new_answers(submission, self.question, [])
        assert answer.annotator == self.label_studio.credentials.annotator_email
        return answer


def ask(label_studio: RunningLabelStudio, page: Page, question: Question) -> OpenQuestion:
    """Put the question to its project and open it, with all its pictures loaded."""
    site, wording = label_studio.site, Wording.load(question.locale)
    kind = QuestionKind(question.kind)
    project = site.ensure_project(kind, wording, pictures=label_studio.picture_source)
    task_id = site.push(project, [task(question, picture_url)])[question.id]
    page.goto(f"{label_studio.url}/projects/{project}/data?task={task_id}")
    expect(page.locator(".sheet img")).to_have_count(
        len(question.image_ids) + len(question.reference_ids)
    )
    page.wait_for_function(
        "[...document.querySelectorAll('.sheet img')].every(picture => picture.naturalWidth)"
    )
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()
    return OpenQuestion(page, label_studio, project, task_id, question, wording)


def wait_for_places(page: Page, selector: str, related: str) -> None:
    """Wait until the places of the first two elements are `related`; Label Studio renders twice."""
    page.wait_for_function(
        f"""() => {{
            const [a, b] = [...document.querySelectorAll("{selector}")].slice(0, 2)
                .map(element => element.getBoundingClientRect());
            return b !== undefined && ({related})(a, b);
        }}"""
    )


def packets(label_studio: RunningLabelStudio, count: int, colour: str = "crimson") -> list[str]:
    return [save_picture(label_studio.pictures, colour, number) for number in range(count)]


def a_question(
    label_studio: RunningLabelStudio, kind: QuestionKind, locale: str, **facts: str
) -> Question:
    """A small question of `kind`: six crimson packets, and four navy ones to compare or to sort."""
    crimson, navy = packets(label_studio, 6), packets(label_studio, 4, "navy")
    match kind:
        case QuestionKind.VERIFY | QuestionKind.SPLIT:
            return make_question(*crimson, *navy, kind=kind, locale=locale, **facts)
        case QuestionKind.ATTACH:
            images = [*crimson[3:], navy[0]]
            references: Sequence[str] = crimson[:3]
        case QuestionKind.MERGE:
            images, references = navy, crimson
    return make_question(*images, kind=kind, locale=locale, references=references, **facts)


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(100):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {target}")


def tick_by_key(page: Page, key: str, box: Locator) -> None:
    """Press `key` until `box` is ticked: Label Studio hears no keys before it rendered twice."""
    for _ in range(5):
        page.keyboard.press(key)
        try:
            return expect(box).to_be_checked()
        except AssertionError:
            continue
    raise AssertionError(f"{key} ticks nothing")


@in_three_scripts
def test_a_sheet_of_sixty_is_answered_on_one_screen(
    label_studio: RunningLabelStudio, page: Page, locale: str
) -> None:
    intruder = save_picture(label_studio.pictures, "navy", 0)
    belonging = packets(label_studio, 59)
    desk = ask(
        label_studio, page, make_question(*belonging[:20], intruder, *belonging[20:], locale=locale)
    )
    expect(desk.pictures).to_have_count(60)
    for corner in (desk.pictures.first, desk.pictures.last):
        expect(corner).to_be_in_viewport(ratio=1)
    comes_before = "<" if desk.wording.direction == "ltr" else ">"
    wait_for_places(page, ".pictures label", f"(a, b) => a.x {comes_before} b.x")

    desk.pictures.nth(20).click()
    desk.choose(Verdict.CONFIRM)
    page.get_by_placeholder(desk.wording.name.placeholder).fill(NAMES[locale])
    page.keyboard.press("Enter")
    mark = "e => getComputedStyle(e.closest('.lsf-choice__item'), '::after').backgroundImage"
    assert "gradient" in desk.pictures.nth(20).evaluate(mark)
    assert "gradient" not in desk.pictures.nth(19).evaluate(mark)
    desk.submit()

    answer = desk.answer()
    assert (answer.verdict, answer.intruder_ids) == ("confirm", [intruder])
    assert answer.name == NAMES[locale]
    assert answer.seconds > 0


@in_three_scripts
def test_pictures_are_attached_to_the_product_in_the_gallery(
    label_studio: RunningLabelStudio, page: Page, locale: str
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.ATTACH, locale))
    gallery = page.locator(".gallery")
    expect(gallery).to_contain_text(desk.wording.attach.references)
    expect(gallery.locator("img")).to_have_count(3)
    expect(gallery.get_by_role("checkbox")).to_have_count(0)

    desk.pictures.last.click()
    desk.choose(Verdict.CONFIRM)
    page.get_by_text(desk.wording.flags["blurry"]).click()
    desk.submit()

    answer = desk.answer()
    assert (answer.verdict, answer.flags) == ("confirm", ["blurry"])
    assert answer.intruder_ids == desk.question.image_ids[-1:]


@in_three_scripts
def test_two_galleries_are_compared(
    label_studio: RunningLabelStudio, page: Page, locale: str
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.MERGE, locale))
    known, other = (page.locator(".gallery").nth(number) for number in (0, 1))
    expect(known).to_contain_text(desk.wording.merge.references)
    expect(other).to_contain_text(desk.wording.merge.images)
    expect(known.locator("img")).to_have_count(6)
    expect(other.locator("img")).to_have_count(4)
    wait_for_places(page, ".gallery", "(a, b) => a.y === b.y")

    desk.choose(Verdict.VARIANT)
    desk.submit()
    assert desk.answer().verdict == "variant"


@in_three_scripts
def test_pictures_are_sorted_into_columns(
    label_studio: RunningLabelStudio, page: Page, locale: str
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.SPLIT, locale))
    for title in desk.wording.split.buckets.values():
        expect(page.locator(".htx-ranker-column").get_by_text(title, exact=True)).to_be_visible()
    crimson, navy = desk.question.image_ids[:2], desk.question.image_ids[-2:]
    for image_id, column in zip([*navy, *crimson], "aadd", strict=True):
        desk.drag(image_id, column)
    desk.choose(Verdict.CONFIRM)
    desk.submit()

    answer = desk.answer()
    assert (answer.verdict, answer.groups) == ("confirm", [crimson, navy])


def test_a_sheet_is_answered_without_a_mouse(label_studio: RunningLabelStudio, page: Page) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.VERIFY, "en-US"))
    tick_by_key(page, "2", page.locator(".pictures input").nth(1))
    tab_to(page, page.get_by_placeholder(desk.wording.name.placeholder))
    page.keyboard.type("Morna 340 g")
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".pictures input").nth(4))
    page.keyboard.press("Space")
    page.keyboard.press("Shift+A")
    desk.submit_by_key()

    answer = desk.answer()
    assert (answer.verdict, answer.name) == ("confirm", "Morna 340 g")
    assert answer.intruder_ids == [desk.question.image_ids[1], desk.question.image_ids[4]]


def test_two_products_are_compared_without_a_mouse(
    label_studio: RunningLabelStudio, page: Page
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.MERGE, "en-US"))
    page.keyboard.press("Shift+D")
    desk.submit_by_key()
    assert desk.answer().verdict == "different"


@pytest.mark.parametrize(("locale", "towards_a"), [("en-US", "ArrowRight"), ("ar-EG", "ArrowLeft")])
def test_pictures_are_sorted_without_a_mouse(
    label_studio: RunningLabelStudio, page: Page, locale: str, towards_a: str
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.SPLIT, locale))
    first = desk.question.image_ids[0]
    picture = page.locator(f"[data-ranker-id='{first}']")
    tab_to(page, picture)
    page.keyboard.press("Space")
    lifted = page.locator("[role=log], [aria-live=assertive]").filter(has_text="lifted")
    expect(lifted).to_have_count(1)
    page.keyboard.press(towards_a)
    expect(lifted).to_have_count(0)
    page.keyboard.press("Space")
    expect(page.locator(f"[data-rbd-droppable-id=a] [data-ranker-id='{first}']")).to_be_visible()
    page.keyboard.press("Shift+A")
    desk.submit_by_key()
    assert desk.answer().groups == [[first]]


@pytest.mark.parametrize("kind", [QuestionKind.VERIFY, QuestionKind.ATTACH])
def test_a_suggested_name_stands_beside_the_empty_field(
    label_studio: RunningLabelStudio, page: Page, kind: QuestionKind
) -> None:
    hostile = "<img src=x onerror=alert(1)> & {{ wording }}"
    desk = ask(label_studio, page, a_question(label_studio, kind, "en-US", suggestion=hostile))
    expect(page.locator(".suggestion")).to_be_visible()
    expect(page.locator(".suggested")).to_have_text(hostile)
    expect(page.get_by_placeholder(desk.wording.name.placeholder)).to_have_value("")
    desk.choose(Verdict.CONFIRM)
    desk.submit()
    assert desk.answer().name is None


def test_without_a_suggestion_nothing_stands_beside_the_field(
    label_studio: RunningLabelStudio, page: Page
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.VERIFY, "en-US"))
    expect(page.get_by_placeholder(desk.wording.name.placeholder)).to_be_visible()
    expect(page.locator(".suggestion")).to_be_hidden()


@in_three_scripts
def test_what_is_missing_is_said_in_the_annotators_language(
    label_studio: RunningLabelStudio, page: Page, locale: str
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, QuestionKind.MERGE, locale))
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text(desk.wording.required)).to_be_visible()


@of_every_kind
@pytest.mark.parametrize("locale", ["en-US", "ar-EG"])
def test_the_desk_is_accessible(
    label_studio: RunningLabelStudio, page: Page, kind: QuestionKind, locale: str
) -> None:
    ask(label_studio, page, a_question(label_studio, kind, locale))
    only = {"runOnly": {"type": "tag", "values": WCAG}}
    found = Axe().run(page, context=".sheet", options=only)
    assert found.response["passes"]
    assert found.violations_count == 0, found.generate_report()


@of_every_kind
def test_the_guidelines_open_with_a_drawn_example(
    label_studio: RunningLabelStudio, page: Page, kind: QuestionKind
) -> None:
    desk = ask(label_studio, page, a_question(label_studio, kind, "ar-EG"))
    page.goto(f"{label_studio.url}/projects/{desk.project}/data?labeling=1")
    guide = page.locator(".guide")
    for verdict in desk.wording.sheet(kind).verdicts.values():
        expect(guide).to_contain_text(verdict.when)
    drawing = guide.locator(".example")
    expect(drawing).to_be_visible()
    width = drawing.evaluate(
        """async element => {
            const picture = new Image();
            picture.src = getComputedStyle(element).backgroundImage.slice(5, -2);
            await picture.decode();
            return picture.naturalWidth;
        }"""
    )
    assert width > 0


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_label_studio_takes_the_desk_of_every_locale_as_it_is(
    label_studio: RunningLabelStudio, locale: str
) -> None:
    projects = [
        label_studio.site.ensure_project(kind, Wording.load(locale)) for kind in QuestionKind
    ]
    assert len(set(projects)) == len(QuestionKind)
