"""An HTTP server on loopback that gives canned answers and keeps what it was asked."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_UP = (0, "")
"""An answer that is none: the connection is closed after the request was read."""


@dataclass
class CannedServer:
    """Answers by (method and path); anything else is a 404 problem document."""

    answers: dict[str, tuple[int, str]]
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""


@contextmanager
def canned_server(answers: Mapping[str, tuple[int, str]]) -> Iterator[CannedServer]:
    """Serve ``{"GET /path": (200, body)}`` while the context lasts."""
    canned = CannedServer(dict(answers))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            """Keep the request and give the canned answer."""
            length = int(self.headers.get("Content-Length", 0))
            request = f"{self.command} {self.path}"
            canned.asked.append((request, self.rfile.read(length)))
            missing = (404, '{"detail": "no such thing", "code": "not_found"}')
            status, text = canned.answers.get(request, missing)
            if (status, text) == HANG_UP:
                self.close_connection = True
                return
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            """Answer."""
            self.answer()

        def do_POST(self) -> None:
            """Answer."""
            self.answer()

        def do_DELETE(self) -> None:
            """Answer."""
            self.answer()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        canned.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield canned
        finally:
            server.shutdown()
            thread.join()
