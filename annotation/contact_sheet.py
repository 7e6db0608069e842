"""The contact sheet: one question on one screen, in the annotator's language.

What is exported are the values of `Verdict` and `Flag` and the ids of images, never a text, so that
answers from every locale read alike. The class names in the style sheet that start with ``lsf-``
belong to Label Studio; `tests/annotation/test_desk.py` looks after them.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from annotation.wording import Flag, Wording
from catalog.schema import Question, QuestionKind, Verdict

QUESTION = "question"
IMAGES = "images"
VERDICT = "verdict"
INTRUDERS = "intruders"
NAME = "name"
FLAGS = "flags"

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def label_config(kind: QuestionKind, wording: Wording) -> str:
    """The labelling interface of a project, as Label Studio's XML."""
    return _TEMPLATES.get_template("contact_sheet.xml").render(wording=wording)


def guidelines(kind: QuestionKind, wording: Wording) -> str:
    """What an annotator reads before the first sheet, as HTML."""
    return _TEMPLATES.get_template("guidelines.html").render(wording=wording)


def task(question: Question, picture_url: Callable[[str], str]) -> dict[str, Any]:
    """The Label Studio task that asks `question`; `picture_url` maps an image id."""
    sheet = [
        {
            "value": str(number),
            "alias": image_id,
            "html": f'<img src="{escape(picture_url(image_id))}" alt="{number}">',
        }
        for number, image_id in enumerate(question.image_ids, start=1)
    ]
    return {"data": {QUESTION: question.id, IMAGES: sheet}, "meta": {QUESTION: question.id}}


def shown_images(task_data: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the images that a task's data shows, in the order of the sheet."""
    return tuple(picture["alias"] for picture in task_data[IMAGES])


def result(
    verdict: Verdict,
    intruder_ids: Sequence[str] = (),
    name: str | None = None,
    flags: Sequence[Flag] = (),
) -> list[dict[str, Any]]:
    """An annotation's result as Label Studio exports it; what was not touched is absent."""
    regions = [_region(VERDICT, "choices", [verdict])]
    if intruder_ids:
        regions.append(_region(INTRUDERS, "choices", intruder_ids))
    if name:
        regions.append(_region(NAME, "textarea", [name]))
    if flags:
        regions.append(_region(FLAGS, "choices", flags))
    return regions


def _region(control: str, kind: str, values: Sequence[str]) -> dict[str, Any]:
    return {
        "from_name": control,
        "to_name": "sheet",
        "type": kind,
        "value": {"text" if kind == "textarea" else "choices": [str(value) for value in values]},
    }
