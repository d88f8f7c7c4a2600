"""The seed's Python client works unchanged."""

import asyncio

from tests.support.api_harness import running
from tests.support.seed_client import seed_client


async def test_the_seeds_client_goes_through_its_whole_life() -> None:
    """The contract of the seed document, to the letter."""
    async with running() as harness:
        client = seed_client(harness.url)

        service_id = await asyncio.to_thread(
            client.register, "my-service", "my-service", 8500
        )
        await asyncio.to_thread(client.heartbeat)
        found = await asyncio.to_thread(client.discover, "my-service")
        await asyncio.to_thread(client.deregister)
        left = await asyncio.to_thread(client.discover, "my-service")

    assert list(found[0])[:5] == [
        "service_id",
        "host",
        "port",
        "status",
        "last_heartbeat",
    ]
    assert found[0]["service_id"] == service_id
    assert found[0]["status"] == "healthy"
    assert left == []


async def test_the_seeds_client_waits_out_an_election() -> None:
    """It breaks on a 503 (KeyError: 'service_id'), so the request waits instead."""
    async with running() as harness:
        harness.consensus.not_caught_up()
        client = seed_client(harness.url)
        registering = asyncio.create_task(
            asyncio.to_thread(client.register, "web", "web", 80)
        )
        while not harness.consensus.proposed:
            await asyncio.sleep(0.001)

        await harness.consensus.elect()

        assert await registering == client.service_id
