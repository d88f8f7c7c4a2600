"""What one replica's answer comes to in plain words: what is the case, what to try."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from registry.advice import ADVICE, REFUSED
from registry.health.plan import CheckSettings, Plan, plan_of
from registry.model import Drain, Instance, ServiceId, Status, Transition
from registry.ports import ClusterView
from registry.readiness import EVICTIONS_HELD, is_leader_silent
from registry.refusals import Refusal

MAX_GONE = 10
SHARED_NAMED = 8
"""So many of the services at one address are named."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One thing that is the case, and what to try; ``advice`` may be empty."""

    code: str
    text: str
    advice: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """All that one replica says to one question."""

    query: str
    matched: str
    """``service``, ``registration``, ``address``, ``host`` or ``nothing``."""
    names: tuple[str, ...]
    """Of the services that it is about; very many cut."""
    total: int
    healthy: int
    instances: tuple[Instance, ...]
    drains: tuple[tuple[ServiceId, Drain], ...]
    gone: tuple[Transition, ...]
    """The last thing that befell each one that is no longer there, newest first."""
    history: tuple[Transition, ...]
    shared: tuple[tuple[str, tuple[str, ...]], ...]
    """Addresses with more than one service, and which."""
    refusals: tuple[Refusal, ...]
    nearest: tuple[str, ...]
    findings: tuple[Finding, ...]
    view: ClusterView


def findings_of(of: Explanation, settings: CheckSettings) -> Iterator[Finding]:
    """Yield what is found, what concerns all of the answer first."""
    yield from _of_replica(of.view)
    if of.matched == "nothing":
        close = f"did you mean {', '.join(of.nearest)}?" if of.nearest else ""
        advice = close or "names must match exactly; `registry services` lists them"
        yield Finding("unknown", f"nothing is known as {of.query}", advice)
    elif not of.total:
        text = f"{of.query}: no instance is registered now"
        yield Finding("none_left", text, "register again")
    elif not of.healthy:
        yield Finding("none_healthy", f"{of.healthy} of {of.total} healthy")
    yield from (_unwell(i, settings) for i in of.instances if _is_unwell(i))
    yield from map(_gone, of.gone[:MAX_GONE])
    for address, names in of.shared:
        listed = ", ".join(names[:SHARED_NAMED])
        more = f" and {len(names) - SHARED_NAMED} more" * (len(names) > SHARED_NAMED)
        text = f"{address} is used by {len(names)} services: {listed}{more}"
        yield Finding("shared_address", text, "deregister the old one")
    if of.refusals:
        yield _refused(of.refusals)


def _of_replica(view: ClusterView) -> Iterator[Finding]:
    if not view.caught_up:
        advice = "this replica has not caught up: ask another, or wait"
        yield Finding("not_caught_up", "this may be old", advice)
    if is_leader_silent(view):
        text = "this replica hears no leader: what it shows may be old"
        yield Finding("leader_silent", text, "see `registry status`")
    if EVICTIONS_HELD in view.degraded:
        text = "many services went silent at once, so none of them is ended yet"
        advice = "look at the network between the services and the registry"
        yield Finding(EVICTIONS_HELD, text, advice)


def _gone(line: Transition) -> Finding:
    code = "expired" if line.cause.startswith("lease_expired") else "gone"
    who = f"{line.service_id} ({line.host}:{line.port})"
    text = f"{who} is gone since {_time(line.at_ms)}: {line.cause}"
    return Finding(code, text, "heartbeats came too seldom" * (code == "expired"))


def _refused(refusals: tuple[Refusal, ...]) -> Finding:
    newest = refusals[0]
    text = (
        f"{len(refusals)} refused here, the last at {_time(newest.at_ms)}:"
        f" {newest.request} from {newest.peer}: {newest.detail}"
    )
    advice = REFUSED.get(newest.code, "mend the request")
    return Finding("refused", text, f"{advice} ({newest.code})")


def _unwell(instance: Instance, settings: CheckSettings) -> Finding:
    r = instance.registration
    address = f"{r.host}:{r.port}"
    # 0: from a version before ours, which did not note it.
    since = f" since {_time(instance.since_ms)}" if instance.since_ms else ""
    text = f"{address} is {instance.status.value}{since}: {instance.cause}"
    if instance.status is Status.DRAINING:
        advice = f"registry undrain {r.service_id}"
    elif instance.status is Status.STARTING:
        advice = "it waits for its first passing check, or a heartbeat that says so"
    else:
        advice = _advice(instance, address, settings)
    return Finding(instance.status.value, text, advice)


def _advice(instance: Instance, address: str, settings: CheckSettings) -> str:
    r = instance.registration
    plan = plan_of(r, settings)
    for word, advice in ADVICE:
        if word in instance.cause:
            return advice.format(
                id=r.service_id,
                host=r.host,
                address=address,
                beyond="" if _is_loopback(r.host) else ", not on 127.0.0.1 only",
                beat=r.ttl_seconds / 3,
                timeout=plan.timeout_s if plan else settings.timeout_s,
                path=plan.path if plan and plan.path else address,
                expected=_expected(plan),
            )
    return ""


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("localhost", "::1", "[::1]")


def _expected(plan: Plan | None) -> str:
    if plan is not None and plan.kind == "grpc":
        return "SERVING (grpc.health.v1)"
    return str((plan and plan.expected_status) or "with success (2xx)")


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_unwell(instance: Instance) -> bool:
    """Whether there is something to say of it; some replicas may not reach it."""
    return instance.status is not Status.HEALTHY or instance.cause.startswith(
        "unreachable from"
    )
