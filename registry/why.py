"""Why something is, or is not, in the list: one replica's whole answer to one question.

It gathers what the catalog, the refusals and the cluster view say of a name, a service
id or an address, and puts it in plain words: what is the case, and what to try next.
Everything is of one moment but the nearest names, which are looked for in slices.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from registry.advice import ADVICE, REFUSED
from registry.catalog.records import key_of
from registry.catalog.views import Catalog
from registry.health.plan import CheckSettings, Plan, plan_of
from registry.model import (
    Drain,
    Instance,
    Registration,
    ServiceId,
    ServiceName,
    Status,
    Transition,
)
from registry.nearest import SLICE, Nearest
from registry.ports import ClusterView
from registry.readiness import EVICTIONS_HELD, is_leader_silent
from registry.refusals import Refusal, Refusals

MAX_INSTANCES = 50
MAX_REFUSALS = 20
MAX_HISTORY = 10
MAX_NEAREST = 5


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One thing that is the case, and what to try; ``advice`` may be empty."""

    code: str
    text: str
    advice: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """All that one replica says to one question."""

    query: str
    matched: str
    """``service``, ``registration``, ``address`` or ``nothing``."""
    names: tuple[str, ...]
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


class Why:
    """Explains from this replica's own views."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        refusals: Refusals,
        view: Callable[[], ClusterView],
        settings: CheckSettings,
    ) -> None:
        self.catalog = catalog
        self._refusals = refusals
        self._view = view
        self._settings = settings

    async def explain(self, query: str) -> Explanation:
        """Answer for one name, service id or ``host:port``."""
        nearest: tuple[str, ...] = ()
        if not self._match(query)[1]:
            nearest = await self._nearest(query)
        # After the wait, so that everything told is of one moment.
        matched, names, found = self._match(query)
        catalog = self.catalog
        lines = [t for name in names for t in catalog.history(name)]
        if matched != "service":
            ids = {i.registration.service_id for i in found} | {query}
            places = {(i.registration.host, i.registration.port) for i in found}
            if (place := _place(query)) is not None:
                places.add(place)
            lines = [
                t for t in lines if t.service_id in ids or (t.host, t.port) in places
            ]
        lines.sort(key=lambda t: t.position, reverse=True)
        listed = tuple(found[:MAX_INSTANCES])
        gone = self._gone(lines)
        refusals = self._refused(query)
        explanation = Explanation(
            query=query,
            matched=matched,
            names=names,
            total=len(found),
            healthy=sum(i.status is Status.HEALTHY for i in found),
            instances=listed,
            drains=self._drains(listed),
            gone=gone,
            history=tuple(lines[:MAX_HISTORY]),
            shared=self._shared(listed),
            refusals=refusals,
            nearest=nearest,
            findings=(),
            view=self._view(),
        )
        findings = tuple(self._findings(explanation))
        return msgspec.structs.replace(explanation, findings=findings)

    def _match(self, query: str) -> tuple[str, tuple[str, ...], list[Instance]]:
        catalog = self.catalog
        service = catalog.service(query)
        if service is not None or catalog.history(query):
            return "service", (query,), list(service.instances if service else ())
        instance = catalog.instance(query)
        if instance is not None:
            return "registration", (instance.registration.name,), [instance]
        gone = catalog.gone(ServiceId(query))
        if gone is not None:
            return "registration", (gone.registration.name,), []
        place = _place(query)
        if place is not None:
            names = catalog.services_at(*place)
            found = [i for name in names for i in self._at(name, place)]
            if found:
                return "address", tuple(names), found
            if names := catalog.names_gone_from(*place):
                return "address", names, []
        return "nothing", (), []

    def plan(self, registration: Registration) -> Plan | None:
        """Return how a registration is checked, with the settings filled in."""
        return plan_of(registration, self._settings)

    def _at(self, name: str, place: tuple[str, int]) -> list[Instance]:
        service = self.catalog.service(name)
        return [
            i
            for i in (service.instances if service else ())
            if (i.registration.host, i.registration.port) == place
        ]

    def _refused(self, query: str) -> tuple[Refusal, ...]:
        latest = self._refusals.latest(query, MAX_REFUSALS)
        host, colon, _ = query.rpartition(":")
        if colon and host and not latest:
            latest = self._refusals.latest(host.strip("[]"), MAX_REFUSALS)
        return tuple(latest)

    def _gone(self, newest_first: list[Transition]) -> tuple[Transition, ...]:
        last: dict[tuple[str, str, int], Transition] = {}
        for line in newest_first:
            last.setdefault((line.service_id, line.host, line.port), line)
        gone = [t for t in last.values() if not t.after]
        still = self.catalog.instance
        return tuple([t for t in gone if still(t.service_id) is None][:MAX_INSTANCES])

    def _drains(
        self, instances: tuple[Instance, ...]
    ) -> tuple[tuple[ServiceId, Drain], ...]:
        found = []
        for registration in (i.registration for i in instances):
            drain = self.catalog.drain(key_of(registration))
            if drain is not None:
                found.append((registration.service_id, drain))
        return tuple(found)

    def _shared(
        self, instances: tuple[Instance, ...]
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        shared: dict[str, tuple[str, ...]] = {}
        for r in (i.registration for i in instances):
            names: tuple[ServiceName, ...] = self.catalog.services_at(r.host, r.port)
            if len(names) > 1:
                shared[f"{r.host}:{r.port}"] = tuple(names)
        return tuple(shared.items())

    async def _nearest(self, query: str) -> tuple[str, ...]:
        nearest = Nearest(query)
        for names in (self.catalog.names(), self.catalog.historic_names()):
            for start in range(0, len(names), SLICE):
                nearest.consider(names[start : start + SLICE])
                await asyncio.sleep(0)
        return nearest.best(MAX_NEAREST)

    def _findings(self, of: Explanation) -> list[Finding]:
        found: list[Finding] = []
        if not of.view.caught_up:
            advice = "this replica has not caught up: ask another, or wait"
            found.append(Finding("not_caught_up", "this may be old", advice))
        if is_leader_silent(of.view):
            text = "this replica hears no leader: what it shows may be old"
            found.append(Finding("leader_silent", text, "see `registry status`"))
        if EVICTIONS_HELD in of.view.degraded:
            text = "many services went silent at once, so none of them is ended yet"
            advice = "look at the network between the services and the registry"
            found.append(Finding(EVICTIONS_HELD, text, advice))
        if of.matched == "nothing":
            text = f"nothing is known as {of.query}"
            close = f"did you mean {', '.join(of.nearest)}?" if of.nearest else ""
            advice = close or "names must match exactly; `registry services` lists them"
            found.append(Finding("unknown", text, advice))
        elif not of.total:
            text = f"{of.query}: no instance is registered now"
            found.append(Finding("none_left", text, "register again"))
        elif not of.healthy:
            found.append(Finding("none_healthy", f"{of.healthy} of {of.total} healthy"))
        ill = [i for i in of.instances if _is_unwell(i)]
        found += [self._unwell(instance) for instance in ill]
        for line in of.gone[:MAX_HISTORY]:
            code = "expired" if line.cause.startswith("lease_expired") else "gone"
            who = f"{line.service_id} ({line.host}:{line.port})"
            text = f"{who} is gone since {_time(line.at_ms)}: {line.cause}"
            advice = "heartbeats came too seldom" if code == "expired" else ""
            found.append(Finding(code, text, advice))
        for address, names in of.shared:
            text = f"{address} is used by {len(names)} services: {', '.join(names)}"
            found.append(Finding("shared_address", text, "deregister the old one"))
        if of.refusals:
            newest = of.refusals[0]
            text = (
                f"{len(of.refusals)} refused here, the last at {_time(newest.at_ms)}:"
                f" {newest.request} from {newest.peer}: {newest.detail}"
            )
            advice = REFUSED.get(newest.code, "mend the request")
            advice = f"{advice} ({newest.code})"
            found.append(Finding("refused", text, advice))
        return found

    def _unwell(self, instance: Instance) -> Finding:
        r = instance.registration
        address = f"{r.host}:{r.port}"
        since = _time(instance.since_ms)
        text = f"{address} is {instance.status.value} since {since}: {instance.cause}"
        if instance.status is Status.DRAINING:
            advice = f"registry undrain {r.service_id}"
        elif instance.status is Status.STARTING:
            advice = "it waits for its first passing check, or a heartbeat that says so"
        else:
            advice = self._advice(instance, address)
        return Finding(instance.status.value, text, advice)

    def _advice(self, instance: Instance, address: str) -> str:
        r = instance.registration
        plan = plan_of(r, self._settings)
        for word, advice in ADVICE:
            if word in instance.cause:
                return advice.format(
                    id=r.service_id,
                    host=r.host,
                    address=address,
                    beat=r.ttl_seconds / 3,
                    timeout=plan.timeout_s if plan else self._settings.timeout_s,
                    path=plan.path if plan and plan.path else address,
                    expected=_expected(plan),
                )
        return ""


def _expected(plan: Plan | None) -> str:
    if plan is not None and plan.kind == "grpc":
        return "SERVING (grpc.health.v1)"
    return str((plan and plan.expected_status) or "with success (2xx)")


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(query: str) -> tuple[str, int] | None:
    """Read HOST:PORT; None if it is something else."""
    host, _, digits = query.rpartition(":")
    if not (host and digits.isascii() and digits.isdigit() and len(digits) <= 5):
        return None
    return host.strip("[]"), int(digits)


def _is_unwell(instance: Instance) -> bool:
    """Whether there is something to say of it; some replicas may not reach it."""
    return instance.status is not Status.HEALTHY or instance.cause.startswith(
        "unreachable from"
    )
