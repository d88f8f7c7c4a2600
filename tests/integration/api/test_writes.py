"""Writes over HTTP: shapes, headers, and each failure as its own code."""

import asyncio

import pytest

from tests.support.api_harness import Harness, running


async def test_register_answers_as_the_seed_says() -> None:
    """200 (not 201) with exactly the two fields, and the index for read-your-writes."""
    async with running() as harness:
        answer = await harness.register()

    assert answer.status == 200
    assert answer.json == {"service_id": "id-1", "status": "registered"}
    assert answer.headers["X-Registry-Index"] == "1"
    assert answer.headers["X-Registry-Node"] == "a"


async def test_the_seeds_example_body_is_taken_with_metadata() -> None:
    """Whatever is registered comes back in discovery."""
    body = {
        "name": "my-service",
        "host": "my-service",
        "port": 8500,
        "health_endpoint": "/health",
        "metadata": {"version": "1.0.0", "region": "us-east-1"},
        "service_id": "mine",
        "tags": ["blue"],
        "zone": "eu-1",
        "weight": 5,
        "version": "2.1",
        "ttl_seconds": 60,
        "field of a later version": {},
    }
    async with running() as harness:
        await harness.register(body)
        found = await harness.get("/services/my-service")

    instances = found.json["instances"]
    assert isinstance(instances, list)
    for field in ("metadata", "tags", "zone", "weight", "version", "health_endpoint"):
        assert instances[0][field] == body[field]
    assert instances[0]["generation"] == 256


async def test_heartbeat_and_deregister_answer_with_the_id() -> None:
    """The shapes of ARCHITECTURE section 7."""
    async with running() as harness:
        await harness.register()
        beat = await harness.request("POST", "/heartbeat/id-1")
        gone = await harness.request("DELETE", "/deregister/id-1")

    assert beat.json == {"service_id": "id-1", "status": "ok"}
    assert gone.json == {"service_id": "id-1", "status": "deregistered"}
    assert [a.headers["X-Registry-Index"] for a in (beat, gone)] == ["2", "3"]


async def test_an_unhealthy_heartbeat_hides_the_instance() -> None:
    """For services that cannot be probed; the note shows why."""
    async with running() as harness:
        await harness.register()
        report = {"status": "unhealthy", "note": "queue full"}
        beat = await harness.request("POST", "/heartbeat/id-1", body=report)
        listed = await harness.get("/services/web")
        all_of_them = await harness.get("/services/web?status=all")

    assert beat.status == 200
    assert listed.json["instances"] == []
    assert b'"status":"unhealthy"' in all_of_them.body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/heartbeat/nobody"),
        ("DELETE", "/deregister/nobody"),
        ("POST", "/heartbeat/%2e%2e%2f"),
        ("DELETE", "/deregister/" + "x" * 500),
    ],
)
async def test_an_unknown_id_is_404_with_its_own_code(method: str, path: str) -> None:
    """Programs tell it from a wrong URL by the code."""
    async with running() as harness:
        answer = await harness.request(method, path)

    assert answer.status == 404
    assert answer.code == "unknown_service_id"


async def test_an_id_of_another_service_is_409() -> None:
    """The owner of the id keeps it."""
    async with running() as harness:
        for name, status in (("web", 200), ("api", 409)):
            body = {"name": name, "host": "h", "port": 1, "service_id": "mine"}
            answer = await harness.register(body)
            assert answer.status == status
        assert answer.code == "service_id_taken"


async def test_without_a_leader_a_write_is_503_after_its_deadline() -> None:
    """I10; `Retry-After` promises that a retry is safe and may help."""
    async with running(request_deadline_s=0.05) as harness:
        harness.consensus.silent_leader(9.0)
        answer = await harness.register()

    assert answer.status == 503
    assert answer.code == "no_leader"
    assert answer.headers["Retry-After"] == "1"


async def test_an_unknown_outcome_is_504_without_retry_after() -> None:
    """A blind retry of a register without an id could register twice."""
    async with running() as harness:
        harness.consensus.loses_answers = True
        answer = await harness.register()

    assert answer.status == 504
    assert answer.code == "outcome_unknown"
    assert "Retry-After" not in answer.headers


async def test_a_client_that_hangs_up_has_still_registered() -> None:
    """The proposal goes on alone, so that its outcome is one or the other."""
    async with running() as harness:
        harness.consensus.hold()
        request = asyncio.create_task(harness.register())
        await _proposed(harness)
        request.cancel()
        harness.consensus.release()
        while harness.cases.machine.catalog.registrations == 0:
            await asyncio.sleep(0.001)

        assert (await harness.get("/services/web")).json["instances"] != []


async def test_stopping_answers_what_is_under_way_and_accepts_no_more() -> None:
    """A rolling restart loses no request."""
    async with running() as harness:
        harness.consensus.hold()
        request = asyncio.create_task(harness.register())
        await _proposed(harness)

        stopping = asyncio.create_task(harness.server.stop())
        await asyncio.sleep(0)
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", harness.port)
        harness.consensus.release()
        answer = await request
        await stopping

    assert answer.status == 200


async def _proposed(harness: Harness) -> None:
    while not harness.consensus.proposed:
        await asyncio.sleep(0.001)
