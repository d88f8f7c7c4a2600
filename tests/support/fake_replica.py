"""A process that looks like a replica to `registry dev`: GET /cluster, and SIGTERM.

Run as ``python -m tests.support.fake_replica --exit-with-parent FD`` with the
environment that `registry dev` gives its children. Member a leads. With FAKE_STUBBORN
it ignores SIGTERM, with FAKE_DIES=<id> that member ends at once with a message.
"""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from registry.commands.serve import watch_parent
from registry.config_sources import load


class _Handler(BaseHTTPRequestHandler):
    """Answers every GET like ``GET /cluster``."""

    node_id = ""

    def do_GET(self) -> None:
        """Answer with the state of a settled cluster."""
        role = "leader" if self.node_id == "a" else "follower"
        body = json.dumps(
            {"node_id": self.node_id, "role": role, "term": 1, "leader": "a",
             "index": 1, "caught_up": True}
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until SIGTERM or until the parent has gone."""
    config = load(os.environ).config
    _Handler.node_id = config.cluster.node_id
    if os.environ.get("FAKE_DIES") == config.cluster.node_id:
        sys.exit("the disk is full")
    server = ThreadingHTTPServer(config.bind_address, _Handler)
    server.daemon_threads = True

    def stop(*_signal: object) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    stubborn = os.environ.get("FAKE_STUBBORN")
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else stop)
    watch_parent(int(sys.argv[sys.argv.index("--exit-with-parent") + 1]), stop)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
