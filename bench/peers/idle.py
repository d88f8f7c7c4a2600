"""Idle: what one writes first, an aiohttp handler with orjson and metrics.

It renders its list for each request, counts each request, and keeps nothing: a
heartbeat or a registration is answered as if it had been. Run as a module it is that
server.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram

from bench.peers.peer import Peer, Server, Setting
from bench.peers.processes import ports, process, wait_answers
from bench.peers.words import AloneWords
from tests.support.process_ports import LOOPBACK

NAME = "idle"


@contextmanager
def idle(setting: Setting) -> Iterator[Peer]:
    """Run the handler; its list is the one in our answer."""
    folder = setting.own_folder(NAME)
    listed = folder / "listed.json"
    listed.write_bytes(setting.answer.partition(b"\r\n\r\n")[2] or b"{}")
    with ports(1) as (port,):
        command = [sys.executable, "-m", "bench.peers.idle", str(port), str(listed)]
        with process(NAME, command, folder, setting.cores) as pid:
            url = wait_answers(NAME, pid, port, "/services/any", folder)
            yield Peer(NAME, (Server(url, (pid,)),), AloneWords())


class Handler:
    """The handlers; ``listed`` is what each read tells."""

    def __init__(self, listed: object) -> None:
        self._listed = listed
        registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._requests = Counter("requests", "Requests.", labels, registry=registry)
        self._seconds = Histogram(
            "request_seconds", "Their time.", labels[:2], registry=registry
        )
        self.app = web.Application(middlewares=[self._counted])
        self.app.router.add_get("/services/{name}", self._list)
        self.app.router.add_post("/register", self._register)
        self.app.router.add_post("/heartbeat/{service_id}", self._heartbeat)

    async def _list(self, request: web.Request) -> web.Response:
        return _json(self._listed)

    async def _register(self, request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        return _json({"service_id": f"{asked['name']}-1", "status": "registered"})

    async def _heartbeat(self, request: web.Request) -> web.Response:
        await request.read()
        service_id = request.match_info["service_id"]
        return _json({"service_id": service_id, "status": "ok"})

    @web.middleware
    async def _counted(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        began_s = time.perf_counter()
        response = await handler(request)
        resource = request.match_info.route.resource
        route = "" if resource is None else resource.canonical
        self._requests.labels(request.method, route, str(response.status)).inc()
        took_s = time.perf_counter() - began_s
        self._seconds.labels(request.method, route).observe(took_s)
        return response


def _json(document: object) -> web.Response:
    body = orjson.dumps(document)
    return web.Response(body=body, content_type="application/json")


def _serve(port: int, listed: object) -> None:
    web.run_app(
        Handler(listed).app,
        host=LOOPBACK,
        port=port,
        loop=uvloop.new_event_loop(),
        access_log=None,
        print=lambda _: None,
        backlog=1024,
    )


if __name__ == "__main__":
    _serve(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_bytes()))
