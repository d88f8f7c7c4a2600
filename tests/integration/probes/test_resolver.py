"""Names: looked up once at a time, remembered, and never in another check's way."""

import asyncio
import time

import pytest

from registry.health.networks import NetworkRules
from registry.health.probes.causes import NotReached
from registry.health.probes.resolver import LEAST_KEPT_S, STALE_KEPT_S, Resolver
from tests.integration.probes import servers
from tests.integration.probes.names import NameServer
from tests.support.fake_clock import FakeClock

OPEN = NetworkRules(allow=(), deny=())


async def test_one_look_up_serves_all_who_ask() -> None:
    """At the same time, and for as long as the answer is good."""
    clock = FakeClock()
    async with NameServer({"web.example": "127.0.0.1"}) as names:
        found = Resolver(OPEN, nameservers=names.at, now_s=clock.now_s)
        answers = await asyncio.gather(
            *(found.addresses("web.example") for _ in range(100))
        )
        clock.advance(59.0)
        await found.addresses("WEB.example.")

        assert set(answers) == {("127.0.0.1",)}
        assert names.asked_for("web.example") == 1
        await found.close()


async def test_rules_are_asked_at_every_use() -> None:
    """A name that points elsewhere later is refused then."""
    async with NameServer({"web.example": "169.254.169.254"}) as names:
        rules = NetworkRules(allow=(), deny=("169.254.0.0/16",))
        found = Resolver(rules, nameservers=names.at)
        for _ in range(2):
            with pytest.raises(NotReached, match=r"address denied: 169\.254\.0\.0/16"):
                await found.addresses("web.example")
        await found.close()


async def test_an_old_answer_stands_in_for_a_silent_name_server() -> None:
    """Else every service known by name would turn unhealthy with it."""
    clock = FakeClock()
    async with NameServer({"web.example": "127.0.0.1"}) as names:
        names.ttl_s = 0
        found = Resolver(OPEN, nameservers=names.at, now_s=clock.now_s)
        await found.addresses("web.example")
        names.is_silent = True
        clock.advance(LEAST_KEPT_S + 1.0)

        assert await found.addresses("web.example") == ("127.0.0.1",)
        await found.close()


async def test_a_check_with_an_old_answer_is_not_held_up_by_its_name() -> None:
    """What it meets at that address is the service's own doing, and said so."""
    clock = FakeClock()
    async with NameServer({"web.example": "127.0.0.1"}) as names:
        names.ttl_s = 0
        found = Resolver(OPEN, nameservers=names.at, now_s=clock.now_s)
        await found.addresses("web.example")
        names.is_silent = True
        clock.advance(LEAST_KEPT_S + 1.0)
        waiting = asyncio.create_task(found.addresses("new.example"))
        await found.addresses("web.example")

        assert not found.holds_up("web.example")
        assert found.holds_up("NEW.example.")
        clock.advance(STALE_KEPT_S)
        assert found.holds_up("web.example")
        await found.close()
        with pytest.raises(NotReached):
            await waiting


async def test_what_is_remembered_is_bounded() -> None:
    """Names come from whoever registers."""
    table = {f"n{i}.example": "127.0.0.1" for i in range(5)}
    async with NameServer(table) as names:
        names.ttl_s = 0  # c-ares remembers for the time to live as well
        found = Resolver(OPEN, nameservers=names.at, max_names=3)
        for name in (*table, "n4.example", "n0.example"):
            await found.addresses(name)

        assert [names.asked_for(f"n{i}.example") for i in range(5)] == [2, 1, 1, 1, 1]
        await found.close()


async def test_a_thousand_names_on_a_dead_name_server_delay_no_other_check() -> None:
    """A literal address and a remembered name answer while all of them wait."""
    async with (
        servers.answering(servers.OK) as web,
        NameServer({"web.example": "127.0.0.1"}) as names,
        servers.prober(nameservers=names.at) as prober,
    ):
        await prober.probe(servers.target(web.port, host="web.example"))
        names.is_silent = True
        lost = [
            asyncio.create_task(
                prober.probe(servers.target(1, host=f"n{i}.example", timeout_s=1.5))
            )
            for i in range(1000)
        ]
        await asyncio.sleep(0.3)
        took_s = []
        for host in ("127.0.0.1", "web.example", "localhost"):
            begun_s = time.monotonic()
            result = await prober.probe(servers.target(web.port, host=host))
            took_s.append(time.monotonic() - begun_s)
            assert result.passed, result
        causes = {task.cause for task in await asyncio.gather(*lost)}

    assert max(took_s) < 0.5, took_s
    assert causes == {"name server does not answer"}
