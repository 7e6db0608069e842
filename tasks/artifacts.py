"""What a run leaves to look at: tables, contact sheets and progress bars in the Prefect UI."""

import base64
import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Protocol

from PIL import Image
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from catalog import BlobStore
from catalog.images import preview_key

THUMBNAIL = 72
GAP = 4
PICTURES_PER_ROW = 12
ROWS_PER_SHEET = 6


class Report(Protocol):
    def __call__(self, share_done: float) -> None: ...


def publish(key: str, title: str, *sections: str) -> None:
    """Publish a page made of Markdown `sections` under `key`."""
    create_markdown_artifact("\n\n".join(sections), key=key, description=title, _sync=True)


def delete_pages(keys: Sequence[str]) -> None:
    """Delete every page that was published under one of `keys`."""
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=list(keys)))
    with get_client(sync_client=True) as prefect:
        while pages := prefect.read_artifacts(artifact_filter=wanted):
            for page in pages:
                prefect.delete_artifact(page.id)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; cells may hold anything that somebody typed."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list; lines may hold anything that somebody typed."""
    return "\n".join(f"* {_cell(line)}" for line in lines)


def facts(values: Mapping[str, object]) -> str:
    """A two-column table of named values."""
    return table(("", ""), values.items())


def picture(image: Image.Image, caption: str) -> str:
    """`image` inside the page itself, so that it needs no server to be seen."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=80)
    content = base64.b64encode(buffer.getvalue()).decode()
    return f"**{_cell(caption)}**\n\n![{_cell(caption)}](data:image/jpeg;base64,{content})"


def contact_sheet(blobs: BlobStore, clusters: Sequence[Sequence[str]]) -> Image.Image:
    """Clusters of image identities, one row of thumbnails each."""
    rows = clusters[:ROWS_PER_SHEET]
    step = THUMBNAIL + GAP
    sheet = Image.new("RGB", (PICTURES_PER_ROW * step + GAP, len(rows) * step + GAP), "white")
    for top, image_ids in enumerate(rows):
        for left, image_id in enumerate(image_ids[:PICTURES_PER_ROW]):
            with Image.open(BytesIO(blobs.get(preview_key(image_id))), formats=("JPEG",)) as photo:
                photo.thumbnail((THUMBNAIL, THUMBNAIL))
                sheet.paste(photo, (GAP + left * step, GAP + top * step))
    return sheet


@contextmanager
def progress(description: str) -> Iterator[Report]:
    """A progress bar in the UI; the block is given a function that moves it.

    It moves by whole percents, because each move is a call to the server.
    """
    artifact = create_progress_artifact(0.0, description=description, _sync=True)
    shown = 0

    def report(share_done: float) -> None:
        nonlocal shown
        if int(100 * share_done) > shown:
            shown = int(100 * share_done)
            update_progress_artifact(artifact, progress=shown, _sync=True)

    yield report
    report(1.0)


def _cell(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return " ".join(html.escape(text).translate(_MARKS).splitlines())


# A bracket could begin a link, or a picture that is fetched from somewhere.
_MARKS = {ord(mark): f"&#{ord(mark)};" for mark in "|[`"}
