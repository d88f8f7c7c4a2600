"""Every derived index equals the one rebuilt from the registrations (I8).

For the tests and the simulation, after each command: it goes through the whole state.
It trusts leases, slots, the services' own indices and gone, and rebuilds the rest.
"""

from registry.catalog.addresses import canonical_host
from registry.catalog.commands import Key
from registry.catalog.records import POSITION_BITS, Service, key_of
from registry.catalog.state import State
from registry.catalog.views import Catalog
from registry.model import Instance, ServiceId, ServiceName, Status, Transition


class InvariantError(AssertionError):
    """The state contradicts itself; the message says where."""


def check(state: State) -> None:
    """Raise InvariantError where something derived is not what it is derived from."""
    _check_leases(state)
    _check_slots(state)
    _check_services(state)
    _check_counters(state)
    _check_gone(state)
    _check_history(state)
    _check_addresses(state)


def _demand(holds: bool, what: str, *details: object) -> None:
    if not holds:
        raise InvariantError(": ".join([what, *map(repr, details)]))


def _check_leases(state: State) -> None:
    _demand(len(state.leases) <= state.limits.registrations, "too many registrations")
    for service_id, lease in state.leases.items():
        registration = lease.registration
        _demand(registration.service_id == service_id, "lease under a wrong id", lease)
        _demand(lease.renewed_at >= registration.generation, "renewed too early", lease)
        is_kept = lease.expired and registration.probed is None
        _demand(not is_kept, "kept without a check", lease)


def _check_slots(state: State) -> None:
    behind: dict[Key, set[ServiceId]] = {}
    for service_id, lease in state.leases.items():
        behind.setdefault(key_of(lease.registration), set()).add(service_id)
    _demand(behind.keys() == state.slots.keys(), "instances and registrations differ")
    for key, slot in state.slots.items():
        _demand(slot.key == key, "slot under a wrong key", slot)
        _demand(set(slot.ids) == behind[key], "slot with other registrations", slot)
        _demand(len(slot.ids) == len(behind[key]), "slot with an id twice", slot)
        generations = [state.leases[i].registration.generation for i in slot.ids]
        _demand(generations == sorted(generations), "slot out of order", slot)
        _demand(
            len(slot.ids) <= state.limits.registrations_per_instance,
            "too many registrations behind an instance",
            slot,
        )
        _demand(bool(slot.cause), "status without a cause", slot)


def _check_services(state: State) -> None:
    expected: dict[ServiceName, dict[Key, Instance]] = {}
    for key in state.slots:
        expected.setdefault(key[0], {})[key] = _shown(state, key)
    _demand(expected.keys() == state.services.keys(), "services and instances differ")
    for name, service in state.services.items():
        shown = expected[name]
        _demand(service.name == name, "service under a wrong name", name)
        _demand(service.shown == shown, "shown differs", name, service.shown, shown)
        _demand(list(service.shown) == list(shown), "shown in another order", name)
        _check_index(state, service)
        _check_view(service, tuple(shown.values()))
    names, shown_names = tuple(sorted(state.services)), state.names.all()
    _demand(shown_names == names, "names differ", shown_names, names)
    _demand(len(names) <= state.limits.services, "too many services")


def _check_index(state: State, service: Service) -> None:
    newest = max(
        state.leases[service_id].registration.generation >> POSITION_BITS
        for key in service.shown
        for service_id in state.slots[key].ids
    )
    _demand(service.index >= newest, "index behind a registration", service.name)


def _check_view(service: Service, instances: tuple[Instance, ...]) -> None:
    view = service.view
    if view is None:
        return
    healthy = tuple(i for i in instances if i.status is Status.HEALTHY)
    _demand(view.name == service.name, "view of another service", service.name)
    _demand(view.index == service.index, "view of another index", service.name)
    _demand(view.instances == instances, "view differs", service.name)
    _demand(view.healthy == healthy, "view's healthy differ", service.name)


def _shown(state: State, key: Key) -> Instance:
    slot = state.slots[key]
    leases = [state.leases[service_id] for service_id in slot.ids]
    status, cause, since_ms = slot.status, slot.cause, slot.since_ms
    drain = state.drains.get(key)
    if drain is not None:
        cause = f"drained: {drain.reason}" if drain.reason else "drained"
        status, since_ms = Status.DRAINING, drain.at_ms
    return Instance(
        registration=leases[-1].registration,
        status=status,
        cause=cause,
        last_heartbeat_ms=max(lease.heartbeat_ms for lease in leases),
        registrations=len(leases),
        since_ms=since_ms,
    )


def _check_counters(state: State) -> None:
    catalog = Catalog(state)
    healthy = sum(_shown(state, k).status is Status.HEALTHY for k in state.slots)
    _demand(catalog.healthy == healthy, "healthy miscounted", catalog.healthy, healthy)
    for service in state.services.values():
        count = sum(i.status is Status.HEALTHY for i in service.shown.values())
        _demand(service.healthy == count, "healthy miscounted", service.name)
    size_bytes = sum(lease.size_bytes for lease in state.leases.values())
    _demand(state.bytes == size_bytes, "bytes miscounted", state.bytes, size_bytes)


def _check_gone(state: State) -> None:
    for remembered in (state.gone, state.ended):
        size_bytes = sum(gone.size_bytes for gone in remembered.entries.values())
        _demand(remembered.size_bytes == size_bytes, "bytes of the gone miscounted")
        _demand(size_bytes <= remembered.most_bytes, "too many bytes of the gone")
        _demand(len(remembered) <= remembered.most, "too many gone registrations")
        both = remembered.entries.keys() & state.leases.keys()
        _demand(not both, "registered and gone at once", both)
        for service_id, gone in remembered.entries.items():
            is_right = gone.registration.service_id == service_id
            _demand(is_right, "gone under a wrong id", gone)
    both = state.gone.entries.keys() & state.ended.entries.keys()
    _demand(not both, "expired and ended at once", both)
    _demand(len(state.drains) <= state.limits.drains, "too many drains")
    for key, drain in state.drains.items():
        is_there = key in state.slots
        _demand(not (is_there and drain.left_at), "left, and is there", key, drain)


def _check_history(state: State) -> None:
    history, limits = state.history, state.limits
    expected: dict[ServiceName, list[Transition]] = {}
    for name, transition in history.entries.values():
        expected.setdefault(name, []).append(transition)
    _demand(len(history) <= limits.history, "too long a history")
    positions = [transition.position for _, transition in history.entries.values()]
    _demand(positions == sorted(positions), "a history out of order")
    _demand(set(history.names()) == expected.keys(), "history of other services")
    for name, transitions in expected.items():
        _demand(history.of(name) == tuple(transitions), "history differs", name)
        is_short = len(transitions) <= limits.history_of_service
        _demand(is_short, "too long a history of one service", name)


def _check_addresses(state: State) -> None:
    at: dict[tuple[str, int], list[Key]] = {}
    for key in state.slots:
        at.setdefault((canonical_host(key[1]), key[2]), []).append(key)
    for (host, port), keys in at.items():
        found = state.addresses.at(host, port)
        _demand(list(found) == keys, "other instances at an address", host, port)
    _demand(len(state.addresses) == len(at), "an address without an instance")
    shared = sum(len(keys) > 1 for keys in at.values())
    _demand(state.addresses.shared == shared, "shared addresses miscounted")
