"""A blob is shared under a second key without a second copy, where that is possible."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from catalog import BlobStore


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    blobs = BlobStore(f"file://{tmp_path}")
    blobs.put("previews/a.jpg", b"a picture")
    return blobs


def test_a_shared_blob_takes_no_room(blobs: BlobStore, tmp_path: Path) -> None:
    for _ in range(2):
        blobs.share("previews/a.jpg", "sites/x/previews/a.jpg")
    assert (tmp_path / "sites/x/previews/a.jpg").samefile(tmp_path / "previews/a.jpg")


def test_it_is_copied_where_the_file_system_does_not_link(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EXDEV, "cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    blobs.share("previews/a.jpg", "sites/x/previews/a.jpg")
    assert blobs.get("sites/x/previews/a.jpg") == b"a picture"


def test_nothing_cannot_be_shared(blobs: BlobStore) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.share("previews/b.jpg", "sites/x/previews/b.jpg")
    assert not blobs.exists("sites/x/previews/b.jpg")


def test_sharing_stays_below_the_root(blobs: BlobStore) -> None:
    with pytest.raises(ValueError, match="must stay below"):
        blobs.share("previews/a.jpg", "sites/../../a.jpg")
