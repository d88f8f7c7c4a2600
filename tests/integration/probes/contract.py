"""What holds for a probe of every kind, whatever it speaks."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager

from tests.integration.probes import servers
from tests.integration.probes.names import NameServer


class ProbeContract:
    """Subclassed once per kind."""

    kind: str

    def healthy(self) -> AbstractAsyncContextManager[int]:
        """Return a context that serves what passes, on a port."""
        raise NotImplementedError

    async def test_a_healthy_service_passes_again_and_again(self) -> None:
        """With a cause that is not empty."""
        async with self.healthy() as port, servers.prober() as prober:
            results = [
                await prober.probe(servers.target(port, self.kind)) for _ in range(3)
            ]

        assert all(result.passed and result.cause for result in results), results

    async def test_a_name_of_the_hosts_file_is_found(self) -> None:
        """Here localhost, of which perhaps one address only is served."""
        async with self.healthy() as port, servers.prober() as prober:
            result = await prober.probe(
                servers.target(port, self.kind, host="localhost")
            )

        assert result.passed, result

    async def test_refused_is_told_at_once(self) -> None:
        """So the next probe follows soon."""
        async with servers.prober() as prober:
            result = await prober.probe(
                servers.target(servers.closed_port(), self.kind)
            )

        assert (result.passed, result.cause) == (False, "connect refused")
        assert result.is_unreachable

    async def test_a_denied_address_is_not_connected_to(self) -> None:
        """Neither as a literal nor behind a name."""

        async def fail(reader: servers.Reader, writer: servers.Writer) -> None:
            writer.close()

        deny = ("127.0.0.0/8", "::1/128")
        async with servers.serving(fail) as running, servers.prober(deny=deny) as p:
            hosts = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0")
            results = [
                await p.probe(servers.target(running.port, self.kind, host=host))
                for host in hosts
            ]

            assert running.connections == 0
        assert [r.cause.partition(":")[0] for r in results] == ["address denied"] * 4
        assert results[0].cause == "address denied: 127.0.0.0/8"

    async def test_an_unknown_name_is_said_so(self) -> None:
        """As the name server says it."""
        async with NameServer() as names, servers.prober(nameservers=names.at) as p:
            result = await p.probe(servers.target(1, self.kind, host="gone.example"))

        assert (result.passed, result.cause) == (False, "name not found")

    async def test_a_name_is_connected_to_where_it_was_resolved(self) -> None:
        """The one address that was looked at."""
        async with (
            self.healthy() as port,
            NameServer({"web_1.example": "127.0.0.1"}) as names,
            servers.prober(nameservers=names.at) as prober,
        ):
            result = await prober.probe(
                servers.target(port, self.kind, host="web_1.example")
            )

        assert result.passed, result

    async def test_a_dead_name_server_ends_at_the_time_out(self) -> None:
        """And has words of its own, as the service is not at fault."""
        async with (
            NameServer(is_silent=True) as names,
            servers.prober(nameservers=names.at) as prober,
        ):
            begun_s = time.monotonic()
            result = await prober.probe(
                servers.target(1, self.kind, host="web.example", timeout_s=0.3)
            )

            assert time.monotonic() - begun_s < 1.5
        assert result.cause == "name server does not answer"

    async def test_whoever_ends_it_ends_it(self) -> None:
        """A cancelled probe is no result."""
        async with (
            NameServer(is_silent=True) as names,
            servers.prober(nameservers=names.at) as prober,
        ):
            probe = asyncio.create_task(
                prober.probe(servers.target(1, self.kind, host="web.example"))
            )
            await asyncio.sleep(0.05)
            probe.cancel()
            await asyncio.wait((probe,))

        assert probe.cancelled()
