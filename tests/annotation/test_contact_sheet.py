"""A contact sheet reads differently in every locale and exports the same everywhere."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from annotation import Flag, Wording, label_config, task
from annotation.contact_sheet import guidelines, shown_images
from annotation.wording import LOCALES
from catalog.schema import Verdict
from tests.annotation.conftest import make_question

EVERY_LOCALE = sorted(file.stem for file in LOCALES.glob("*.toml"))
HOSTILE = [
    "<script>alert(1)</script>",
    '" onerror="alert(1)',
    "' & &amp; ]]>",
    "\u202eright to left\u200f",
    "{{ wording }} {% raw %}",
]


class Tags(HTMLParser):
    """The tags of a piece of HTML with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def exports(config: str) -> list[tuple[str, ...]]:
    """What a configuration can export: each control with the aliases that it offers."""
    controls = []
    for element in ElementTree.fromstring(config).iter():
        if element.get("toName"):
            aliases = [choice.attrib["alias"] for choice in element.iter("Choice")]
            controls.append((element.tag, element.attrib["name"], *aliases))
    return controls


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_label_studio_accepts_the_sheet_of_every_locale(locale: str) -> None:
    LabelInterface(label_config(Wording.load(locale))).validate()


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_what_is_exported_does_not_depend_on_the_locale(locale: str) -> None:
    assert exports(label_config(Wording.load(locale))) == [
        ("Choices", "verdict", *Verdict),
        ("TextArea", "name"),
        ("Choices", "flags", *Flag),
        ("Choices", "intruders"),
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_stays_a_text_in_the_sheet(hostile: str) -> None:
    english = Wording.load("en-US")
    wording = english.model_copy(
        update={
            "question": hostile,
            "name": hostile,
            "verdicts": dict.fromkeys(Verdict, hostile),
            "guidelines": (hostile,),
        }
    )
    config = ElementTree.fromstring(label_config(wording))
    assert exports(label_config(wording)) == exports(label_config(english))
    assert config.find(".//TextArea").attrib["placeholder"] == hostile
    assert [tag for tag, _ in Tags(guidelines(wording)).found] == ["p"]


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_hostile_image_id_or_address_stays_an_attribute(image_id: str, address: str) -> None:
    asked = make_question(image_id)
    (picture,) = task(asked, lambda _: address)["images"]
    ((tag, attributes),) = Tags(picture["html"]).found
    assert tag == "img"
    assert set(attributes) == {"src", "alt"}
    assert picture["alias"] == image_id


def test_a_task_shows_the_images_of_its_question_in_order() -> None:
    asked = make_question("c", "a", "b")
    data = task(asked, lambda image_id: f"/pictures/{image_id}")
    assert data["question"] == asked.id
    assert shown_images(data) == ("c", "a", "b")


def test_nothing_is_answered_beforehand() -> None:
    data = task(make_question("a", "b"), str)
    assert set(data) == {"question", "images"}
    assert "selected" not in label_config(Wording.load("en-US"))


@pytest.mark.parametrize("locale", EVERY_LOCALE)
def test_the_style_sheet_has_nothing_that_label_studio_would_escape(locale: str) -> None:
    style = ElementTree.fromstring(label_config(Wording.load(locale))).findtext("Style")
    assert set(style).isdisjoint("<>&")
