"""The desk: what an annotator sees of a question, in the annotator's language.

Pictures are ticked in a grid, looked at in a gallery, or sorted into columns. The class names in
the style sheet that start with ``lsf-`` and ``htx-`` belong to Label Studio;
`tests/annotation/test_desk.py` looks after them.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from annotation.wording import Bucket, Wording
from catalog.schema import VERDICTS, Question, QuestionKind

QUESTION = "question"

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def label_config(kind: QuestionKind, wording: Wording) -> str:
    """The labelling interface of a project, as Label Studio's XML."""
    return _render(f"{kind}.xml", kind, wording)


def guidelines(kind: QuestionKind, wording: Wording) -> str:
    """What an annotator reads before the first question, as HTML with a drawn example."""
    drawing = b64encode(_render("example.svg", kind, wording).encode()).decode("ascii")
    return _render("guidelines.html", kind, wording, drawing=drawing)


def task(question: Question, picture_url: Callable[[str], str]) -> dict[str, Any]:
    """The Label Studio task that asks `question`; `picture_url` maps an image id to an address."""

    def pictures(image_ids: Sequence[str]) -> list[str]:
        return [
            f'<img src="{escape(picture_url(image_id))}" alt="{number}">'
            for number, image_id in enumerate(image_ids, start=1)
        ]

    shown = list(zip(question.image_ids, pictures(question.image_ids), strict=True))
    references = "".join(pictures(question.reference_ids))
    choices = [
        {"value": str(number), "alias": image_id, "html": html}
        for number, (image_id, html) in enumerate(shown, start=1)
    ]
    suggestion = question.suggestion or ""
    data: dict[str, Any]
    match QuestionKind(question.kind):
        case QuestionKind.VERIFY:
            data = {"images": choices, "suggestion": suggestion}
        case QuestionKind.ATTACH:
            data = {"references": references, "images": choices, "suggestion": suggestion}
        case QuestionKind.MERGE:
            data = {"references": references, "images": "".join(html for _, html in shown)}
        case QuestionKind.SPLIT:
            data = {"images": [{"id": image_id, "html": html} for image_id, html in shown]}
    return {"data": data, "meta": {QUESTION: question.id}}


def _render(template: str, kind: QuestionKind, wording: Wording, **context: Any) -> str:
    return _TEMPLATES.get_template(template).render(
        kind=kind,
        verdicts=VERDICTS[kind],
        buckets=tuple(Bucket),
        wording=wording,
        sheet=wording.sheet(kind),
        **context,
    )
