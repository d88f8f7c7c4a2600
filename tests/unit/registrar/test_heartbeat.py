"""Heartbeats: a renewal always, and a change of status where one is reported."""

import pytest

from registry.catalog.commands import Expire, Expiry, SetStatus
from registry.drains import DrainRequest
from registry.errors import OutcomeUnknown, UnknownServiceId
from registry.model import ServiceId, Status
from registry.registrar import StatusReport
from tests.support.use_cases import UseCases


async def test_a_heartbeat_renews_and_moves_last_heartbeat() -> None:
    """`last_heartbeat` is what people look at to see whether a service is alive."""
    cases = UseCases()
    service_id = await cases.register()
    cases.fake_clock.advance(30.0)

    await cases.registrar.heartbeat(service_id, deadline_s=cases.now_s)

    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    assert instance.last_heartbeat_ms == cases.clock.wall_ms()


async def test_a_heartbeat_for_an_unknown_id_says_register_again() -> None:
    """404 is the one answer by which a good client knows that it must register."""
    cases = UseCases()

    with pytest.raises(UnknownServiceId):
        await cases.registrar.heartbeat(ServiceId("gone"), deadline_s=cases.now_s)


async def test_a_heartbeat_revives_what_expired() -> None:
    """The seed's client never registers again: its heartbeat must bring it back."""
    cases = UseCases()
    service_id = await cases.register()
    await _expire(cases, service_id)
    assert cases.machine.catalog.registration(service_id) is None

    await cases.registrar.heartbeat(service_id, deadline_s=cases.now_s)

    assert cases.machine.catalog.registration(service_id) is not None


async def test_an_unhealthy_report_sets_the_status_with_its_note() -> None:
    """A service that cannot be probed says itself that it must not be used."""
    cases = UseCases()
    service_id = await cases.register()
    report = StatusReport(Status.UNHEALTHY, "queue full")

    written = await cases.registrar.heartbeat(
        service_id, deadline_s=cases.now_s, report=report
    )

    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    cause = "reported unhealthy by heartbeat: queue full"
    assert (instance.status, instance.cause) == (Status.UNHEALTHY, cause)
    assert written.index == cases.consensus.index


async def test_a_report_of_what_stands_already_is_one_proposal() -> None:
    """A transition is logged once, not with each heartbeat."""
    cases = UseCases()
    service_id = await cases.register()
    cases.consensus.proposed.clear()

    await cases.report(service_id, Status.HEALTHY)

    assert len(cases.consensus.proposed) == 1


async def test_an_unhealthy_report_takes_the_place_of_a_failed_check_once() -> None:
    """Or the next pass would list a service that itself says that it is unwell."""
    cases = UseCases()
    service_id = await cases.register()
    await cases.propose(_failed(cases, service_id))
    cases.consensus.proposed.clear()

    for note in ("queue full", "queue fuller"):
        report = StatusReport(Status.UNHEALTHY, note)
        await cases.registrar.heartbeat(
            service_id, deadline_s=cases.now_s, report=report
        )

    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    assert instance.status is Status.UNHEALTHY
    assert instance.cause == "reported unhealthy by heartbeat: queue full"
    # Two renewals, one status.
    assert len(cases.consensus.proposed) == 3


async def test_a_healthy_report_ends_an_unhealthy_one() -> None:
    """The way back is the same as the way there; the cause is never empty."""
    cases = UseCases()
    service_id = await cases.register()
    await cases.report(service_id, Status.UNHEALTHY)

    await cases.report(service_id, Status.HEALTHY)

    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    assert instance.status is Status.HEALTHY
    assert instance.cause == "reported healthy by heartbeat"


async def test_a_revived_registration_takes_a_report_under_its_new_generation() -> None:
    """I5: the status goes to the generation that the renewal has just made."""
    cases = UseCases()
    service_id = await cases.register()
    await _expire(cases, service_id)

    await cases.report(service_id, Status.UNHEALTHY)

    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    assert instance.status is Status.UNHEALTHY


async def test_a_report_is_compared_with_the_status_beneath_a_drain() -> None:
    """A drain hides the status; taken back, the instance is as it last reported."""
    cases = UseCases()
    service_id = await cases.register()
    await cases.drains.drain(service_id, DrainRequest(), deadline_s=cases.now_s)
    cases.consensus.proposed.clear()

    await cases.report(service_id, Status.HEALTHY)
    repeated = len(cases.consensus.proposed)
    await cases.report(service_id, Status.UNHEALTHY)
    drained = cases.machine.catalog.instance(service_id)
    await cases.drains.undrain(service_id, deadline_s=cases.now_s)

    assert repeated == 1
    assert drained is not None
    assert drained.status is Status.DRAINING
    instance = cases.machine.catalog.instance(service_id)
    assert instance is not None
    assert instance.status is Status.UNHEALTHY


async def test_an_unknown_outcome_of_a_heartbeat_names_the_id() -> None:
    """A retry is safe, and the answer says so."""
    cases = UseCases()
    service_id = await cases.register()
    cases.consensus.loses_answers = True

    with pytest.raises(OutcomeUnknown, match="service_id id-1 is safe"):
        await cases.registrar.heartbeat(service_id, deadline_s=cases.now_s)


def _failed(cases: UseCases, service_id: ServiceId) -> SetStatus:
    registration = cases.machine.catalog.registration(service_id)
    assert registration is not None
    return SetStatus(
        service_id=service_id,
        generation=registration.generation,
        status=Status.UNHEALTHY,
        cause="check_failed: 503 (3 of 3)",
        at_ms=cases.clock.wall_ms(),
        by_check=True,
    )


async def _expire(cases: UseCases, service_id: ServiceId) -> None:
    registration = cases.machine.catalog.registration(service_id)
    assert registration is not None
    generation = registration.generation
    command = Expire(
        items=(Expiry(service_id, generation, generation),),
        at_ms=cases.clock.wall_ms(),
    )
    await cases.propose(command)
