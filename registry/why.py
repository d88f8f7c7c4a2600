"""Why something is, or is not, in the list: one replica's whole answer to one question.

It gathers what the catalog, the refusals and the cluster view say of a name, a service
id, an address or a host; ``findings`` puts it in plain words. Everything is of one
moment, but what must be looked for among all there is, in slices: which instances a
host has, and the nearest names.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from registry.catalog.addresses import canonical_host
from registry.catalog.commands import Key
from registry.catalog.records import key_of
from registry.catalog.views import Catalog
from registry.findings import Explanation, findings_of
from registry.health.plan import CheckSettings, Plan, plan_of
from registry.hosts import keys_of_host
from registry.model import (
    Drain,
    Instance,
    Registration,
    ServiceId,
    Status,
    Transition,
)
from registry.nearest import Nearest, slices
from registry.ports import ClusterView
from registry.refusals import Refusal, Refusals

MAX_INSTANCES = 50
MAX_NAMES = 50
"""Of the services at one address or host: whose histories are looked through."""
MAX_REFUSALS = 20
MAX_HISTORY = 10
MAX_NEAREST = 5

Matched = tuple[str, tuple[str, ...], list[Instance]]
"""By what a query was matched, the names of the services, and the instances."""


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
        """Answer for one name, service id, ``host:port`` or host."""
        of_host: list[Key] = []
        nearest: tuple[str, ...] = ()
        if not self._match(query)[1]:
            of_host = await keys_of_host(query, self.catalog.keys())
            nearest = () if of_host else await self._nearest(query)
        # After the wait, so that everything told is of one moment.
        matched, names, found = self._match(query, of_host)
        names = names[:MAX_NAMES]
        lines = self._lines(query, matched, names, found)
        listed = tuple(found[:MAX_INSTANCES])
        explanation = Explanation(
            query=query,
            matched=matched,
            names=names,
            total=len(found),
            healthy=sum(i.status is Status.HEALTHY for i in found),
            instances=listed,
            drains=self._drains(listed),
            gone=self._gone(lines),
            history=tuple(lines[:MAX_HISTORY]),
            shared=self._shared(listed),
            refusals=self._refused(query),
            nearest=nearest,
            findings=(),
            view=self._view(),
        )
        findings = tuple(findings_of(explanation, self._settings))
        return msgspec.structs.replace(explanation, findings=findings)

    def plan(self, registration: Registration) -> Plan | None:
        """Return how a registration is checked, with the settings filled in."""
        return plan_of(registration, self._settings)

    def _match(self, query: str, of_host: Iterable[Key] = ()) -> Matched:
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
            if found := self._shown(catalog.keys_at(*place)):
                return "address", _names(found), found
            if names := catalog.names_gone_from(*place):
                return "address", names, []
        if found := self._shown(of_host):
            return "host", _names(found), found
        return "nothing", (), []

    def _shown(self, keys: Iterable[Key]) -> list[Instance]:
        shown = map(self.catalog.shown, keys)
        return [instance for instance in shown if instance is not None]

    def _lines(
        self, query: str, matched: str, names: Iterable[str], found: list[Instance]
    ) -> list[Transition]:
        """Return what befell what was asked for, newest first."""
        lines = [t for name in names for t in self.catalog.history(name)]
        if matched != "service":
            ids = {i.registration.service_id for i in found} | {query}
            places = {_at(i.registration.host, i.registration.port) for i in found}
            if (place := _place(query)) is not None:
                places.add(place)
            lines = [
                t for t in lines if t.service_id in ids or _at(t.host, t.port) in places
            ]
        return sorted(lines, key=lambda t: t.position, reverse=True)

    def _refused(self, query: str) -> tuple[Refusal, ...]:
        host, colon, _ = query.rpartition(":")
        for subject in (query, *((host, host.strip("[]")) if colon else ())):
            if subject and (latest := self._refusals.latest(subject, MAX_REFUSALS)):
                return tuple(latest)
        return ()

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
        places = dict.fromkeys(
            (i.registration.host, i.registration.port) for i in instances
        )
        used = ((f"{h}:{p}", self.catalog.services_at(h, p)) for h, p in places)
        return tuple((address, names) for address, names in used if len(names) > 1)

    async def _nearest(self, query: str) -> tuple[str, ...]:
        nearest = Nearest(query)
        for names in (self.catalog.names(), self.catalog.historic_names()):
            for part in slices(names):
                nearest.consider(part)
                await asyncio.sleep(0)
        return nearest.best(MAX_NEAREST)


def _names(instances: Iterable[Instance]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i.registration.name for i in instances))


def _at(host: str, port: int) -> tuple[str, int]:
    return canonical_host(host), port


def _place(query: str) -> tuple[str, int] | None:
    """Read HOST:PORT; None if it is something else."""
    host, _, digits = query.rpartition(":")
    if not (host and digits.isascii() and digits.isdigit() and len(digits) <= 5):
        return None
    return _at(host, int(digits))
