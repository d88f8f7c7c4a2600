"""Register and deregister: what becomes of each outcome, and of each trouble."""

import asyncio

import pytest

from registry.catalog.bounds import Limits
from registry.catalog.machine import CatalogMachine
from registry.errors import (
    NoLeader,
    OutcomeUnknown,
    Overloaded,
    ServiceIdTaken,
    TooManyBytes,
    TooManyRegistrations,
    TooManyServices,
    UnknownServiceId,
)
from registry.model import ServiceId, ServiceName
from registry.registrar import RegistrationRequest
from tests.support.use_cases import UseCases

WEB = RegistrationRequest(name=ServiceName("web"), host="10.0.0.1", port=80)


async def test_a_registration_without_an_id_gets_a_new_one() -> None:
    """The seed's clients send no id and live by the one returned."""
    cases = UseCases()

    written = await cases.registrar.register(WEB, deadline_s=cases.now_s)

    assert written.service_id == "id-1"
    assert written.index == 1
    assert cases.machine.catalog.registration("id-1") is not None


async def test_the_default_ttl_applies_only_where_none_is_asked_for() -> None:
    """The configured TTL travels in the command; a permanent one asks for 0."""
    cases = UseCases()
    permanent = RegistrationRequest(
        name=ServiceName("db"), host="10.0.0.2", port=5432, ttl_seconds=0.0
    )

    await cases.registrar.register(WEB, deadline_s=cases.now_s)
    await cases.registrar.register(permanent, deadline_s=cases.now_s)

    ttls = [cases.machine.catalog.registration(i) for i in ("id-1", "id-2")]
    assert [r.ttl_seconds for r in ttls if r is not None] == [300.0, 0.0]


async def test_registering_the_same_id_again_is_safe() -> None:
    """A client that lost the answer retries under its id: still one instance."""
    cases = UseCases()

    await cases.register(service_id="mine")
    await cases.register(service_id="mine")

    assert cases.machine.catalog.registrations == 1
    assert cases.machine.catalog.instances == 1


async def test_an_id_of_another_service_is_refused() -> None:
    """Two services that mix up their ids must hear of it, not overwrite each other."""
    cases = UseCases()
    await cases.register("web", service_id="mine")

    with pytest.raises(ServiceIdTaken, match="mine"):
        await cases.register("api", service_id="mine")


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(registrations=1), TooManyRegistrations),
        (Limits(services=1), TooManyServices),
        (Limits(bytes=200), TooManyBytes),
    ],
)
async def test_a_full_catalog_is_told_by_its_own_code(
    limits: Limits, error: type[Exception]
) -> None:
    """The operator must see which bound was reached."""
    cases = UseCases(machine=CatalogMachine(limits))
    await cases.register("web")

    with pytest.raises(error):
        await cases.register("api", port=81)


async def test_without_a_leader_the_write_ends_at_its_deadline() -> None:
    """Certainly not in the log: the client may send the same again."""
    cases = UseCases()
    cases.consensus.silent_leader(9.0)

    with pytest.raises(NoLeader):
        await cases.register()

    assert cases.machine.catalog.registrations == 0


async def test_an_unknown_outcome_names_the_id_to_retry_under() -> None:
    """Only with the id that we chose can a client retry without a second one."""
    cases = UseCases()
    cases.consensus.loses_answers = True

    with pytest.raises(OutcomeUnknown, match="service_id id-1 is safe"):
        await cases.register()


async def test_a_refused_proposal_passes_unchanged() -> None:
    """The code of the cluster's refusal reaches the client as it is."""
    cases = UseCases()
    cases.consensus.refuses = Overloaded

    with pytest.raises(Overloaded):
        await cases.register()


async def test_a_client_that_goes_away_does_not_withdraw_its_write() -> None:
    """Half a proposal would leave nobody knowing whether it is in the log."""
    cases = UseCases()
    cases.consensus.hold()
    request = asyncio.create_task(cases.register())
    while not cases.consensus.proposed:
        await asyncio.sleep(0)

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    cases.consensus.release()
    while not cases.machine.catalog.registrations:
        await asyncio.sleep(0)

    assert cases.machine.catalog.registration("id-1") is not None


async def test_deregister_ends_that_registration_only() -> None:
    """Behind one address there may be a second process that goes on."""
    cases = UseCases()
    first = await cases.register()
    second = await cases.register()

    await cases.registrar.deregister(first, deadline_s=cases.now_s)

    assert cases.machine.catalog.registration(first) is None
    assert cases.machine.catalog.registration(second) is not None
    assert cases.machine.catalog.instances == 1


async def test_deregistering_an_unknown_id_is_told() -> None:
    """A typo must not look like success."""
    cases = UseCases()

    with pytest.raises(UnknownServiceId):
        await cases.registrar.deregister(ServiceId("x"), deadline_s=cases.now_s)
