"""Names of checked hosts: looked up asynchronously, remembered for a while, judged.

aiodns reads the hosts file as well, so that names of compose, of Kubernetes and
`localhost` are found; nothing waits in a pool of threads. A dead name server costs
those who wait for it and nobody else: each name is looked up once at a time, what is
remembered answers at once, and what was remembered is used on for five minutes while
the name server is silent. Every address is held against the rules at each use, and is
the one that is then connected to: there is no second look-up that could say otherwise.
"""

import asyncio
import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import aiodns
from aiohttp.abc import AbstractResolver, ResolveResult

from registry.health.networks import NetworkRules
from registry.health.probes.causes import (
    NAME_NOT_FOUND,
    NAME_SERVER_SILENT,
    NotReached,
    denied,
)

MAX_NAMES = 4096
"""Remembered; the one unused for longest goes first."""
MAX_LOOKUPS = 384
"""Under way at once, of names that were answered last time, or are new."""
MAX_SLOW_LOOKUPS = 128
"""Under way at once, of names that were not answered last time: those of a dead name
server do not take the places of others.
"""
MAX_WAITING = 8192
"""Under way and waiting for their turn; more fail at once."""
MAX_ADDRESSES = 16
"""Of one name."""
LEAST_KEPT_S = 5.0
MOST_KEPT_S = 60.0
NOT_FOUND_KEPT_S = 2.0
STALE_KEPT_S = 300.0
"""How long an old answer stands in for a name server that is silent."""
STALE_AFTER_S = 0.3
"""How long a check waits for a fresh answer before it takes an old one."""
LOOKUP_LIMIT_S = 4.5
NUMBER_MARK = "~"
"""Ends a name of digits alone (the id of a container), which aiohttp would take for an
old form of address; no host can hold it, and it is taken away before looking up.
"""
_TRY_S = 1.0
_TRIES = 2
_T = TypeVar("_T")

_NOT_FOUND = frozenset(
    {
        aiodns.error.ARES_ENOTFOUND,
        aiodns.error.ARES_ENODATA,
        aiodns.error.ARES_ENONAME,
        aiodns.error.ARES_EBADNAME,
    }
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a look-up came to; without addresses: why."""

    addresses: tuple[str, ...]
    cause: str
    until_s: float


class Resolver(AbstractResolver):
    """The one way from a checked host to addresses. Made in a running loop.

    Invariant: at most one look-up per name is under way; an address that it returns is
    one that the rules allow.
    """

    def __init__(
        self,
        rules: NetworkRules,
        *,
        nameservers: Sequence[str] = (),
        max_names: int = MAX_NAMES,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._now_s = now_s
        self._max_names = max_names
        # The hosts file alone, which nobody has to wait for.
        self._hosts = aiodns.DNSResolver(lookups="f")
        self._dns = aiodns.DNSResolver(
            nameservers=list(nameservers) or None, timeout=_TRY_S, tries=_TRIES
        )
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._lookups: dict[str, asyncio.Task[_Answer]] = {}
        self._turns = asyncio.Semaphore(MAX_LOOKUPS)
        self._slow_turns = asyncio.Semaphore(MAX_SLOW_LOOKUPS)
        self._silent: OrderedDict[str, None] = OrderedDict()

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host that may be connected to, the best first.

        Raises NotReached.
        """
        bare = host[1:-1] if host.startswith("[") else host.removesuffix(NUMBER_MARK)
        if _is_address(bare):
            found: tuple[str, ...] = (bare,)
        else:
            found = await self._find(bare.rstrip(".").lower())
        refusals = [self._rules.refusal(address) for address in found]
        allowed = tuple(a for a, r in zip(found, refusals, strict=True) if not r)
        if not allowed:
            raise NotReached(denied(refusals[0]))
        return allowed

    def holds_up(self, host: str) -> bool:
        """Tell if checks of this host wait for its look-up: no old answer stands in."""
        name = host.rstrip(".").lower()
        return name in self._lookups and not self._old(name)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Look up for aiohttp, which connects to what this returns."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self.addresses(host)
        ]

    async def close(self) -> None:
        """End all look-ups."""
        under_way = list(self._lookups.values())
        for lookup in under_way:
            lookup.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._hosts.close()
        await self._dns.close()

    async def _find(self, name: str) -> tuple[str, ...]:
        known = self._answers.get(name)
        if known is not None:
            self._answers.move_to_end(name)
            if self._now_s() < known.until_s:
                return _taken(known)
        lookup = self._lookups.get(name)
        if lookup is None:
            if len(self._lookups) >= MAX_WAITING:
                raise NotReached(NAME_SERVER_SILENT)
            lookup = asyncio.create_task(self._look_up(name))
            self._lookups[name] = lookup
        old = self._old(name)
        # It goes on when this check ends: the next one will profit.
        await asyncio.wait((lookup,), timeout=STALE_AFTER_S if old else None)
        if lookup.done() and not lookup.cancelled():
            answer = lookup.result()
            if answer.addresses or answer.cause == NAME_NOT_FOUND or not old:
                return _taken(answer)
        if old:
            return old
        raise NotReached(NAME_SERVER_SILENT)

    def _old(self, name: str) -> tuple[str, ...]:
        """Return the addresses that stand in for a name server that is silent."""
        known = self._answers.get(name)
        if known is None or self._now_s() >= known.until_s + STALE_KEPT_S:
            return ()
        return known.addresses

    async def _look_up(self, name: str) -> _Answer:
        try:
            answer = await self._ask(self._hosts, name)
            if not answer.addresses:
                turns = self._slow_turns if name in self._silent else self._turns
                async with turns:
                    answer = await self._ask(self._dns, name)
        finally:
            del self._lookups[name]
        # A silent name server is no reason to forget what it said before.
        if answer.addresses or answer.cause == NAME_NOT_FOUND:
            self._silent.pop(name, None)
            _put(self._answers, name, answer, most=self._max_names)
        else:
            _put(self._silent, name, None, most=self._max_names)
        return answer

    async def _ask(self, dns: aiodns.DNSResolver, name: str) -> _Answer:
        try:
            async with asyncio.timeout(LOOKUP_LIMIT_S):
                found = await dns.getaddrinfo(name, type=socket.SOCK_STREAM)
        except TimeoutError:
            return _Answer((), NAME_SERVER_SILENT, 0.0)
        except aiodns.error.DNSError as error:
            if error.args and error.args[0] in _NOT_FOUND:
                until_s = self._now_s() + NOT_FOUND_KEPT_S
                return _Answer((), NAME_NOT_FOUND, until_s)
            return _Answer((), NAME_SERVER_SILENT, 0.0)
        except UnicodeError:
            return _Answer((), NAME_NOT_FOUND, self._now_s() + NOT_FOUND_KEPT_S)
        nodes = found.nodes[:MAX_ADDRESSES]
        ttl_s = min((node.ttl for node in nodes), default=0)
        kept_s = min(MOST_KEPT_S, max(LEAST_KEPT_S, float(ttl_s)))
        addresses = tuple(dict.fromkeys(_address(node.addr) for node in nodes))
        return _Answer(addresses, NAME_NOT_FOUND, self._now_s() + kept_s)


def _put(places: OrderedDict[str, _T], name: str, value: _T, *, most: int) -> None:
    places[name] = value
    places.move_to_end(name)
    while len(places) > most:
        places.popitem(last=False)


def _taken(answer: _Answer) -> tuple[str, ...]:
    if not answer.addresses:
        raise NotReached(answer.cause)
    return answer.addresses


def _address(place: tuple[object, ...]) -> str:
    text = place[0].decode() if isinstance(place[0], bytes) else str(place[0])
    scope = place[3] if len(place) > 3 else 0
    return f"{text}%{scope}" if scope else text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
