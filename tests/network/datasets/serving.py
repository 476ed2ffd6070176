"""A server on this machine that does not always behave."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SILENT = b"(silent)"


class Server(ThreadingHTTPServer):
    """Serves `files`; `cut` announces the whole of each and sends half of it.

    It redirects some names, and sends others byte by byte for as long as it is listened to, as it does with what
    comes after a redirect. The first requests get `answers`, as they are.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.drips: dict[str, bytes] = {}
        self.answers: list[bytes] = []
        self.cut = False
        self.requests: list[str] = []
        self.is_over = threading.Event()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.requests.append(name)
        if self.server.answers:
            self._answer(self.server.answers.pop(0))
        elif name in self.server.redirects:
            self._redirect(self.server.redirects[name])
        elif name in self.server.drips:
            self._drip(self.server.drips[name])
        elif name in self.server.files:
            self._send(self.server.files[name])
        else:
            self.send_error(404)

    def do_CONNECT(self) -> None:
        self.server.requests.append(self.path)
        self.send_error(403)

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.server.cut else content)

    def _redirect(self, address: str) -> None:
        self._answer(f"HTTP/1.1 302 Found\r\nLocation: {address}\r\n\r\n".encode())
        self._drip(bytes(10**6))

    def _drip(self, content: bytes) -> None:
        with contextlib.suppress(OSError):
            for byte in content:
                self.wfile.write(bytes([byte]))
                if self.server.is_over.wait(0.01):
                    break

    def _answer(self, raw: bytes) -> None:
        self.server.is_over.wait(5) if raw == SILENT else self.wfile.write(raw)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass
