"""What a registration's health check and address are judged by, beside plain bounds.

A check that could never be made is refused when it is registered, since later it could
only fail. Two services at one address are allowed, and said aloud: mostly one of them
is no longer there.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from registry.catalog.views import Catalog
from registry.errors import AddressDenied, InvalidField
from registry.ports import Clock

DEFAULT_KIND = "http"
"""Of a registration that names a health endpoint, and no kind."""
SHARED_WARNING_S = 300.0
"""At most one warning of each shared address in this time."""
SHARED_WARNED = 1_000
"""So many addresses are remembered as warned of."""
SHARED_NAMED = 8
"""So many of the services at one address are named."""

_log = structlog.stdlib.get_logger("registry")


@dataclass(frozen=True, slots=True)
class CheckRules:
    """Which health checks this replica takes."""

    kinds: Mapping[str, bool]
    """Every kind there is, and whether what it needs is installed."""
    literal_refusal: Callable[[str], str]
    """Why a host that is an address may not be asked; empty if it may, and for names.
    """

    def judge(self, kind: str, host: str) -> None:
        """Raise InvalidField or AddressDenied for a check that cannot be made."""
        if not self.kinds.get(kind, False):
            able = ", ".join(name for name, is_able in self.kinds.items() if is_able)
            why = "needs what is not installed here: it " if kind in self.kinds else ""
            raise InvalidField(
                f"check.kind {why}must be one of {able}", field="check.kind"
            )
        refusal = self.literal_refusal(host)
        if refusal:
            raise AddressDenied(
                f"{host} may not be checked: {refusal} (health_check.allow and "
                "health_check.deny); it can be registered without a check",
                field="host",
            )


class SharedAddresses:
    """Warns of addresses at which several services are registered."""

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock
        self._warned_s: OrderedDict[tuple[str, int], float] = OrderedDict()

    def warn_if_shared(self, host: str, port: int) -> None:
        """Look at an address that was just registered."""
        names = self._catalog.services_at(host, port)
        if len(names) < 2:
            return
        now_s = self._clock.now_s()
        warned_s = self._warned_s.get((host, port))
        if warned_s is not None and now_s - warned_s < SHARED_WARNING_S:
            return
        self._warned_s[host, port] = now_s
        self._warned_s.move_to_end((host, port))
        if len(self._warned_s) > SHARED_WARNED:
            self._warned_s.popitem(last=False)
        _log.warning(
            "Address shared by several services",
            host=host,
            port=port,
            services=list(names[:SHARED_NAMED]),
            count=len(names),
        )
