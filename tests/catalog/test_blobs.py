"""A blob is shared under a second key without a second copy, where that is possible."""

import errno
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from catalog import BlobStore
from catalog.blobs import PARTIAL


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    blobs = BlobStore(f"file://{tmp_path}")
    blobs.put("previews/a.jpg", b"a picture")
    return blobs


@pytest.fixture(params=["local", "elsewhere"])
def anywhere(request: pytest.FixtureRequest, blobs: BlobStore) -> BlobStore:
    """A store on this machine's disk, and one that fsspec reaches in another way."""
    return blobs if request.param == "local" else BlobStore(f"memory://{uuid4().hex}")


def test_a_blob_is_written_once(anywhere: BlobStore) -> None:
    anywhere.put("features/f", b"first")
    anywhere.put("features/f", b"second")
    assert anywhere.get("features/f") == b"first"


def test_only_replacing_it_changes_it(anywhere: BlobStore) -> None:
    anywhere.put("features/f", b"first")
    anywhere.replace("features/f", b"second")
    with anywhere.open("features/f") as file:
        assert file.read() == b"second"


def test_a_deleted_blob_is_gone_and_may_be_deleted_again(anywhere: BlobStore) -> None:
    anywhere.put("previews/c.jpg", b"a picture")
    for _ in range(2):
        anywhere.delete("previews/c.jpg")
        assert not anywhere.exists("previews/c.jpg")
    with pytest.raises(FileNotFoundError), anywhere.open("previews/c.jpg"):
        pass


def test_all_below_a_key_is_gone_and_may_be_deleted_again(anywhere: BlobStore) -> None:
    for key in ("scratch/a/1", "scratch/a/b/2", "scratch/ab/3"):
        anywhere.put(key, b"a step")
    for _ in range(2):
        anywhere.delete_below("scratch/a")
        assert list(anywhere.every_key("scratch")) == ["scratch/ab/3"]


def test_what_a_killed_process_left_goes_with_its_folder(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put("scratch/a/1", b"a step")
    (tmp_path / f"scratch/a/2.npy.{uuid4().hex}{PARTIAL}").write_bytes(b"half a st")
    blobs.delete_below("scratch/a")
    assert not (tmp_path / "scratch/a").exists()


def test_deleting_what_is_shared_leaves_the_other(blobs: BlobStore) -> None:
    blobs.share("previews/a.jpg", "sites/x/previews/a.jpg")
    blobs.delete("previews/a.jpg")
    assert blobs.get("sites/x/previews/a.jpg") == b"a picture"


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
