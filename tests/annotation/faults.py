"""A proxy in front of a real server that does to its requests what networks and servers do.

It listens on loopback, forwards everything, and lets the next requests that match a `Fault` go
wrong, on real sockets.
"""

import http.client
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_Answer = tuple[int, list[tuple[str, str]], bytes]


class Happens(Enum):
    RESET_BEFORE = auto()
    """The connection is reset before the server hears of the request."""
    RESET_AFTER = auto()
    """The server does what is asked, and the connection is reset instead of its answer."""
    SILENCE = auto()
    """The server does what is asked, and its answer never comes."""
    LATE = auto()
    """The server does what is asked, and its answer comes when `meanwhile` is over."""
    ANSWER = auto()
    """The server hears nothing, and another answer comes in its place."""


@dataclass(frozen=True)
class Fault:
    """What happens to the requests of `method` whose path contains `path`, after `spare` of them.

    `times` requests are affected, then no more. `meanwhile` is done before their fate is sealed.
    """

    happens: Happens
    method: str
    path: str
    spare: int = 0
    times: int = 1
    status: int = 500
    body: bytes = b"{}"
    meanwhile: Callable[[], None] | None = None


class FaultyProxy:
    """Forwards to `target`; see `fault`. `hit` is set when a fault has happened."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target).netloc
        self._fault: Fault | None = None
        self._seen = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.hit = threading.Event()
        self._server = _server(self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def suffering(self, fault: Fault) -> Iterator[None]:
        """While this is open, `fault` happens."""
        self._fault, self._seen = fault, 0
        self.hit.clear()
        try:
            yield
        finally:
            self._fault = None

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        fault = self._due(request)
        heard = fault is None or fault.happens not in (Happens.RESET_BEFORE, Happens.ANSWER)
        answer = self._forward(request, body) if heard else None
        if fault is None:
            _reply(request, *answer) if answer else _reset(request)
            return
        self.hit.set()
        if fault.meanwhile:
            fault.meanwhile()
        if fault.happens is Happens.LATE and answer:
            _reply(request, *answer)
            return
        if fault.happens is Happens.ANSWER:
            _reply(request, fault.status, [("Content-Type", "application/json")], fault.body)
            return
        if fault.happens is Happens.SILENCE:
            self._closed.wait()
        _reset(request)

    def _due(self, request: BaseHTTPRequestHandler) -> Fault | None:
        with self._lock:
            fault = self._fault
            if not fault or request.command != fault.method or fault.path not in request.path:
                return None
            self._seen += 1
            return fault if fault.spare < self._seen <= fault.spare + fault.times else None

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> _Answer | None:
        """What the server answers; None where it is down."""
        server = http.client.HTTPConnection(self._target, timeout=300)
        try:
            server.request(request.command, request.path, body, dict(request.headers.items()))
            answer = server.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError:
            return None
        finally:
            server.close()


def _server(proxy: FaultyProxy) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    def handle(handler: Handler) -> None:
        proxy.handle(handler)

    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", handle)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            # Who asks may be killed meanwhile.
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


def _reply(
    request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    request.send_response_only(status)
    for name, value in headers:
        if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _reset(request: BaseHTTPRequestHandler) -> None:
    """Close with RST instead of a polite FIN."""
    request.close_connection = True
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
