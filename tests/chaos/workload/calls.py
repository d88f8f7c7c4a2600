"""One recorded call, and how an HTTP answer becomes an outcome."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import aiohttp
import msgspec

from tests.chaos.evidence import DONE, REFUSED, UNKNOWN, Call, Recorder
from tests.chaos.workload.listings import Listings
from tests.chaos.workload.web import READ_S, WRITE_S, Answer, Broken, exchange

NO_CONNECTION = "no_connection"
NOT_THERE = "unknown_service_id"
NOTHING_DONE = frozenset(
    {
        "disk_low",
        "no_leader",
        "not_caught_up",
        "overloaded",
        "stopping",
        "upgrade_pending",
    }
)
"""The 503s of which the README says that nothing was done."""
REST_S = 0.25
"""How long a client sleeps at most, before it looks whether all is over."""


class _Problem(msgspec.Struct):
    code: str = ""
    retry_safe: bool = False


_problems = msgspec.json.Decoder(_Problem)


def outcome_of(status: int, body: bytes) -> tuple[str, str]:
    """Return the outcome that an answer means, and the code that it names."""
    if status == 200:
        return DONE, ""
    try:
        problem = _problems.decode(body)
    except msgspec.DecodeError:
        problem = _Problem()
    if not problem.code:
        return UNKNOWN, f"http_{status}"  # Whoever this is from, we do not know it.
    is_ours = 400 <= status < 500
    is_certain = problem.retry_safe and problem.code in NOTHING_DONE
    return (REFUSED if is_ours or is_certain else UNKNOWN), problem.code


def outcome_without(error: BaseException) -> tuple[str, str]:
    """Return the outcome of a request that was not answered, because of this."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return REFUSED, NO_CONNECTION
    cause = error.__cause__ if isinstance(error, Broken) else error
    return UNKNOWN, type(cause).__name__


@dataclass(frozen=True, slots=True)
class Instance:
    """What a client registers: one id at one address."""

    service: str
    service_id: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"


class Asked(Protocol):
    """What of a bed the clients use."""

    @property
    def node_ids(self) -> tuple[str, ...]:
        """All replicas."""

    @property
    def service_host(self) -> str:
        """At which address of this machine they reach services under test."""

    def url(self, node_id: str) -> str:
        """Return where its HTTP answers."""


@dataclass(slots=True)
class Scene:
    """What all clients of a run share."""

    bed: Asked
    recorder: Recorder
    seed: int
    ttl_s: float
    is_over: Callable[[], bool]
    """Whether nothing more is to be begun."""
    began_s: float = field(default_factory=time.monotonic)
    session: aiohttp.ClientSession = field(init=False)
    are_all_gone: bool = False
    """Whether nobody reads any more: whoever lives may leave now."""
    acknowledged: int = 0
    reads: int = 0
    listings: Listings = field(default_factory=Listings)


class Client:
    """One who asks; one call at a time, each of which becomes one record."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name = name
        self.scene = scene
        self.random = Random(f"{scene.seed}/{name}")
        self.replicas = scene.bed.node_ids

    @property
    def is_over(self) -> bool:
        """Whether to begin nothing more."""
        return self.scene.is_over()

    def any_replica(self, but: str = "") -> str:
        """Choose a replica; not this one, if there is another."""
        others = [replica for replica in self.replicas if replica != but]
        return self.random.choice(others or self.replicas)

    async def rest(
        self, seconds: float, is_over: Callable[[], bool] | None = None
    ) -> None:
        """Sleep so long, unless it is over before."""
        is_over = is_over or self.scene.is_over
        end_s = time.monotonic() + seconds
        while not is_over():
            left_s = end_s - time.monotonic()
            await asyncio.sleep(min(max(left_s, 0.0), REST_S))
            if left_s <= REST_S:
                return

    # -- the calls

    async def register(
        self,
        replica: str,
        instance: Instance,
        *,
        ttl_s: float = 0,
        deadline_s: float = WRITE_S,
        **fields: object,
    ) -> Call:
        """Register it under its own id, permanently or for a time.

        ``fields`` are more of the body.
        """
        wanted = {
            "name": instance.service,
            "service_id": instance.service_id,
            "host": instance.host,
            "port": instance.port,
            "ttl_seconds": ttl_s,
        }
        body = msgspec.json.encode(wanted | fields)
        return await self._write(
            replica, "register", instance, "/register", body, deadline_s=deadline_s
        )

    async def deregister(
        self, replica: str, instance: Instance, *, deadline_s: float = WRITE_S
    ) -> Call:
        """Remove it."""
        path = f"/deregister/{instance.service_id}"
        return await self._write(
            replica, "deregister", instance, path, deadline_s=deadline_s
        )

    async def heartbeat(
        self, replica: str, instance: Instance, *, deadline_s: float = WRITE_S
    ) -> Call:
        """Send one heartbeat for it."""
        path = f"/heartbeat/{instance.service_id}"
        return await self._write(
            replica, "heartbeat", instance, path, deadline_s=deadline_s
        )

    async def list(
        self,
        replica: str,
        service: str,
        *,
        min_index: int = 0,
        is_consistent: bool = False,
    ) -> Call:
        """Read the list that a client gets."""
        path = f"/services/{service}"
        if is_consistent:
            path += "?consistent=true"
        elif min_index:
            path += f"?min_index={min_index}"
        invoked_s = time.monotonic()
        answer, outcome, code = await self._ask(replica, "GET", path, READ_S)
        returned_s = time.monotonic()
        is_done = outcome == DONE
        call = Call(
            client=self.name,
            replica=replica,
            op="list",
            service=service,
            invoked_s=invoked_s,
            returned_s=returned_s,
            outcome=outcome,
            code=code,
            index=answer.index,
            min_index=min_index,
            is_consistent=is_consistent,
            listed=self.scene.listings.parse(answer.body) if is_done else (),
        )
        self.scene.recorder.add(call)
        self.scene.reads += is_done
        return call

    async def _write(
        self,
        replica: str,
        op: str,
        instance: Instance,
        path: str,
        body: bytes | None = None,
        *,
        deadline_s: float = WRITE_S,
    ) -> Call:
        method = "DELETE" if op == "deregister" else "POST"
        invoked_s = time.monotonic()
        answer, outcome, code = await self._ask(replica, method, path, deadline_s, body)
        call = Call(
            client=self.name,
            replica=replica,
            op=op,
            service=instance.service,
            invoked_s=invoked_s,
            returned_s=time.monotonic(),
            outcome=outcome,
            code=code,
            address=instance.address,
            service_id=instance.service_id,
            index=answer.index,
        )
        self.scene.recorder.add(call)
        self.scene.acknowledged += outcome == DONE
        return call

    async def _ask(
        self,
        replica: str,
        method: str,
        path: str,
        deadline_s: float,
        body: bytes | None = None,
    ) -> tuple[Answer, str, str]:
        url = self.scene.bed.url(replica) + path
        try:
            answer = await exchange(
                self.scene.session, method, url, deadline_s=deadline_s, body=body
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, 0, b""), *outcome_without(error)
        return answer, *outcome_of(answer.status, answer.body)
