"""Register and deregister: what becomes of each outcome, and of each trouble."""

import msgspec
import pytest
from structlog.testing import capture_logs

from registry.admission import SHARED_WARNING_S
from registry.catalog.bounds import Limits
from registry.catalog.machine import CatalogMachine
from registry.errors import (
    AddressDenied,
    InvalidField,
    NoLeader,
    OutcomeUnknown,
    Overloaded,
    ServiceIdTaken,
    TooManyBytes,
    TooManyRegistrations,
    TooManyServices,
    UnknownServiceId,
)
from registry.model import Check, ServiceId, ServiceName, Status
from registry.registrar import RegistrationRequest, Settings
from tests.support.use_cases import DENIED_HOST, UseCases

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
        (Limits(bytes=250), TooManyBytes),
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


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.HEALTHY),
        ({"health_endpoint": "/health"}, Status.STARTING),
        ({"check": Check(kind="tcp")}, Status.STARTING),
        ({"check": Check(), "initial_status": Status.HEALTHY}, Status.HEALTHY),
        ({"initial_status": Status.STARTING}, Status.STARTING),
    ],
)
async def test_the_first_status_is_the_settings_only_where_a_check_would_change_it(
    changes: dict[str, object], status: Status
) -> None:
    """Without a check nobody would ever turn `starting` into `healthy`."""
    cases = UseCases(settings=Settings(300.0, initial_status=Status.STARTING))
    request = msgspec.structs.replace(WEB, **changes)

    written = await cases.registrar.register(request, deadline_s=cases.now_s)

    instance = cases.machine.catalog.instance(written.service_id)
    assert instance is not None
    assert instance.status is status


async def test_a_denied_address_is_refused_if_it_has_a_check_and_only_then() -> None:
    """The registry must not ask a cloud's metadata on behalf of strangers (SSRF)."""
    cases = UseCases()
    bare = msgspec.structs.replace(WEB, host=DENIED_HOST)
    for changes in ({"health_endpoint": "/"}, {"check": Check(kind="tcp")}):
        with pytest.raises(AddressDenied, match="link-local"):
            await cases.registrar.register(
                msgspec.structs.replace(bare, **changes), deadline_s=cases.now_s
            )

    await cases.registrar.register(bare, deadline_s=cases.now_s)

    assert cases.machine.catalog.registrations == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [("ping", "check.kind must be one of http, tcp"), ("grpc", "not installed here")],
)
async def test_a_kind_of_check_that_cannot_be_made_is_refused(
    kind: str, words: str
) -> None:
    """Later it could only fail; the answer names those that can be made."""
    cases = UseCases()
    request = msgspec.structs.replace(WEB, check=Check(kind=kind))

    with pytest.raises(InvalidField, match=words) as caught:
        await cases.registrar.register(request, deadline_s=cases.now_s)

    assert caught.value.field == "check.kind"


async def test_two_services_at_one_address_are_warned_of_once_in_a_while() -> None:
    """Mostly one of them is no longer there; but a log is no place to repeat it."""
    cases = UseCases()
    with capture_logs() as logs:
        await cases.register("web")
        await cases.register("api")
        await cases.register("api")
        cases.fake_clock.advance(SHARED_WARNING_S)
        await cases.register("api")

    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [w["event"] for w in warnings] == ["Address shared by several services"] * 2
    assert sorted(warnings[0]["services"]) == ["api", "web"]


async def test_an_exclusive_address_takes_the_other_services_entry_with_it() -> None:
    """Addresses of pods are reused: the newest tenant is the one that is there."""
    cases = UseCases(settings=Settings(300.0, exclusive=True))

    await cases.register("web")
    await cases.register("api")

    assert list(cases.machine.catalog.names()) == ["api"]
