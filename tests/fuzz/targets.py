"""What reads files and messages of others, each as a function of bytes that may raise nothing.

What a reader refuses it refuses with the error that its docstring names; anything else that is
raised is a finding.
"""

import asyncio
import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import ValidationError

from annotation.answers import Submission, invalid_annotations, new_answers
from annotation.listing import _submission, _Task
from annotation.results import result
from catalog.appearance import measure
from catalog.identity import digest
from catalog.manifest import ManifestError, listings
from catalog.pictures import UnusablePicture, read_picture
from catalog.schema import Question, QuestionKind, Verdict
from deployments import webhooks
from tasks.errors import SettingsError
from tasks.settings import SETTINGS_VARIABLE, Annotate, Settings, load_settings
from workforce.errors import WorkforceError
from workforce.records import files, invoice_files, record_sheets
from workforce.records.workforce import Workforce

IMAGES = tuple(digest(number) * 2 for number in range(4))
ROW = {"uri": "a.jpg", "locale": "de-DE", "product": "Tee", "captured_at": "2026-03-01T09:00+09:00"}


@dataclass(frozen=True)
class Target:
    """A reader, and small inputs that it takes from which others are made."""

    read: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def manifest(suffix: str) -> Callable[[bytes], None]:
    """A manifest: every row is a listing whose texts can be kept, or says what is wrong."""

    def read(content: bytes) -> None:
        path = _file(content, suffix)
        with suppress(ManifestError):
            for each in listings(str(path), None, ["de-DE"]):
                digest(each.uri, each.problem, each.product, each.source, each.captured_at)
                assert "\0" not in json.dumps(each.extra, allow_nan=False, ensure_ascii=False)

    return read


def annotation(content: bytes) -> None:
    """A task as Label Studio returns it: answers that can be kept, or a reason."""
    try:
        said = json.loads(content)
        kind = QuestionKind(said.pop("kind"))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return
    question = Question(
        id="q", kind=kind, locale="de-DE", site="local", image_ids=list(IMAGES), reference_ids=[]
    )
    with suppress(ValidationError):
        submission: Submission = _submission("q", _Task.model_validate(said), {1: "a@b"})
        for answer in new_answers(submission, question, ()):
            digest(answer.id, answer.name, answer.seconds)
            assert "\0" not in (answer.name or "")
        for problem in invalid_annotations(submission, question):
            assert "correct or delete" in problem


def picture(content: bytes) -> None:
    """A file that may be a picture: its preview and measures, or a reason."""
    with suppress(UnusablePicture):
        found = read_picture(content, max_pixels=1_000_000, preview_side=64)
        measure(found.id, content, found.preview)


def hint(content: bytes) -> None:
    """A request to the webhooks server: a status of its table."""
    path, _, rest = content.partition(b"\n")
    secret, _, body = rest.partition(b"\n")
    assert asyncio.run(_status(path, secret, body)) in {202, 401, 404, 405, 413}


def workbook(content: bytes) -> None:
    """An Excel workbook of records, or of invoices."""
    path = _file(content, ".xlsx")
    with suppress(WorkforceError):
        record_sheets.read(path)
    with suppress(WorkforceError):
        invoice_files.invoices(path, "vendor-a")


def invoice(content: bytes) -> None:
    """An invoice as CSV."""
    with suppress(WorkforceError):
        invoice_files.invoices(_file(content, ".csv"), "vendor-a")


def records(content: bytes) -> None:
    """The records as YAML."""
    with suppress(WorkforceError):
        files.read(_file(content, ".yaml"))


def settings(content: bytes) -> None:
    """A settings file."""
    os.environ[SETTINGS_VARIABLE] = str(_file(content, ".toml"))
    load_settings.cache_clear()
    with suppress(SettingsError):
        load_settings()


def _manifests(write: Callable[[pd.DataFrame], bytes]) -> Callable[[], Sequence[bytes]]:
    table = pd.DataFrame([ROW, {**ROW, "uri": "https://example.com/ü.png", "shelf": "B2"}])
    return lambda: [write(table), write(table[["uri", "locale"]])]


def _annotations() -> Sequence[bytes]:
    said = [
        (QuestionKind.VERIFY, result(QuestionKind.VERIFY, Verdict.CONFIRM, name="Tee")),
        (
            QuestionKind.VERIFY,
            result(QuestionKind.VERIFY, Verdict.CONFIRM, intruder_ids=IMAGES[:1], name="茶"),
        ),
        (
            QuestionKind.SPLIT,
            result(QuestionKind.SPLIT, Verdict.CONFIRM, groups=(IMAGES[:2], IMAGES[2:])),
        ),
    ]
    return [json.dumps(_task(kind, regions)).encode() for kind, regions in said]


def _task(kind: QuestionKind, regions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    when = "2026-03-01T09:00:00Z"
    given = {
        "id": 7,
        "completed_by": 1,
        "result": regions,
        "was_cancelled": False,
        "lead_time": 3.5,
        "updated_at": when,
    }
    task = {"id": 3, "meta": {"question": "q"}, "overlap": 1, "updated_at": when}
    return {"kind": kind, **task, "annotations": [given]}


def _pictures() -> Sequence[bytes]:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 16, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0110] = "camera"
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("JPEG", {"exif": exif}),
        ("PNG", {"exif": exif}),
        ("WEBP", {"exif": exif}),
        ("GIF", {"save_all": True, "append_images": [image.rotate(90)]}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ]
    return [_saved(image, kind, options) for kind, options in kinds]


def _saved(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _workbooks() -> Sequence[bytes]:
    path = _folder() / "seed.xlsx"
    record_sheets.written(files.read(_sample("sample.yaml")), path)
    lines = list(csv.reader(_sample("sample-invoice.csv").open(encoding="utf-8")))
    buffer = io.BytesIO()
    pd.DataFrame(lines[1:], columns=lines[0]).to_excel(buffer, index=False)
    empty = _folder() / "empty.xlsx"
    record_sheets.written(Workforce(), empty)
    return [path.read_bytes(), buffer.getvalue(), empty.read_bytes()]


def _sample(name: str) -> Path:
    return Path(files.__file__).parents[1] / name


def _webhooks() -> Sequence[bytes]:
    return [b"/webhooks/local\nhush\n{}", b"/webhooks/else\n\n", b"/health\n\n"]


def _table(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, compression=None)
    return buffer.getvalue()


def _lines(table: pd.DataFrame) -> bytes:
    return table.to_json(orient="records", lines=True, force_ascii=False).encode()


async def _status(path: bytes, secret: bytes, body: bytes) -> int:
    """The status of one request, spoken as ASGI."""
    statuses: list[int] = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path.decode("latin-1"),
        "raw_path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"x-groundtruth-secret", secret)],
    }
    await _application()(scope, receive, send)
    return statuses[0]


@cache
def _application() -> Any:
    async def secret_of(site: str, settings: Settings) -> str | None:
        return "hush" if site in settings.annotate.sites else None

    async def act() -> None:
        return None

    # The one part that needs Prefect: its block holds the secret.
    webhooks._secret_of = secret_of
    return webhooks.application(Settings(annotate=Annotate(sites=["local"])), act)


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="fuzz", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))


def _file(content: bytes, suffix: str) -> Path:
    path = _folder() / f"input{suffix}"
    path.write_bytes(content)
    return path


TARGETS = {
    "manifest-csv": Target(manifest(".csv"), _manifests(lambda t: t.to_csv(index=False).encode())),
    "manifest-jsonl": Target(manifest(".jsonl"), _manifests(_lines)),
    "manifest-parquet": Target(manifest(".parquet"), _manifests(_table)),
    "annotation": Target(annotation, _annotations),
    "picture": Target(picture, _pictures),
    "webhook": Target(hint, _webhooks),
    "workbook": Target(workbook, _workbooks),
    "invoice": Target(invoice, lambda: [_sample("sample-invoice.csv").read_bytes()]),
    "records": Target(records, lambda: [_sample("sample.yaml").read_bytes()]),
    "settings": Target(settings, lambda: [Path("groundtruth.toml").read_bytes()]),
}
