"""The three paths that explain, as handlers without a socket."""

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from registry.api.explain import ExplainApi
from registry.catalog.commands import Drain
from registry.discovery import Discovery
from registry.errors import InvalidField, NotCaughtUp, UnknownServiceId
from registry.model import ServiceName, Status
from tests.support.catalog_driver import T0_MS
from tests.support.fake_clock import FakeClock
from tests.unit.why.test_explain import Asked


def api_of(asked: Asked) -> ExplainApi:
    """Return the handlers over one catalog."""
    discovery = Discovery(consensus=asked.consensus, machine=asked.driver.machine)
    return ExplainApi(
        why=asked.why, discovery=discovery, clock=FakeClock(), request_deadline_s=5.0
    )


def get(path: str, **parts: str) -> web.Request:
    """Return a request as the router would hand it over."""
    return make_mocked_request("GET", path, match_info=parts)


def document(response: web.Response) -> dict[str, object]:
    """Return the JSON of an answer."""
    assert isinstance(response.body, bytes)
    parsed: dict[str, object] = orjson.loads(response.body)
    return parsed


async def test_a_history_is_newest_first_and_empty_for_a_name_never_seen() -> None:
    """No 404: a name that nobody used has no history."""
    asked = Asked()
    asked.driver.register("a", "web", "h", 80)
    asked.driver.deregister("a")
    api = api_of(asked)
    lines = document(await api.history(get("/x", service_name="web")))["history"]
    none = document(await api.history(get("/x", service_name="no")))["history"]

    assert isinstance(lines, list)
    assert [(t["from"], t["to"], t["cause"]) for t in lines] == [
        ("healthy", "", "deregistered"),
        ("", "healthy", "registered"),
    ]
    assert [t["index"] for t in lines] == [2, 1]
    assert none == []


async def test_a_living_instance_is_shown_with_lease_and_drain() -> None:
    """All that decides about it, in one answer."""
    asked = Asked()
    asked.driver.register("a", "web", "h", 80)
    keys = ((ServiceName("web"), "h", 80),)
    asked.driver.apply(Drain(keys=keys, reason="disk", at_ms=T0_MS))
    shown = document(await api_of(asked).instance(get("/x", service_id="a")))

    assert shown["status"] == "draining"
    assert shown["cause"] == "drained: disk"
    assert shown["registrations"] == 1
    assert shown["check"] is None
    assert isinstance(shown["lease"], dict)
    assert shown["lease"]["ttl_seconds"] == 300.0
    assert shown["lease"]["expired"] is False
    assert isinstance(shown["drain"], dict)
    assert shown["drain"]["reason"] == "disk"


async def test_an_older_registration_is_shown_as_itself() -> None:
    """Who asks for an id wants its version, not that of the pod that came after."""
    asked = Asked()
    asked.driver.register("old", "web", "h", 80, tags=("v1",), at_ms=T0_MS)
    asked.driver.register("new", "web", "h", 80, tags=("v2",), at_ms=T0_MS + 9000)
    asked.driver.set_status("new", Status.UNHEALTHY, "seen so")
    api = api_of(asked)
    old, new = [
        document(await api.instance(get("/x", service_id=i))) for i in ("old", "new")
    ]

    assert (old["tags"], new["tags"]) == (["v1"], ["v2"])
    assert (old["generation"], new["generation"]) == (1 << 8, 2 << 8)
    assert old["registered_at"] == old["last_heartbeat"] == "2023-11-14T22:13:20Z"
    assert old["service_id"] == "old"
    shared = ("status", "cause", "since", "registrations")
    assert [old[field] for field in shared] == [new[field] for field in shared]


async def test_a_time_that_is_not_known_is_left_out() -> None:
    """As of an instance from a snapshot of schema 1: not 1970."""
    asked = Asked()
    asked.driver.register("a", "web", "h", 80, at_ms=0)
    api = api_of(asked)
    told = document(await api.why(get("/why?q=web")))

    assert "since" not in document(await api.instance(get("/x", service_id="a")))
    assert isinstance(told["instances"], list)
    assert "since" not in told["instances"][0]


async def test_one_that_is_gone_is_shown_with_its_end_and_others_are_unknown() -> None:
    """The id alone is enough to learn what became of it."""
    asked = Asked()
    asked.driver.register("a", "web", "h", 80)
    asked.driver.expire("a")
    api = api_of(asked)
    shown = document(await api.instance(get("/x", service_id="a")))

    assert shown["status"] == "gone"
    assert str(shown["cause"]).startswith("lease_expired")
    with pytest.raises(UnknownServiceId):
        await api.instance(get("/x", service_id="b"))


async def test_why_tells_findings_and_who_says_so() -> None:
    """The document that `registry why` merges."""
    asked = Asked()
    asked.driver.register("a", "billing", "h", 80)
    told = document(await api_of(asked).why(get("/why?q=biling")))

    assert told["matched"] == "nothing"
    assert told["nearest"] == ["billing"]
    assert isinstance(told["replica"], dict)
    assert told["replica"]["caught_up"] is True


@pytest.mark.parametrize(
    "path", ["/why", "/why?q=", "/why?q=a&q=b", "/why?q=" + "x" * 513]
)
async def test_a_question_is_one_and_bounded(path: str) -> None:
    """Anything else is refused with the rule."""
    with pytest.raises(InvalidField):
        await api_of(Asked()).why(get(path))


async def test_a_replica_that_has_not_caught_up_answers_only_if_allowed() -> None:
    """As with every other read; `registry why` allows it."""
    asked = Asked()
    asked.consensus.not_caught_up()
    api = api_of(asked)
    with pytest.raises(NotCaughtUp):
        await api.why(get("/why?q=a"))
    assert document(await api.why(get("/why?q=a&stale=1")))["matched"] == "nothing"
