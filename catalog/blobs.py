"""Everything too large for a row, under a key, on any file system that fsspec knows."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from catalog.errors import NO_ROOM, DiskFull, StoreUnreachable
from catalog.identity import content_digest, digest

PARTIAL = ".partial"

SCRATCH = "scratch"
"""Below this key lies what tasks hand to each other: none of it is needed when they are done."""

PAGES = "pages"
"""Below this key lie pages that are made anew from all the rest: only their newest is kept, and no
backup needs them."""


class BlobStore:
    """Blobs below `url` (``file:///data/blobs``, ``s3://bucket/prefix``).

    A blob appears whole or not at all, and a key that exists is never written again: keys are
    made from the digest of what they hold. Only what must go is taken out: by `delete`, by
    `delete_below`, and by `replace` where it is a part of a blob, or a page that is made anew. What
    a killed process leaves behind ends in ``.partial`` and is no blob. Raises `DiskFull` where
    there is no room for a blob, and `StoreUnreachable` where an object store does not answer.

    `options` are what fsspec opens the file system with, such as keys; without them it takes what
    the machine's environment says.
    """

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        self.url = url
        self._fs, self._root = url_to_fs(url, **(options or {}))
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self._no_answer = _no_answer(self._fs)

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, unless something is kept there already."""
        if not self.exists(key):
            self.replace(key, content)

    def replace(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, whatever was kept there."""
        path = self._path(key)
        if self._is_local:
            write_whole(path, lambda file: file.write(content))
        else:
            with self._asked():
                self._fs.pipe_file(path, content)

    def put_file(self, key: str, file: Path) -> None:
        """Keep the content of `file`, which may be larger than memory, under `key`."""
        path = self._path(key)
        if self.exists(key):
            return
        if self._is_local:
            with file.open("rb") as source:
                write_whole(path, lambda target: shutil.copyfileobj(source, target))
        else:
            with self._asked():
                self._fs.put_file(str(file), path)

    def get_file(self, key: str, file: Path) -> None:
        """Write the content under `key` to `file`; raises `FileNotFoundError` for none."""
        with self.open(key) as source:
            write_whole(str(file.absolute()), lambda target: shutil.copyfileobj(source, target))

    def every_key(self, below: str = "") -> Iterator[str]:
        """Every key, or those below one, folder by folder."""
        self._fs.invalidate_cache()
        root = self._path(below) if below else self._root
        with self._asked():
            for folder, _, names in self._fs.walk(root):
                for name in sorted(names):
                    if not name.endswith(PARTIAL):
                        yield f"{folder}/{name}"[len(self._root) :].lstrip("/")

    def share(self, key: str, to: str) -> None:
        """Keep the content under `key` under `to` as well, unless something is kept there already.

        Files are linked (copied where the file system refuses), and an object store copies by
        itself. Raises `FileNotFoundError` where there is nothing under `key`.
        """
        source, target = self._path(key), self._path(to)
        if self.exists(to):
            return
        if not self._is_local:
            with self._asked():
                self._fs.cp_file(source, target)
            return
        with _room_at(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(source, target)
        except FileExistsError:
            return
        except OSError:
            self.put(to, self.get(key))

    def get(self, key: str) -> bytes:
        """The content under `key`; raises `FileNotFoundError` where there is none."""
        with self._asked():
            content: bytes = self._fs.cat_file(self._path(key))
        return content

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Some ranges of bytes of what is kept under `key`, each from its first to before its end.

        Raises `FileNotFoundError` where there is nothing.
        """
        paths = [self._path(key)] * len(ranges)
        starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
        with self._asked():
            parts: list[bytes] = self._fs.cat_ranges(paths, starts, ends, on_error="raise")
        return parts

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """The blob under `key`, to read in parts; raises `FileNotFoundError` for none."""
        with self._asked(), self._fs.open(self._path(key), "rb") as file:
            yield file

    def delete(self, key: str) -> None:
        """See that nothing is kept under `key`."""
        with suppress(FileNotFoundError), self._asked():
            self._fs.rm_file(self._path(key))

    def delete_below(self, key: str) -> None:
        """See that nothing is kept below `key`, nor what killed processes left there."""
        self._fs.invalidate_cache()
        with suppress(FileNotFoundError), self._asked():
            self._fs.rm(self._path(key), recursive=True)

    def exists(self, key: str) -> bool:
        with self._asked():
            return bool(self._fs.exists(self._path(key)))

    @property
    def address(self) -> str:
        """Where the blobs are, spelled in one way, so that two stores can be compared."""
        return str(self._fs.unstrip_protocol(self._root))

    @property
    def local_root(self) -> Path | None:
        """The directory that holds the blobs, where they are files of this machine."""
        return Path(self._root) if self._is_local else None

    def put_directory(self, key: str, directory: Path) -> str:
        """Keep every file of `directory` below `key` and their digest; the key of the whole."""
        files = {
            file.relative_to(directory).as_posix(): file.read_bytes()
            for file in sorted(directory.rglob("*"))
            if file.is_file()
        }
        whole = f"{key}/{digest(*(f'{name} {content_digest(files[name])}' for name in files))}"
        for name, content in files.items():
            self.put(f"{whole}/{name}", content)
        return whole

    @contextmanager
    def directory(self, key: str) -> Iterator[Path]:
        """The files below `key` as a local directory, for libraries that read paths."""
        if self._is_local:
            yield Path(self._path(key))
            return
        with TemporaryDirectory() as copy:
            with self._asked():
                self._fs.get(f"{self._path(key)}/", f"{copy}/", recursive=True)
            yield Path(copy)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except self._no_answer as error:
            raise StoreUnreachable(
                f"the blob store at {self.address} does not answer ({error}): see that it runs and"
                " that this machine reaches it, or correct `blobs` in groundtruth.toml, and run"
                " the same command again"
            ) from error

    def _path(self, key: str) -> str:
        parts = key.split("/")
        if not all(part and part not in {".", ".."} for part in parts):
            raise ValueError(f"{key!r} is not a key: it must stay below the blob store's root")
        return "/".join((self._root, *parts))


def _no_answer(fs: AbstractFileSystem) -> tuple[type[Exception], ...]:
    """What `fs` raises where its server does not answer, if that is no `OSError`."""
    if "s3" not in fs.protocol:
        return ()
    from botocore.exceptions import ConnectionError, HTTPClientError

    return ConnectionError, HTTPClientError


@contextmanager
def _room_at(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull(path) from error
        raise


def write_whole(path: str, write: Callable[[IO[bytes]], object]) -> None:
    """Have `write` fill a file that is called `path` only when all of it is on the disk."""
    folder, partial = os.path.dirname(path), f"{path}.{uuid4().hex}{PARTIAL}"
    with _room_at(path):
        os.makedirs(folder, exist_ok=True)
        try:
            with open(partial, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            Path(partial).unlink(missing_ok=True)
        # The name, too, is to outlive a power cut.
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
