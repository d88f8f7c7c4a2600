"""Makes probes of every kind: the border where whatever a target does becomes words.

One for a replica, made in its running loop: it keeps connections and names.
"""

import asyncio
import ssl
from collections.abc import Sequence

from registry.descriptors import for_checks
from registry.health.networks import NetworkRules
from registry.health.probes import PROBES
from registry.health.probes.causes import (
    NAME_SERVER_SILENT,
    NOT_HERE,
    denied,
    failed,
    failure_of,
    timed_out,
)
from registry.health.probes.kind import Tools
from registry.health.probes.resolver import Resolver
from registry.ports import ProbeResult, Target

MAX_KEPT = 2000
"""Connections kept between checks, unless half of their descriptors is less."""
KEPT_S = 90.0


def kept_connections(soft_limit: int) -> int:
    """Return of how many instances a connection is kept."""
    return max(1, min(MAX_KEPT, for_checks(soft_limit) // 2))


def available(kind: str) -> bool:
    """Tell if this kind can be checked here: known, and its library is installed."""
    line = PROBES.get(kind)
    return line is not None and line.is_available


def tls_context(*, verify: bool, ca_file: str) -> ssl.SSLContext:
    """Return how certificates of https targets are looked at. Takes some 10 ms.

    Raises ValueError if the authorities cannot be read.
    """
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "unusable"
        raise ValueError(f"health_check.tls_ca_file: {ca_file}: {reason}") from None


class TableProber:
    """The ``Prober`` of a replica."""

    def __init__(
        self,
        rules: NetworkRules,
        *,
        tls: ssl.SSLContext,
        keep_s: float = KEPT_S,
        max_kept: int = MAX_KEPT,
        nameservers: Sequence[str] = (),
    ) -> None:
        self._rules = rules
        self._resolver = Resolver(rules, nameservers=nameservers)
        tools = Tools(self._resolver, tls, keep_s, max_kept)
        self._probes = {
            kind: line.make(tools) for kind, line in PROBES.items() if line.is_available
        }

    async def probe(self, target: Target) -> ProbeResult:
        """Probe once, within the target's time-out; never raises."""
        probe = self._probes.get(target.kind)
        if probe is None:
            return failed(NOT_HERE)
        if refusal := self._rules.literal_refusal(target.host):
            return failed(denied(refusal))
        timer = asyncio.timeout(target.timeout_s)
        try:
            async with timer:
                return await probe.probe(target)
        except Exception as error:
            if not timer.expired():
                return failure_of(error)
            if self._resolver.holds_up(target.host):
                return failed(NAME_SERVER_SILENT)
            return timed_out(target.timeout_s)

    async def close(self) -> None:
        """Give up connections and names."""
        for probe in self._probes.values():
            await probe.close()
        await self._resolver.close()
