"""A hub on the loopback address that behaves as badly as it is told to."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """What is served, and how.

    files: contents by name. drops: so many answers to GET break off half-way. slow_s: pause between the pieces of an answer. html: send a
    web page in the place of files. announce: lie about the size by so many bytes. portal: answer like a sign-in page. status: an error.
    """

    files: dict[str, bytes]
    drops: int = 0
    slow_s: float = 0.0
    html: bool = False
    announce: int = 0
    more: int = 0
    portal: bool = False
    status: int = 0
    corrupt: bool = False
    ignores_ranges: bool = False
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined,no-any-return]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub = self.hub
        name = self.path.rsplit("/", 1)[1]
        hub.asked.append((self.command, name))
        hub.headers.append(str(self.headers))
        if hub.status:
            return self._short(hub.status)
        if hub.portal:
            return self._page()
        if name not in hub.files:
            return self._short(404, {"X-Error-Code": "EntryNotFound"})
        content = hub.files[name]
        etag = hashlib.sha256(content).hexdigest()
        if body and hub.html:
            content = b"<!DOCTYPE html><html>please sign in</html>".ljust(len(content))
        elif body and hub.corrupt:
            content = bytes(len(content))
        start = 0
        wanted = self.headers.get("Range")
        if wanted and body and not hub.ignores_ranges:
            hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        rest = content[start:] + bytes(hub.more if body else 0)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(rest) + (0 if body else hub.announce)))
        self.end_headers()
        if body:
            self._send(rest)
        return None

    def _send(self, rest: bytes) -> None:
        hub = self.hub
        if hub.drops:
            hub.drops -= 1
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        piece = max(1, len(rest) // 40) if hub.slow_s else len(rest) or 1
        try:
            for at in range(0, len(rest), piece):
                self.wfile.write(rest[at : at + piece])
                self.wfile.flush()
                time.sleep(hub.slow_s)
        except OSError:  # whoever asked has gone
            self.close_connection = True

    def _short(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"X-Repo-Commit": COMMIT, "Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _page(self) -> None:
        page = b"<html>please sign in</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(page)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub, reachable at `hub.url` until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.hub = hub  # type: ignore[attr-defined]
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="hub")
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
