"""How one instance is probed, and how long its lease is: a registration's own wishes
over the registry's settings. Pure.

Leases ask here too: an instance that lives by its check alone must be given the time
of a whole verdict, or a leader that cannot reach it would end it by itself.
"""

from dataclasses import dataclass

import msgspec

from registry.model import Registration

OPINIONS_S = 3.0
"""How long the others' answers may take to be asked for, given and put into the log,
beside the time-out of their probes."""
MIN_INTERVAL_S = 0.1
"""What is registered is checked at the edge; this keeps a mistake from spinning."""


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What holds for every registration that wishes nothing else."""

    interval_s: float = 30.0
    timeout_s: float = 5.0
    failures: int = 3
    successes: int = 1
    deregister_after_s: float = 3600.0
    """How long an expired instance with a check stays known; 0: for good."""


class Plan(msgspec.Struct, frozen=True, gc=False):
    """One registration's check with every value resolved.

    Invariant: 0 < ``timeout_s`` <= ``interval_s``; ``failures`` and ``successes`` >= 1.
    """

    kind: str
    host: str
    port: int
    path: str
    """http: never empty; grpc: a service name, empty for the server as a whole."""
    interval_s: float
    timeout_s: float
    failures: int
    successes: int
    expected_status: int
    lease_s: float
    """As ``lease_s`` says; 0: permanent."""


def plan_of(registration: Registration, settings: CheckSettings) -> Plan | None:
    """Return how the registration is probed; None if it has no check."""
    check = registration.probed
    if check is None:
        return None
    interval_s = _interval_s(check.interval_seconds, settings)
    path = check.path
    if check.kind == "http" and not path:
        path = registration.health_endpoint or "/"
    return Plan(
        kind=check.kind,
        host=registration.host,
        port=registration.port,
        path=path,
        interval_s=interval_s,
        timeout_s=_timeout_s(check.timeout_seconds, interval_s, settings),
        failures=max(1, check.failures or settings.failures),
        successes=max(1, check.successes or settings.successes),
        expected_status=check.expected_status,
        lease_s=lease_s(registration, settings),
    )


def lease_s(registration: Registration, settings: CheckSettings) -> float:
    """Return for how long one proof of life is good; 0 means a permanent registration.

    With a check it is never less than what a verdict takes: all failures, then the
    opinions of the others, whose answer may be its only proof of life. (Two intervals
    and a time-out alone would end it before they were asked.)
    """
    ttl_s = registration.ttl_seconds
    check = registration.probed
    if check is None or ttl_s == 0:
        return ttl_s
    interval_s = _interval_s(check.interval_seconds, settings)
    timeout_s = _timeout_s(check.timeout_seconds, interval_s, settings)
    failures = max(2, check.failures or settings.failures)
    return max(ttl_s, failures * interval_s + 2 * timeout_s + OPINIONS_S)


def _interval_s(wish_s: float, settings: CheckSettings) -> float:
    return max(MIN_INTERVAL_S, wish_s or settings.interval_s)


def _timeout_s(wish_s: float, interval_s: float, settings: CheckSettings) -> float:
    # A probe ends before the next one of the same instance is due.
    return min(interval_s, wish_s or settings.timeout_s)
