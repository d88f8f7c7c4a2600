"""The checker itself: it must see what it is there to see."""

from collections.abc import Callable

import msgspec
import pytest

from registry.catalog.invariants import InvariantError, check
from registry.catalog.records import key_of
from registry.catalog.state import State
from registry.catalog.views import ServiceView
from registry.model import ServiceName, Status
from tests.support.catalog_driver import CatalogDriver


def sound() -> State:
    """Return a state with a shared address, a drain, and one of each gone."""
    log = CatalogDriver()
    log.register("a")
    log.register("b")
    log.register("c", name="api")
    log.register("d")
    log.expire("d")
    log.register("e")
    log.deregister("e")
    log.register("f", host="web-2")
    log.drain((ServiceName("web"), "web-2", 8500))
    log.catalog.service("web")
    return log.machine.state


def lose_a_lease(state: State) -> None:
    """Break I8 between leases and slots."""
    del state.leases[next(iter(state.leases))]


def miscount(state: State) -> None:
    """Break a counter."""
    state.healthy += 1


def miscount_a_service(state: State) -> None:
    """Break a service's own counter."""
    state.services[ServiceName("web")].healthy -= 1


def weigh_wrongly(state: State) -> None:
    """Break the count of bytes."""
    state.bytes += 1


def weigh_the_gone_wrongly(state: State) -> None:
    """Break the other one."""
    state.gone.size_bytes -= 1


def show_another_status(state: State) -> None:
    """Break what is shown."""
    lease = next(iter(state.leases.values()))
    key = key_of(lease.registration)
    slot = state.slots[key]
    state.slots[key] = msgspec.structs.replace(slot, status=Status.DRAINING)


def keep_an_old_view(state: State) -> None:
    """Break a cached view."""
    name = ServiceName("web")
    state.services[name].view = ServiceView(name, 0, (), ())


def forget_a_name(state: State) -> None:
    """Break the sorted names."""
    state.services[ServiceName("zzz")] = state.services.pop(ServiceName("web"))


def turn_the_order(state: State) -> None:
    """Break "oldest first" behind an instance."""
    lease = next(iter(state.leases.values()))
    key = key_of(lease.registration)
    slot = state.slots[key]
    state.slots[key] = msgspec.structs.replace(slot, ids=slot.ids[::-1])


def bury_the_living(state: State) -> None:
    """Let one be registered and gone."""
    gone = next(iter(state.gone.entries.values()))
    lease = next(iter(state.leases.values()))
    state.gone.entries[lease.registration.service_id] = msgspec.structs.replace(
        gone, registration=lease.registration
    )


def end_the_living(state: State) -> None:
    """Let one be registered and ended."""
    gone = next(iter(state.ended.entries.values()))
    lease = next(iter(state.leases.values()))
    state.ended.add(msgspec.structs.replace(gone, registration=lease.registration))


def end_the_expired(state: State) -> None:
    """Let one be revivable and ended."""
    state.ended.add(next(iter(state.gone.entries.values())))


def weigh_the_ended_wrongly(state: State) -> None:
    """Break the third count of bytes."""
    state.ended.size_bytes += 1


def lift_a_drain(state: State) -> None:
    """Break what is shown, from the other side."""
    state.drains.clear()


def share_no_address(state: State) -> None:
    """Break the count of shared addresses."""
    state.addresses.shared -= 1


def leave_an_address(state: State) -> None:
    """Break the services at an address, with the count as it was."""
    state.addresses.remove((ServiceName("web"), "web-2", 8500))


def keep_a_left_address(state: State) -> None:
    """Let an address be claimed by a service that is not there."""
    state.addresses.add((ServiceName("db"), "web-9", 8500))


def keep_a_drain_that_left(state: State) -> None:
    """Let the instance under a drain be there and gone at once."""
    key, drain = next(iter(state.drains.items()))
    state.drains[key] = msgspec.structs.replace(drain, left_at=1)


def keep_one_without_a_check(state: State) -> None:
    """Let one be kept as expired that nothing but a heartbeat could bring back."""
    service_id, lease = next(iter(state.leases.items()))
    state.leases[service_id] = msgspec.structs.replace(lease, expired=True)


def misattribute_a_transition(state: State) -> None:
    """Break what the history holds by service."""
    number, (_name, transition) = next(iter(state.history.entries.items()))
    state.history.entries[number] = (ServiceName("db"), transition)


def turn_back_time(state: State) -> None:
    """Break the order of what happened."""
    number = next(iter(state.history.entries))
    state.history.entries[number] = state.history.entries.pop(number)


def test_a_sound_state_passes() -> None:
    """Or every other test here would pass for the wrong reason."""
    check(sound())


@pytest.mark.parametrize(
    "damage",
    [
        lose_a_lease,
        miscount,
        miscount_a_service,
        weigh_wrongly,
        weigh_the_gone_wrongly,
        show_another_status,
        keep_an_old_view,
        forget_a_name,
        turn_the_order,
        bury_the_living,
        end_the_living,
        end_the_expired,
        weigh_the_ended_wrongly,
        lift_a_drain,
        share_no_address,
        leave_an_address,
        keep_a_left_address,
        keep_a_drain_that_left,
        keep_one_without_a_check,
        misattribute_a_transition,
        turn_back_time,
    ],
)
def test_damage_is_seen(damage: Callable[[State], None]) -> None:
    """A judge that sees nothing is worse than none."""
    state = sound()
    damage(state)

    with pytest.raises(InvariantError):
        check(state)
