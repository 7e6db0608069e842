"""Which addresses a manifest may name: what lies beside it, and below places that a person named.

A manifest comes from outside. If it could name any address, its author could have this machine read
its own files, another vendor's pictures in the same bucket, or what only its network reaches.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from fsspec.core import url_to_fs

from catalog.download import NotPublic, download

CHAIN = "::"
LOCAL = "file://"
ANYWHERE = ("https://", "http://")
"""Places that are every public host."""


class OutOfReach(ValueError):
    """An address that is not below any place that may be read."""


class TooLarge(ValueError):
    """More bytes than are read."""


@dataclass(frozen=True)
class Reach:
    """What lies below `places`: folders, `s3://bucket/prefix`, `https://host/path`.

    `https://` alone is every host with a public address. Below a place that names its host, the
    host may have any address. A link in a folder counts as what it leads to.
    """

    places: tuple[str, ...]

    def read(self, uri: str, *, at_most: int) -> bytes:
        """The content at `uri`, refused above `at_most` bytes.

        Raises `OutOfReach` for what is not below a place, `FileNotFoundError` where there is
        nothing, `TooLarge` for too much, and `OSError` for what cannot be read.
        """
        if is_local(uri):
            content = self._read_file(uri, at_most)
        elif uri.lower().startswith(ANYWHERE):
            content = self._read_web(uri, at_most)
        else:
            content = self._read_object(uri, at_most)
        if len(content) > at_most:
            raise TooLarge(f"larger than the {at_most:,} bytes allowed")
        return content

    def _read_file(self, uri: str, at_most: int) -> bytes:
        try:
            path = _path(uri)
        except (RuntimeError, ValueError) as error:  # links in a circle, a zero byte
            raise OutOfReach(f"is no path of a file ({error})") from error
        if not any(path.is_relative_to(_path(place)) for place in filter(is_local, self.places)):
            raise _out_of_reach(f"the folder {path.parent}")
        if path.exists() and not path.is_file():
            raise OutOfReach("is no file")
        with path.open("rb") as file:
            return file.read(at_most + 1)

    def _read_web(self, uri: str, at_most: int) -> bytes:
        def require(address: str) -> bool:
            url = _url(address)
            places = {place for place in self._web_places() if _is_below(url, place)}
            if not places:
                raise _out_of_reach(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/")
            return not places.issubset(ANYWHERE)

        try:
            return download(_url(uri), at_most=at_most, require=require)
        except NotPublic as error:
            raise OutOfReach(
                f"{error}: name the folder in which it lies under `sources` in [ingest] of"
                " groundtruth.toml, if its pictures are to be read"
            ) from error

    def _read_object(self, uri: str, at_most: int) -> bytes:
        if CHAIN in uri or ".." in uri.split("/"):
            raise OutOfReach(f"holds {CHAIN} or .., which could lead anywhere: name it plainly")
        if not any(_is_below(uri, place) for place in self.places):
            raise _out_of_reach(f"{posixpath.dirname(uri)}/")
        fs, path = url_to_fs(uri)
        with fs.open(path, "rb") as file:
            content: bytes = file.read(at_most + 1)
            return content

    def _web_places(self) -> Iterator[str]:
        for place in self.places:
            if place in ANYWHERE:
                yield place
            elif place.startswith(ANYWHERE):
                yield _url(place)


def is_local(uri: str) -> bool:
    """Whether `uri` is a path of this machine."""
    return "://" not in uri or uri.startswith(LOCAL)


def _path(uri: str) -> Path:
    return Path(uri.removeprefix(LOCAL)).resolve()


def _url(address: str) -> str:
    """An address of the web in its one spelling; raises `OutOfReach` for what has none."""
    try:
        url = httpx.URL(address)
        host, _ = url.host, urlsplit(str(url)).port  # raise for what no name or port can be
    except (httpx.InvalidURL, ValueError) as error:
        raise OutOfReach(f"is no address ({error})") from error
    if ".." in unquote(unquote(url.path)).replace("\\", "/").split("/"):
        raise OutOfReach("holds .., which could lead anywhere: name it plainly")
    if not host:
        raise OutOfReach("is no address (it names no host)")
    return str(url.copy_with(userinfo=b"", fragment=None))


def _is_below(uri: str, place: str) -> bool:
    return uri == place or uri.startswith(f"{place.rstrip('/')}/")


def _out_of_reach(place: str) -> OutOfReach:
    return OutOfReach(
        f"lies neither beside its manifest nor below one of the `sources` in [ingest] of"
        f" groundtruth.toml: if its pictures are to be read, name {place} there"
    )
