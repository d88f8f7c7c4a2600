"""Drain and undrain: by id, by host, of what is gone, and their refusals."""

import pytest

from registry.catalog.bounds import Limits
from registry.catalog.machine import CatalogMachine
from registry.drains import KEYS_AT_ONCE, DrainRequest
from registry.errors import NotDrained, OutcomeUnknown, TooManyDrains, UnknownServiceId
from registry.model import ServiceId, Status
from tests.support.use_cases import UseCases

MOVE = DrainRequest("moving the rack", 60.0)


async def test_a_drained_instance_is_known_and_not_listed_and_comes_back() -> None:
    """Out of the list at once, with the reason; undrained, it is as it was."""
    cases = UseCases()
    service_id = await cases.register()

    await cases.drains.drain(service_id, MOVE, deadline_s=cases.now_s)

    drained = cases.machine.catalog.instance(service_id)
    assert drained is not None
    assert (drained.status, drained.cause) == (
        Status.DRAINING,
        "drained: moving the rack",
    )
    drain = cases.discovery.drain(drained)
    assert drain is not None
    assert drain.limit_seconds == 60.0
    await cases.drains.undrain(service_id, deadline_s=cases.now_s)
    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    assert instance.status is Status.HEALTHY


async def test_a_drain_can_be_ended_by_the_id_of_what_is_gone() -> None:
    """The service has left; who took it out of the list still knows its id."""
    cases = UseCases()
    service_id = await cases.register()
    await cases.drains.drain(service_id, MOVE, deadline_s=cases.now_s)
    await cases.registrar.deregister(service_id, deadline_s=cases.now_s)

    await cases.drains.undrain(service_id, deadline_s=cases.now_s)

    assert cases.machine.catalog.drained == 0


async def test_what_is_not_there_or_not_drained_is_told() -> None:
    """A typo must not look like success."""
    cases = UseCases()
    service_id = await cases.register()

    with pytest.raises(NotDrained):
        await cases.drains.undrain(service_id, deadline_s=cases.now_s)
    with pytest.raises(UnknownServiceId):
        await cases.drains.drain(ServiceId("typo"), MOVE, deadline_s=cases.now_s)


async def test_a_host_is_drained_whole_in_bounded_commands() -> None:
    """One command may be only so large, and a machine may hold thousands."""
    cases = UseCases()
    for port in range(1, KEYS_AT_ONCE + 2):
        await cases.register(port=port)
    cases.consensus.proposed.clear()

    done = await cases.drains.drain_host("10.0.0.1", MOVE, deadline_s=cases.now_s)

    assert done.count == KEYS_AT_ONCE + 1
    assert len(cases.consensus.proposed) == 2
    assert cases.machine.catalog.healthy == 0
    undone = await cases.drains.undrain_host("10.0.0.1", deadline_s=cases.now_s)
    assert undone.count == KEYS_AT_ONCE + 1
    assert cases.machine.catalog.healthy == KEYS_AT_ONCE + 1


async def test_more_drains_than_may_be_are_refused_by_their_own_code() -> None:
    """The operator must see which bound was reached."""
    cases = UseCases(machine=CatalogMachine(Limits(drains=1)))
    first, second = [await cases.register(port=port) for port in (1, 2)]
    await cases.drains.drain(first, MOVE, deadline_s=cases.now_s)

    with pytest.raises(TooManyDrains):
        await cases.drains.drain(second, MOVE, deadline_s=cases.now_s)


async def test_an_unknown_outcome_says_that_a_retry_is_safe() -> None:
    """To drain twice is to drain once."""
    cases = UseCases()
    service_id = await cases.register()
    cases.consensus.loses_answers = True

    with pytest.raises(OutcomeUnknown, match="a retry is safe"):
        await cases.drains.drain(service_id, MOVE, deadline_s=cases.now_s)
