"""A real HTTP server on loopback over the use cases, and a client of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import ClientSession, ClientTimeout
from multidict import CIMultiDict

from registry.api.app import ApiDependencies
from registry.api.server import ApiServer
from tests.support.fake_clock import LoopClock
from tests.support.surface import dependencies
from tests.support.use_cases import UseCases

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    """By name in any case."""
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body as a JSON object."""
        document: dict[str, object] = orjson.loads(self.body)
        return document

    @property
    def code(self) -> object:
        """The stable code of a problem document, which this must be."""
        assert self.headers["Content-Type"] == "application/problem+json"
        document = self.json
        assert document["status"] == self.status
        assert {"type", "title", "detail"} <= document.keys()
        return document["code"]


class Harness:
    """One running replica surface."""

    def __init__(
        self,
        cases: UseCases,
        deps: ApiDependencies,
        server: ApiServer,
        session: ClientSession,
    ) -> None:
        self.cases = cases
        self.deps = deps
        self.consensus = cases.consensus
        self.server = server
        self._session = session

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def url(self) -> str:
        """The registry's URL, as clients are configured with it."""
        return f"http://{LOOPBACK}:{self.port}"

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        raw: bytes | AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; ``body`` goes as JSON, ``raw`` as it is."""
        data = raw if body is None else orjson.dumps(body)
        async with self._session.request(
            method, self.url + path, data=data, headers=headers
        ) as response:
            return Answer(
                response.status, CIMultiDict(response.headers), await response.read()
            )

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Send a GET."""
        return await self.request("GET", path, headers=headers)

    async def register(self, body: object | None = None) -> Answer:
        """Register, by default one instance of ``web``."""
        default = {"name": "web", "host": "10.0.0.1", "port": 80}
        return await self.request("POST", "/register", body=body or default)


@asynccontextmanager
async def running(
    *,
    request_deadline_s: float = 5.0,
    stop_within_s: float = 5.0,
    body_within_s: float = 10.0,
    keep_alive_s: float = 75.0,
    stuck_s: float = 30.0,
    max_connections: int | None = None,
    plain: bool = False,
) -> AsyncIterator[Harness]:
    """Start a server on a free port, and stop it at the end; ``plain``: by aiohttp."""
    cases = UseCases(clock=LoopClock(), gathers=True)
    deps = dependencies(
        cases,
        request_deadline_s=request_deadline_s,
        body_within_s=body_within_s,
        keep_alive_s=keep_alive_s,
    )
    server = ApiServer(
        deps,
        host=LOOPBACK,
        port=0,
        stop_within_s=stop_within_s,
        stuck_s=stuck_s,
        max_connections=max_connections,
        plain=plain,
    )
    await server.start()
    try:
        async with ClientSession(timeout=ClientTimeout(total=20.0)) as session:
            yield Harness(cases, deps, server, session)
    finally:
        await server.stop()
