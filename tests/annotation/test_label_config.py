"""The desk reads differently in every locale and exports the same everywhere."""

import re
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from annotation import Flag, Wording, guidelines, label_config, task
from annotation.wording import LOCALES, Bucket
from catalog.schema import VERDICTS, QuestionKind
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
    """What a configuration can export: each control with the values that it offers."""
    controls = []
    for element in ElementTree.fromstring(config).iter():
        if element.get("toName"):
            offered = [choice.attrib["alias"] for choice in element.iter("Choice")]
            offered += [bucket.attrib["name"] for bucket in element.iter("Bucket")]
            controls.append((element.tag, element.attrib["name"], *offered))
    return controls


EXPORTS = {
    QuestionKind.VERIFY: [
        ("Choices", "verdict", *VERDICTS[QuestionKind.VERIFY]),
        ("TextArea", "name"),
        ("Choices", "flags", *Flag),
        ("Choices", "intruders"),
    ],
    QuestionKind.ATTACH: [
        ("Choices", "verdict", *VERDICTS[QuestionKind.ATTACH]),
        ("TextArea", "name"),
        ("Choices", "flags", *Flag),
        ("Choices", "intruders"),
    ],
    QuestionKind.MERGE: [("Choices", "verdict", *VERDICTS[QuestionKind.MERGE])],
    QuestionKind.SPLIT: [
        ("Choices", "verdict", *VERDICTS[QuestionKind.SPLIT]),
        ("Ranker", "groups", *Bucket),
    ],
}

in_every_locale = pytest.mark.parametrize("locale", EVERY_LOCALE)
of_every_kind = pytest.mark.parametrize("kind", QuestionKind)


def ask(kind: QuestionKind, *image_ids: str) -> dict[str, Any]:
    asked = make_question(*image_ids, kind=kind, references=["r"])
    return task(asked, lambda image_id: f"/pictures/{image_id}")


@of_every_kind
@in_every_locale
def test_label_studio_accepts_the_desk_of_every_locale(locale: str, kind: QuestionKind) -> None:
    LabelInterface(label_config(kind, Wording.load(locale))).validate()


@of_every_kind
@in_every_locale
def test_what_is_exported_does_not_depend_on_the_locale(locale: str, kind: QuestionKind) -> None:
    assert exports(label_config(kind, Wording.load(locale))) == EXPORTS[kind]


@of_every_kind
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_stays_a_text_at_the_desk(hostile: str, kind: QuestionKind) -> None:
    english = Wording.load("en-US")
    wording = english.model_copy(
        update={
            "required": hostile,
            "same_product": hostile,
            kind: english.sheet(kind).model_copy(update={"question": hostile, "steps": (hostile,)}),
        }
    )
    config = label_config(kind, wording)
    assert exports(config) == EXPORTS[kind]
    assert ElementTree.fromstring(config).find(".//Choices").attrib["requiredMessage"] == hostile
    tags = [tag for tag, _ in Tags(guidelines(kind, wording)).found]
    honest = [tag for tag, _ in Tags(guidelines(kind, english)).found]
    assert [tag for tag in tags if tag != "li"] == [tag for tag in honest if tag != "li"]


@of_every_kind
def test_a_hostile_name_on_a_packet_stays_a_text_of_the_drawing(kind: QuestionKind) -> None:
    english = Wording.load("en-US")
    hostile = english.example.model_copy(update={"brand": "</text><script>alert(1)</script>"})
    drawing = drawn(guidelines(kind, english.model_copy(update={"example": hostile})))
    tags = {element.tag.partition("}")[2] for element in ElementTree.fromstring(drawing).iter()}
    assert tags <= {"svg", "g", "rect", "circle", "text", "path"}


@pytest.mark.parametrize("locale", ["ar-EG", "ja-JP"])
@of_every_kind
def test_the_drawn_packets_are_named_in_the_locales_script(locale: str, kind: QuestionKind) -> None:
    wording = Wording.load(locale)
    texts = [
        element.text for element in ElementTree.fromstring(drawn(guidelines(kind, wording))).iter()
    ]
    assert wording.example.brand in texts


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_hostile_image_id_or_address_stays_an_attribute(image_id: str, address: str) -> None:
    asked = make_question(image_id)
    (picture,) = task(asked, lambda _: address)["data"]["images"]
    ((tag, attributes),) = Tags(picture["html"]).found
    assert tag == "img"
    assert set(attributes) == {"src", "alt"}
    assert picture["alias"] == image_id


@of_every_kind
def test_a_task_carries_the_id_of_its_question_out_of_sight(kind: QuestionKind) -> None:
    asked = make_question("a", kind=kind)
    assert task(asked, str)["meta"] == {"question": asked.id}
    assert asked.id not in str(task(asked, str)["data"])


def test_a_sheet_shows_the_images_of_its_question_in_order() -> None:
    images = ask(QuestionKind.VERIFY, "c", "a", "b")["data"]["images"]
    assert [picture["alias"] for picture in images] == ["c", "a", "b"]


@pytest.mark.parametrize("kind", [QuestionKind.ATTACH, QuestionKind.MERGE])
def test_references_are_shown_and_cannot_be_ticked(kind: QuestionKind) -> None:
    data = ask(kind, "a", "b")["data"]
    assert Tags(data["references"]).found == [("img", {"src": "/pictures/r", "alt": "1"})]
    assert "/pictures/r" not in str(data["images"])


@of_every_kind
def test_a_task_sends_every_value_that_its_desk_asks_for(kind: QuestionKind) -> None:
    config = label_config(kind, Wording.load("en-US"))
    wanted = set(re.findall(r'value="\$(\w+)"', config))
    assert set(ask(kind, "a", "b")["data"]) == wanted


@of_every_kind
def test_nothing_is_answered_beforehand(kind: QuestionKind) -> None:
    assert "selected" not in label_config(kind, Wording.load("en-US"))


@of_every_kind
@in_every_locale
def test_the_style_sheet_has_nothing_that_label_studio_would_escape(
    locale: str, kind: QuestionKind
) -> None:
    style = ElementTree.fromstring(label_config(kind, Wording.load(locale))).findtext("Style")
    assert set(style).isdisjoint("<>&")


def drawn(html: str) -> str:
    """The picture that is the background of the guidelines' example."""
    found = re.search(r"base64,([\w+/=]+)", html)
    assert found
    return b64decode(found[1]).decode()
