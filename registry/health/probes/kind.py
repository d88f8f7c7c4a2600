"""What a kind of probe is: how it is made, of what, and which libraries it needs."""

import importlib.util
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from registry.health.probes.resolver import Resolver
from registry.ports import ProbeResult, Target


@dataclass(frozen=True, slots=True)
class Tools:
    """What all probes share."""

    resolver: Resolver
    tls: ssl.SSLContext
    keep_s: float
    """How long an idle connection is kept: longer than most checks are apart."""
    max_kept: int
    """Of how many instances a connection is kept."""


class Probe(Protocol):
    """One kind of probe. Its owner ends it at the time-out and catches what it raises.

    It connects to addresses that the resolver's rules have passed, and no others; a
    host that is an address was looked at before.
    """

    async def probe(self, target: Target) -> ProbeResult:
        """Probe once. May raise anything; ``failure_of`` finds the words."""

    async def close(self) -> None:
        """Give up what is kept."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the table."""

    make: Callable[[Tools], Probe]
    needs: tuple[str, ...] = ()
    """Libraries of an optional extra, imported with the first probe."""

    @property
    def is_available(self) -> bool:
        """Whether all that it needs is installed; imports nothing."""
        return all(importlib.util.find_spec(name) is not None for name in self.needs)
