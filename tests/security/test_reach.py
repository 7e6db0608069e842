"""A manifest reads what lies beside it or where a person said, and nothing else (SSRF)."""

import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import download
from catalog.download import is_public
from catalog.reach import OutOfReach, Reach, TooLarge
from tests.production.certificates import write_certificates

SECRET = b"what only this machine may read"
ANY_PUBLIC_HOST = "https://"


@dataclass
class Web:
    """A web server on loopback: what it has been asked for, and where it sends visitors."""

    port: int
    asked: list[str] = field(default_factory=list)
    sends_to: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def new_web() -> Iterator[Callable[[], Web]]:
    running: list[ThreadingHTTPServer] = []

    def start() -> Web:
        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                elsewhere = web.sends_to.get(self.path)
                self.send_response(302 if elsewhere else 404 if "gone" in self.path else 200)
                self.send_header("Location", elsewhere or "")
                self.end_headers()
                self.wfile.write(SECRET)

            def log_message(self, *_: object) -> None:
                """Keep the tests quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        web = Web(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return web

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def web(new_web: Callable[[], Web]) -> Web:
    return new_web()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A manifest's folder with a picture, and a file beside it that is none of its business."""
    (tmp_path / "secret").write_bytes(SECRET)
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"a")
    return photos


def read(uri: str, *places: str | Path, at_most: int = 1000) -> bytes:
    return Reach(tuple(map(str, places))).read(uri, at_most=at_most)


class TestFiles:
    def test_what_lies_beside_the_manifest_is_read(self, folder: Path) -> None:
        assert read(f"{folder}/a.jpg", folder) == b"a"
        assert read(f"file://{folder}/a.jpg", folder) == b"a"

    @pytest.mark.parametrize(
        "uri", ["/etc/passwd", "file:///etc/passwd", "{folder}/../secret", "{folder}-other/a.jpg"]
    )
    def test_nothing_else_is(self, folder: Path, uri: str) -> None:
        with pytest.raises(OutOfReach, match="`sources` in \\[ingest\\]"):
            read(uri.format(folder=folder), folder, ANY_PUBLIC_HOST)

    def test_a_folder_that_a_person_named_is(self, folder: Path) -> None:
        assert read(f"{folder}/../secret", folder, folder.parent) == SECRET

    def test_a_link_counts_as_what_it_leads_to(self, folder: Path) -> None:
        (folder / "link.jpg").symlink_to(folder.parent / "secret")
        with pytest.raises(OutOfReach):
            read(f"{folder}/link.jpg", folder)

    def test_links_in_a_circle_are_refused(self, folder: Path) -> None:
        (folder / "round.jpg").symlink_to(folder / "round.jpg")
        with pytest.raises((OutOfReach, OSError)):
            read(f"{folder}/round.jpg", folder)

    def test_a_pipe_is_not_waited_for(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe.jpg")
        with pytest.raises(OutOfReach, match="is no file"):
            read(f"{folder}/pipe.jpg", folder)

    def test_whether_a_file_out_of_reach_exists_is_not_told(self, folder: Path) -> None:
        for name in ("passwd", "no-such-file"):
            with pytest.raises(OutOfReach):
                read(f"/etc/{name}", folder)

    def test_more_than_allowed_is_refused(self, folder: Path) -> None:
        (folder / "long.jpg").write_bytes(b" " * 11)
        with pytest.raises(TooLarge):
            read(f"{folder}/long.jpg", folder, at_most=10)


class TestProtocols:
    @pytest.mark.parametrize(
        "uri",
        [
            "github://owner:repository@main/a.jpg",
            "local:///etc/passwd",
            "ftp://127.0.0.1/a.jpg",
            "memory://a.jpg",
            "simplecache::file:///etc/passwd",
            "filecache::https://example.com/a.jpg",
            "zip://a.jpg::/etc/passwd",
            "s3://other-bucket/a.jpg",
            "s3://bucket/photosynthesis/a.jpg",
            "s3://bucket/photos/../private/a.jpg",
            "s3://bucket/photos/a.jpg::file:///etc/passwd",
            "s3://key:secret@bucket/photos/a.jpg",
            "gopher://127.0.0.1/",
            "data:image/png;base64,AAAA",
            "\0://a",
        ],
    )
    def test_what_no_person_named_is_not_opened(self, folder: Path, uri: str) -> None:
        with pytest.raises((OutOfReach, FileNotFoundError)):
            read(
                uri if "://" in uri else f"{folder}/{uri}",
                folder,
                "s3://bucket/photos",
                ANY_PUBLIC_HOST,
            )


class TestWeb:
    def test_a_host_that_a_person_named_is_read_whatever_its_address(self, web: Web) -> None:
        assert read(f"{web.url}/a.jpg", f"{web.url}/") == SECRET

    def test_a_named_path_is_not_the_whole_host(self, web: Web) -> None:
        for path in ("private/a.jpg", "photos/../private", "photos/%2e%2e/private"):
            with pytest.raises(OutOfReach):
                read(f"{web.url}/{path}", f"{web.url}/photos")
        assert not web.asked

    def test_a_named_path_opens_no_other_path_where_any_public_host_is_allowed(
        self, web: Web
    ) -> None:
        places = (f"{web.url}/photos", "http://")
        assert read(f"{web.url}/photos/a.jpg", *places) == SECRET
        with pytest.raises(OutOfReach, match="not a public address"):
            read(f"{web.url}/private/a.jpg", *places)
        assert web.asked == ["/photos/a.jpg"]

    def test_a_named_host_opens_no_other_port_where_any_public_host_is_allowed(
        self, web: Web, new_web: Callable[[], Web]
    ) -> None:
        admin = new_web()
        with pytest.raises(OutOfReach, match="not a public address"):
            read(f"{admin.url}/a.jpg", f"{web.url}/", "http://")
        assert not admin.asked

    @pytest.mark.parametrize("place", ["/private/a.jpg", "{admin}/private/a.jpg"])
    def test_a_redirect_leaves_no_named_path_where_any_public_host_is_allowed(
        self, web: Web, new_web: Callable[[], Web], place: str
    ) -> None:
        admin = new_web()
        web.sends_to = {"/photos/a.jpg": place.format(admin=admin.url)}
        with pytest.raises(OutOfReach, match="not a public address"):
            read(f"{web.url}/photos/a.jpg", f"{web.url}/photos", "http://")
        assert web.asked == ["/photos/a.jpg"]
        assert not admin.asked

    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]"),
            "example.com@127.0.0.1",
            "127.0.0.1#@example.com",
            socket.gethostname(),
        ],
    )
    def test_no_spelling_of_this_machine_is_a_public_host(self, web: Web, host: str) -> None:
        address, mark, rest = host.partition("#")
        with pytest.raises((OutOfReach, OSError)):
            read(f"http://{address}:{web.port}/{mark}{rest}", "http://", "https://")
        assert not web.asked

    def test_the_address_of_cloud_metadata_is_no_public_host(self) -> None:
        with pytest.raises(OutOfReach, match=r"169\.254\.169\.254, which is not a public address"):
            read("http://169.254.169.254/latest/meta-data/", "http://")

    def test_a_name_that_means_a_private_address_is_refused(
        self, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = [(2, 1, 6, "", (address, web.port)) for address in ("93.184.216.34", "127.0.0.1")]
        monkeypatch.setattr(download.socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(OutOfReach, match=r"cdn\.example is 127\.0\.0\.1"):
            read(f"http://cdn.example:{web.port}/a.jpg", "http://")
        assert not web.asked

    def test_a_redirect_is_asked_about_like_the_address_before_it(
        self, web: Web, new_web: Callable[[], Web]
    ) -> None:
        inner = new_web()
        web.sends_to = {"/a.jpg": f"{inner.url}/admin", "/b.jpg": "file:///etc/passwd"}
        for path in ("a.jpg", "b.jpg"):
            with pytest.raises(OutOfReach):
                read(f"{web.url}/{path}", f"{web.url}/")
        assert not inner.asked

    def test_a_redirect_to_a_private_host_is_refused_where_any_public_one_is_allowed(
        self, web: Web, new_web: Callable[[], Web]
    ) -> None:
        inner = new_web()
        web.sends_to = {"/a.jpg": f"http://localhost:{inner.port}/admin"}
        with pytest.raises(OutOfReach, match="not a public address"):
            read(f"{web.url}/a.jpg", f"{web.url}/", "http://")
        assert not inner.asked

    def test_a_redirect_within_reach_is_followed(self, web: Web) -> None:
        web.sends_to = {"/a.jpg": "/b.jpg"}
        assert read(f"{web.url}/a.jpg", f"{web.url}/") == SECRET

    @pytest.mark.parametrize("place", ["http://a:99999/", "http://xn--/", "http://\x01/"])
    def test_what_is_no_address_is_refused_wherever_it_is_named(self, web: Web, place: str) -> None:
        web.sends_to = {"/a.jpg": place}
        with pytest.raises((OutOfReach, OSError), match="is no address"):
            read(f"{web.url}/a.jpg", f"{web.url}/", "http://")
        with pytest.raises((OutOfReach, OSError), match="is no address"):
            read(place, "http://")

    def test_redirects_in_a_circle_end(self, web: Web) -> None:
        web.sends_to = {"/a.jpg": "/a.jpg"}
        with pytest.raises(OSError, match="redirected more than"):
            read(f"{web.url}/a.jpg", f"{web.url}/")

    def test_a_file_that_is_gone_is_missing(self, web: Web) -> None:
        with pytest.raises(FileNotFoundError):
            read(f"{web.url}/gone.jpg", f"{web.url}/")

    def test_more_than_allowed_is_refused(self, web: Web) -> None:
        with pytest.raises(TooLarge):
            read(f"{web.url}/a.jpg", f"{web.url}/", at_most=10)


@dataclass
class Drip:
    """A server that says `first`, then `again` for six seconds, to one visitor."""

    first: bytes
    again: bytes
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> int:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._talking = threading.Thread(target=self._talk)
        self._talking.start()
        port: int = self._listening.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._talking.join()
        self._listening.close()

    def _talk(self) -> None:
        visitor, _ = self._listening.accept()
        with suppress(OSError), self._secured(visitor) as visitor:
            visitor.recv(1000)
            visitor.sendall(self.first)
            until = time.monotonic() + 6
            while time.monotonic() < until and not self._over.wait(0.05):
                visitor.sendall(self.again)

    def _secured(self, visitor: socket.socket) -> socket.socket:
        return self.tls.wrap_socket(visitor, server_side=True) if self.tls else visitor


class TestTime:
    """No server holds a reader for longer than a file may take, at whatever it drips."""

    @pytest.fixture(autouse=True)
    def _little_time(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(download, "MOST_SECONDS", 1.0)
        began = time.monotonic()
        yield
        assert time.monotonic() - began < 4

    @pytest.fixture
    def tls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        """What a server of `cdn.vendor.example` needs, whose authority is trusted for the test."""
        write_certificates(tmp_path, "vendor.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
        return server

    @pytest.mark.parametrize(
        ("first", "again"),
        [
            pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"x", id="header"),
            pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", id="hints"),
            pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x", id="body"),
        ],
    )
    def test_what_drips_is_given_up(self, first: bytes, again: bytes) -> None:
        with (
            Drip(first, again) as port,
            pytest.raises(OSError, match=r"took longer than 1 s|timed out"),
        ):
            read(f"http://127.0.0.1:{port}/a.jpg", f"http://127.0.0.1:{port}/")

    def test_what_drips_behind_tls_is_given_up(
        self, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Drip(b"HTTP/1.1 200 OK\r\nX: ", b"x", tls) as port:
            here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
            with pytest.raises(OSError, match=r"took longer than 1 s|timed out"):
                read(f"https://cdn.vendor.example:{port}/", f"https://cdn.vendor.example:{port}/")

    def test_a_server_that_never_shakes_hands_is_given_up(self) -> None:
        with Drip(b"", b"") as port, pytest.raises(OSError, match="timed out"):
            read(f"https://127.0.0.1:{port}/a.jpg", f"https://127.0.0.1:{port}/")


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_the_clothes_of_ipv6_is_as_public_as_it_is(
    address: ipaddress.IPv4Address,
) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        dressed = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(address))
        assert is_public(dressed) == is_public(address)


@pytest.mark.parametrize(
    "network",
    [
        *("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        *("100.64.0.0/10", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"),
        *("::1/128", "fc00::/7", "fe80::/10", "ff00::/8", "2002::/16"),
    ],
)
def test_no_address_of_a_private_network_is_public(network: str) -> None:
    found = ipaddress.ip_network(network)
    assert not is_public(found[0])
    assert not is_public(found[-1])
