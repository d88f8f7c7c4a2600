"""One replica's answer: what is matched, what is found, and what is advised."""

import asyncio

from registry.catalog.commands import Drain
from registry.findings import Explanation
from registry.health.plan import CheckSettings
from registry.model import Check, ServiceName, Status
from registry.nearest import SLICE_COST
from registry.refusals import Refusal, Refusals
from registry.why import MAX_INSTANCES, MAX_NAMES, Why
from tests.support.catalog_driver import T0_MS, CatalogDriver
from tests.support.fake_clock import FakeClock
from tests.support.fake_consensus import FakeConsensus


class Asked:
    """A catalog to fill, and the use case to ask."""

    def __init__(self) -> None:
        self.driver = CatalogDriver()
        self.refusals = Refusals()
        self.consensus = FakeConsensus(self.driver.machine, FakeClock())
        self.why = Why(
            catalog=self.driver.catalog,
            refusals=self.refusals,
            view=self.consensus.view,
            settings=CheckSettings(),
        )

    def codes(self, explanation: Explanation) -> list[str]:
        """Return the codes of what was found."""
        return [finding.code for finding in explanation.findings]


async def test_a_mistyped_name_is_told_the_one_that_was_meant() -> None:
    """The first reason for an empty discovery."""
    asked = Asked()
    asked.driver.register("a", "billing")
    found = await asked.why.explain("biling")

    assert found.matched == "nothing"
    assert found.nearest == ("billing",)
    assert asked.codes(found) == ["unknown"]
    assert "billing" in found.findings[0].advice


async def test_a_healthy_service_has_nothing_to_be_mended() -> None:
    """Name, id and address all lead to it."""
    asked = Asked()
    asked.driver.register("a", "web", "web-1", 80)
    matches = [(await asked.why.explain(q)) for q in ("web", "a", "web-1:80")]

    assert [m.matched for m in matches] == ["service", "registration", "address"]
    assert [m.healthy for m in matches] == [1, 1, 1]
    assert [m.findings for m in matches] == [()] * 3


async def test_an_unhealthy_instance_is_told_with_its_cause_and_what_to_try() -> None:
    """Each cause has its own advice."""
    asked = Asked()
    asked.driver.register("a", "web", "web-1", 80)
    causes = {
        "check_failed: connect refused (3 of 3)": "is it listening on web-1:80",
        "check_failed: timed out (3 of 3)": "check.timeout_seconds",
        "check_failed: 503 (3 of 3)": "must answer with success",
        "flapping: 5 changes in 150 s; must pass for 30 s": "passes and fails",
        "unreachable from a only: connect refused": "that replica's network",
        "lease_expired: no heartbeat for 300 s": "/heartbeat/a every 100 s",
        "lease_expired: no heartbeat or passing check for 300 s; before: check_failed: "
        "connect refused (3 of 3)": "it is back when its check passes",
    }
    for cause, advice in causes.items():
        asked.driver.set_status("a", Status.HEALTHY)
        asked.driver.set_status("a", Status.UNHEALTHY, cause)
        found = await asked.why.explain("web")
        assert asked.codes(found) == ["none_healthy", "unhealthy"]
        assert cause in found.findings[1].text
        assert advice in found.findings[1].advice


async def test_who_registered_a_loopback_address_is_not_warned_of_it() -> None:
    """It listens there, or nowhere."""
    asked = Asked()
    for host, is_warned in (("127.0.0.1", False), ("10.0.0.1", True)):
        asked.driver.register("a", "web", host, 80)
        asked.driver.set_status(
            "a", Status.UNHEALTHY, "check_failed: connect refused (3 of 3)"
        )
        found = await asked.why.explain("a")
        assert ("127.0.0.1 only" in found.findings[-1].advice) is is_warned


async def test_a_service_over_grpc_is_told_what_grpc_expects() -> None:
    """There is no 2xx in it."""
    asked = Asked()
    check = Check(kind="grpc", path="billing.v1")
    asked.driver.register("a", "web", "web-1", 80, check=check)
    asked.driver.set_status("a", Status.UNHEALTHY, "check_failed: NOT_SERVING (3 of 3)")
    found = await asked.why.explain("web")

    assert found.findings[1].advice.startswith("billing.v1 must answer SERVING")


async def test_one_that_expired_is_told_with_the_time_and_the_cause() -> None:
    """By its name and by its id, though nothing of it is listed."""
    asked = Asked()
    asked.driver.register("a", "web")
    asked.driver.expire("a")
    for query in ("web", "a"):
        found = await asked.why.explain(query)
        assert found.total == 0
        assert asked.codes(found) == ["none_left", "expired"]
        assert "2023-11-14T" in found.findings[1].text


async def test_one_that_came_back_is_not_told_as_gone() -> None:
    """Only the last thing that befell each counts."""
    asked = Asked()
    asked.driver.register("a", "web")
    asked.driver.expire("a")
    asked.driver.renew("a")
    found = await asked.why.explain("web")

    assert found.gone == ()
    assert len(found.history) == 3


async def test_a_drained_instance_names_the_way_back() -> None:
    """Its reason is in its cause."""
    asked = Asked()
    asked.driver.register("a", "web", "web-1", 80)
    keys = ((ServiceName("web"), "web-1", 80),)
    asked.driver.apply(Drain(keys=keys, reason="new disk", at_ms=T0_MS))
    found = await asked.why.explain("web")

    assert asked.codes(found) == ["none_healthy", "draining"]
    assert "new disk" in found.findings[1].text
    assert found.findings[1].advice == "registry undrain a"
    assert [i for i, _ in found.drains] == ["a"]


async def test_two_services_at_one_address_are_told() -> None:
    """An address that was given away and whose old entry stayed."""
    asked = Asked()
    asked.driver.register("a", "web", "pod", 80)
    asked.driver.register("b", "db", "pod", 80)
    found = await asked.why.explain("pod:80")

    assert found.total == 2
    assert asked.codes(found) == ["shared_address"]


async def test_an_address_is_found_in_whatever_spelling() -> None:
    """People copy it from a URL, or type it as they say it."""
    asked = Asked()
    asked.driver.register("a", "web", "[::1]", 80)
    asked.driver.register("b", "api", "Web-1", 80)
    asked.driver.register("c", "db", "[::2]", 80)
    asked.driver.expire("c")
    queries = ("[::1]:80", "::1:80", "web-1:80", "WEB-1:80", "::2:80")
    found = [await asked.why.explain(query) for query in queries]

    assert [f.matched for f in found] == ["address"] * 5
    assert [f.names for f in found] == [("web",)] * 2 + [("api",)] * 2 + [("db",)]
    assert [len(f.history) for f in found] == [1, 1, 1, 1, 2]


async def test_a_host_alone_leads_to_all_that_is_there() -> None:
    """Its port is not what somebody knows who sees a machine fail."""
    asked = Asked()
    asked.driver.register("a", "web", "Pod-1", 80)
    asked.driver.register("b", "db", "pod-1", 81)
    asked.driver.register("c", "db", "pod-2", 81)
    asked.driver.set_status("b", Status.UNHEALTHY, "check_failed: 503")
    found = await asked.why.explain("pod-1")

    assert (found.matched, found.names) == ("host", ("web", "db"))
    assert (found.total, found.healthy) == (2, 1)
    assert {line.service_id for line in found.history} == {"a", "b"}
    assert asked.codes(found) == ["unhealthy"]
    assert (await asked.why.explain("pod-3")).matched == "nothing"


async def test_an_address_of_thousands_is_told_in_bounds() -> None:
    """Behind host networking or a proxy that is nobody's mistake."""
    asked = Asked()
    for n in range(2 * MAX_NAMES):
        asked.driver.register(f"i{n}", f"svc-{n}", "pod", 80)
    found = await asked.why.explain("pod:80")

    assert (found.total, len(found.names)) == (2 * MAX_NAMES, MAX_NAMES)
    assert found.findings[0].text.endswith("svc-6, svc-7 and 92 more")


async def test_what_an_older_version_did_not_note_is_not_told() -> None:
    """A snapshot of schema 1 knows no time of the last change: not 1970."""
    asked = Asked()
    asked.driver.register("a", "web", "web-1", 80)
    asked.driver.register("b", "web", "web-1", 81, at_ms=0)
    asked.driver.checked("b", Status.UNHEALTHY, "check_failed: 503", at_ms=0)
    found = await asked.why.explain("web")

    assert found.findings[0].text == "web-1:81 is unhealthy: check_failed: 503"


async def test_a_refused_registration_is_told_by_whom_and_which_rule() -> None:
    """Why it will not register."""
    asked = Asked()
    asked.refusals.note(
        Refusal(
            at_ms=T0_MS,
            peer="10.0.0.9",
            request="POST /register",
            name="web",
            code="invalid_field",
            detail="port must be from 1 to 65535",
        )
    )
    found = await asked.why.explain("web")

    assert asked.codes(found) == ["unknown", "refused"]
    assert "port must be from 1 to 65535" in found.findings[1].text
    assert "10.0.0.9" in found.findings[1].text


async def test_an_answer_is_bounded_and_counts_all() -> None:
    """A service of hundreds of instances does not fill the terminal."""
    asked = Asked()
    for n in range(MAX_INSTANCES + 10):
        asked.driver.register(f"i{n}", "web", f"h{n}")
    found = await asked.why.explain("web")

    assert len(found.instances) == MAX_INSTANCES
    assert found.total == found.healthy == MAX_INSTANCES + 10


async def test_a_replica_that_has_not_caught_up_says_so() -> None:
    """Its answer may be old."""
    asked = Asked()
    asked.consensus.not_caught_up()
    assert asked.codes(await asked.why.explain("web"))[0] == "not_caught_up"


async def test_other_work_goes_on_while_nearest_names_are_looked_for() -> None:
    """Thousands of names are compared in slices."""
    asked = Asked()
    for n in range(SLICE_COST // 10):
        asked.driver.register(f"i{n}", f"web-{n}", f"h{n}")
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await asked.why.explain("wbe-17")
    counting.cancel()

    assert turns >= 3
