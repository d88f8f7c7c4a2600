"""Drains over HTTP, and what ``?status=all`` tells of each status."""

import asyncio

import pytest

from registry.catalog.machine import CatalogMachine
from tests.support.api_harness import Harness, running


async def _only(harness: Harness, query: str = "?status=all") -> dict[str, object]:
    answer = await harness.get(f"/services/web{query}")
    instances = answer.json["instances"]
    assert isinstance(instances, list)
    (instance,) = instances
    assert isinstance(instance, dict)
    return instance


async def test_a_drain_leaves_the_list_and_shows_why_in_the_whole_one() -> None:
    """Out of the list at once, still known, with the reason and the time limit."""
    async with running() as harness:
        await harness.register()
        before = await _only(harness)
        drained = await harness.request(
            "POST", "/instances/id-1/drain", body={"reason": "rack", "seconds": 60}
        )
        listed = await harness.get("/services/web")
        shown = await _only(harness, "?status=draining")
        undrained = await harness.request("POST", "/instances/id-1/undrain")
        after = await _only(harness)
        brief = await _only(harness, "")

    assert (before["cause"], "drain" in before) == ("registered", False)
    assert drained.json == {"service_id": "id-1", "status": "draining"}
    assert drained.headers["X-Registry-Index"] == "2"
    assert listed.json["instances"] == []
    assert (shown["status"], shown["cause"]) == ("draining", "drained: rack")
    drain = shown["drain"]
    assert isinstance(drain, dict)
    assert (drain["reason"], drain["limit_seconds"]) == ("rack", 60.0)
    assert drain["since"] == shown["since"]
    assert undrained.json == {"service_id": "id-1", "status": "undrained"}
    assert (after["status"], after["cause"]) == ("healthy", "registered")
    assert not {"cause", "since", "drain"} & brief.keys()


async def test_a_host_is_drained_and_undrained_whole() -> None:
    """Before a machine is serviced nobody should have to look for its instances."""
    async with running() as harness:
        for port in (1, 2):
            await harness.register({"name": "web", "host": "10.0.0.1", "port": port})
        await harness.register({"name": "web", "host": "10.0.0.2", "port": 1})
        drained = await harness.request("POST", "/hosts/10.0.0.1/drain")
        undrained = await harness.request("POST", "/hosts/10.0.0.1/undrain")

    assert drained.json == {"host": "10.0.0.1", "drained": 2}
    assert undrained.json == {"host": "10.0.0.1", "undrained": 2}
    assert "X-Registry-Index" in undrained.headers


async def test_a_host_is_the_same_in_whatever_spelling() -> None:
    """Names know no case, IPv6 addresses need no brackets; shown as registered."""
    async with running() as harness:
        for host in ("Web-1", "[::1]"):
            await harness.register({"name": "web", "host": host, "port": 80})
        done = [
            (await harness.request("POST", f"/hosts/{host}/{verb}")).json
            for host in ("web-1", "::1")
            for verb in ("drain", "undrain")
        ]

    assert [d.get("drained", d.get("undrained")) for d in done] == [1] * 4
    assert done[0]["host"] == "web-1"


EVERY_PATH = (
    "/instances/id-1/drain",
    "/instances/id-1/undrain",
    "/hosts/10.0.0.1/drain",
    "/hosts/10.0.0.1/undrain",
)


@pytest.mark.parametrize("path", EVERY_PATH)
async def test_what_was_registered_elsewhere_just_now_is_found(path: str) -> None:
    """A replica behind must not answer 404, or that nothing was drained."""
    async with running() as harness:
        await harness.register()
        if path.endswith("undrain"):
            await harness.request("POST", "/instances/id-1/drain")
        behind = harness.cases.machine
        chunks = list(behind.snapshot())
        for _ in behind.restore(iter(CatalogMachine().snapshot())):
            pass
        harness.consensus.has_leader = False  # The barrier waits for the log.
        asked = asyncio.create_task(harness.request("POST", path))
        await asyncio.sleep(0.05)
        for _ in behind.restore(iter(chunks)):
            pass
        await harness.consensus.elect()
        answer = await asked

    assert answer.status == 200
    assert answer.json.get("drained", answer.json.get("undrained", 1)) == 1


@pytest.mark.parametrize("path", EVERY_PATH)
async def test_a_replica_that_cannot_know_says_so_at_the_deadline(path: str) -> None:
    """Whether its leader is silent or its disk is still being read: no 404, no 0."""
    async with running(request_deadline_s=0.1) as harness:
        harness.consensus.silent_leader(30.0)
        silent = await harness.request("POST", path)
        harness.consensus.not_recovered()
        starting = await harness.request("POST", path)

    assert [silent.status, starting.status] == [503, 503]
    assert silent.code == starting.code == "no_leader"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/instances/nobody/drain", None, 404, "unknown_service_id"),
        ("/instances/id-1/undrain", None, 409, "not_drained"),
        ("/instances/id-1/drain", {"seconds": 0.5}, 400, "invalid_field"),
        ("/instances/id-1/drain", {"seconds": True}, 400, "invalid_field"),
        ("/instances/id-1/drain", {"reason": "x" * 201}, 400, "invalid_field"),
        ("/hosts/no%20host/drain", None, 400, "invalid_field"),
    ],
)
async def test_each_refusal_has_its_code(
    path: str, body: object, status: int, code: str
) -> None:
    """Programs branch on it."""
    async with running() as harness:
        await harness.register()
        answer = await harness.request("POST", path, body=body)

    assert (answer.status, answer.code) == (status, code)


async def test_a_check_is_kept_and_shown_as_it_was_asked_for() -> None:
    """What follows the registry's settings is left out; a path is filled in."""
    web = {"name": "web", "host": "10.0.0.1", "port": 80}
    async with running() as harness:
        await harness.register({**web, "check": {"kind": "tcp", "failures": 2}})
        tcp = await _only(harness, "")
        body = {**web, "service_id": "id-1", "check": {"expected_status": 204}}
        await harness.register(body)
        http = await _only(harness, "")

    assert tcp["check"] == {"kind": "tcp", "failures": 2}
    assert http["check"] == {"kind": "http", "path": "/health", "expected_status": 204}
