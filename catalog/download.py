"""Reading an address on the web without lending its author this machine's place in the network.

A name is looked up once, every address that it has must be public, and the connection goes to one
of these: what the name means a moment later (DNS rebinding) does not matter. A redirect is asked
about like the address before it, over a connection of its own. Nothing is unpacked on the way.
"""

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

MOST_REDIRECTS = 5
SILENT_SECONDS = 30.0
MOST_SECONDS = 300.0
"""That a file may take altogether, so that no server holds an ingest by dripping what it says."""

_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_REDIRECTS = {301, 302, 303, 307, 308}


class NotPublic(ValueError):
    """An address that only this machine or its network reaches."""


def download(url: str, *, at_most: int, require: Callable[[str], bool]) -> bytes:
    """The body at `url`, one byte more than `at_most` where it is longer.

    `require` is asked before every request: it raises for an address that may not be read, and says
    whether its host may have any address or must have a public one. Raises `FileNotFoundError`
    where there is nothing, and `OSError` for what else the server or the network says; `NotPublic`
    as the class says.
    """
    until = time.monotonic() + MOST_SECONDS
    for _ in range(MOST_REDIRECTS + 1):
        network = _Network(require(url), until)
        try:
            with (
                httpcore.ConnectionPool(network_backend=network) as connections,
                connections.stream("GET", url, headers=_headers(url)) as response,
            ):
                if response.status not in _REDIRECTS:
                    _require_success(response.status)
                    return _beginning(response.iter_stream(), at_most)
                url = _redirected(url, response)
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise OSError(f"its server does not answer ({error or 'too late'})") from error
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise OSError(f"its server does not speak HTTP ({error})") from error
    raise OSError(f"it is redirected more than {MOST_REDIRECTS} times")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether `address`, and the IPv4 address that it may stand for, is on the public internet."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in _TRANSLATED):
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if (inner := address.ipv4_mapped or address.sixtofour) is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


class _Network(httpcore.NetworkBackend):
    """Connects until a time, and to public addresses only unless `anywhere`."""

    def __init__(self, anywhere: bool, until: float) -> None:
        self._anywhere = anywhere
        self._until = until
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        def connect(address: str) -> httpcore.NetworkStream:
            stream = self._sockets.connect_tcp(
                address, port, _patience(self._until), local_address, socket_options
            )
            return _Stream(stream, self._until)

        found = [host] if self._anywhere else _public_addresses(host, port)
        for address in found[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return connect(address)
        return connect(found[-1])


class _Stream(httpcore.NetworkStream):
    """A connection that is given up when its time is over, whatever still comes."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _patience(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _patience(self._until))

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _patience(self._until))
        return _Stream(secured, self._until)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _patience(until: float) -> float:
    """The seconds that a server may be silent now."""
    left = until - time.monotonic()
    if left <= 0:
        raise OSError(f"its server took longer than {MOST_SECONDS:.0f} s")
    return min(SILENT_SECONDS, left)


def _public_addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} is not found") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if not is_public(ip_address(address.partition("%")[0])):
            raise NotPublic(f"{host} is {address}, which is not a public address")
    return addresses


def _headers(url: str) -> list[tuple[bytes | str, bytes | str]]:
    return [("Host", httpx.URL(url).netloc), ("Accept-Encoding", "identity")]


def _redirected(url: str, response: httpcore.Response) -> str:
    places = [value for name, value in response.headers if name.lower() == b"location"]
    if not places:
        raise OSError("its server redirects to nowhere")
    try:
        return str(httpx.URL(url).join(places[0].decode("latin-1")))
    except (httpx.InvalidURL, ValueError) as error:
        raise OSError(f"its server redirects to what is no address ({error})") from error


def _require_success(status: int) -> None:
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise FileNotFoundError(f"its server says {status}")
    if status != HTTPStatus.OK:
        raise OSError(f"its server says {status}")


def _beginning(chunks: Iterable[bytes], at_most: int) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > at_most:
            break
    return bytes(content[: at_most + 1])
