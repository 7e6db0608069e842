"""A hostile picture costs little, and nothing of it but its pixels reaches a browser."""

import io
import os
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from catalog.appearance import measure
from catalog.images import preview_key
from catalog.pictures import Picture, UnusablePicture, read_picture
from tests.conftest import ROOT, RunningStack

MOST_PIXELS = 60_000_000
MEMORY = 1_500_000_000
"""Bytes that the reader may reserve: less than any of the bombs would take."""

PAYLOAD = b"<script>alert(document.domain)</script>"

READS = """
import sys
from catalog.pictures import UnusablePicture, read_picture
try:
    read_picture(sys.stdin.buffer.read(), max_pixels=60_000_000, preview_side=320)
    print("read")
except UnusablePicture as reason:
    print("refused:", reason)
"""


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000, 9))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, *extra, pixels, chunk(b"IEND", b"")))


def png_with_a_long_text() -> bytes:
    return png_of(64, 64, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 200_000_000, 9)))


def gif_of(screen: int, frame: int) -> bytes:
    """A GIF whose only frame may be larger than its screen."""
    size = struct.pack("<HH", screen, screen) + b"\x80\0\0" + b"\0" * 6
    drawn = b"," + struct.pack("<HHHH", 0, 0, frame, frame) + b"\0\x02\x02L\x01\0;"
    return b"GIF89a" + size + drawn


def jpeg_of(width: int, height: int) -> bytes:
    content = bytearray(saved(photo(), "JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def webp_of(side: int) -> bytes:
    data = b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + b"\0" * 100
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_of(width: int, height: int) -> bytes:
    """A TIFF in two strips that declares more pixels than it has."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (279, 16)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + b"\0" * 4


BOMBS = {
    "png": png_of(60_000, 60_000),
    "png below Pillow's own limit": png_of(12_000, 12_000),
    "png with a text of 200 MB": png_with_a_long_text(),
    "gif": gif_of(65_535, 65_535),
    "gif with a frame larger than its screen": gif_of(10, 65_535),
    "jpeg": jpeg_of(65_500, 65_500),
    "webp": webp_of(16_383),
    "tiff": tiff_of(2**31 - 1, 2**31 - 1),
    "tiff of one line": tiff_of(2**31 - 1, 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_is_refused_before_it_takes_memory(name: str) -> None:
    assert len(BOMBS[name]) < 250_000
    done = subprocess.run(
        [sys.executable, "-c", READS],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        input=BOMBS[name],
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert done.stdout.startswith(b"refused: "), done.stderr


def zip_of(payload: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("payload.html", payload)
    return buffer.getvalue()


def with_a_comment() -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", PAYLOAD.decode())
    return saved(photo(), "PNG", pnginfo=said)


POLYGLOTS = {
    "gif and javascript": saved(photo(), "GIF", comment=b"*/=1;" + PAYLOAD),
    "jpeg and html": saved(photo(), "JPEG", comment=PAYLOAD),
    "png and html": with_a_comment(),
    "jpeg and zip": saved(photo(), "JPEG") + zip_of(PAYLOAD),
}


def read(content: bytes) -> Picture:
    return read_picture(content, max_pixels=MOST_PIXELS, preview_side=320)


@pytest.mark.parametrize("name", POLYGLOTS)
def test_nothing_but_the_pixels_of_a_polyglot_is_shown(name: str) -> None:
    content = POLYGLOTS[name]
    assert PAYLOAD in content
    preview = read(content).preview
    assert PAYLOAD not in preview
    assert Image.open(io.BytesIO(preview)).format == "JPEG"
    assert preview.endswith(b"\xff\xd9")


@pytest.mark.parametrize(
    "content", [PAYLOAD, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-"]
)
def test_what_browsers_would_run_is_no_picture(content: bytes) -> None:
    with pytest.raises(UnusablePicture, match="not a picture"):
        read(content)


def test_a_file_is_what_its_bytes_say_and_not_its_name() -> None:
    assert read(saved(photo(), "PNG")).media_type == "image/png"


def damaged_exif(orientation: int) -> bytes:
    """Its X resolution is said to be a text, which Pillow does not write back as a number."""
    exif = Image.Exif()
    exif[0x0112], exif[0x011A] = orientation, 72.0
    content = bytearray(saved(photo(), "JPEG", exif=exif))
    at = content.index(struct.pack(">HH", 0x011A, 5)) + 2
    content[at : at + 2] = struct.pack(">H", 2)
    return bytes(content)


def test_metadata_that_cannot_be_written_back_make_a_picture_unusable() -> None:
    with pytest.raises(UnusablePicture, match="damaged"):
        read(damaged_exif(orientation=6))


def test_metadata_that_cannot_be_read_say_nothing() -> None:
    content = damaged_exif(orientation=1)
    found = read(content)
    assert measure(found.id, content, found.preview).screenshot is False


def test_label_studio_serves_a_polyglot_as_the_picture_that_it_is(stack: RunningStack) -> None:
    with httpx.Client(base_url=stack.site.url, timeout=60) as visitor:
        visitor.headers["Authorization"] = f"Token {stack.credentials.admin_token}"
        project = visitor.post("/api/projects", json={"title": "polyglot"}).json()["id"]
        folder = stack.site.pictures / "previews"
        name = Path(preview_key("0" * 64)).name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(read(POLYGLOTS["jpeg and html"]).preview)
        storage = {"project": project, "path": str(folder), "use_blob_urls": True}
        visitor.post("/api/storages/localfiles/", json=storage).raise_for_status()

        shown = visitor.get(f"/data/local-files/?d=previews/{name}").raise_for_status()

    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert PAYLOAD not in shown.content
