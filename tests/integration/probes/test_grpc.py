"""The contract, for grpc.health.v1; and what is no such thing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.integration.probes import servers
from tests.integration.probes.contract import ProbeContract

STATUS = health_pb2.HealthCheckResponse


@asynccontextmanager
async def grpc_serving(**statuses: int) -> AsyncIterator[int]:
    """Serve health of services by name; all of it is well."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    for service, status in statuses.items():
        await servicer.set(service, status)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


class TestGrpc(ProbeContract):
    """A server that has the health service."""

    kind = "grpc"

    @asynccontextmanager
    async def healthy(self) -> AsyncIterator[int]:
        """The empty name is the server as a whole."""
        async with grpc_serving() as port:
            yield port


async def test_only_serving_passes() -> None:
    """A name asks for one service; the status is the cause."""
    statuses = {"pay": STATUS.SERVING, "mail": STATUS.NOT_SERVING}
    async with grpc_serving(**statuses) as port, servers.prober() as prober:
        results = [
            await prober.probe(servers.target(port, "grpc", path=service))
            for service in ("pay", "mail", "none")
        ]

    assert [r.passed for r in results] == [True, False, False]
    assert [r.cause for r in results] == [
        "SERVING",
        "NOT_SERVING",
        "unknown to grpc.health.v1",
    ]


async def test_a_server_without_the_service_is_said_so() -> None:
    """It speaks gRPC, so it is no dead one."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with servers.prober() as prober:
        result = await prober.probe(servers.target(port, "grpc"))
    await server.stop(None)

    assert result.cause == "no grpc.health.v1 service"


async def test_what_speaks_something_else_fails_in_time() -> None:
    """Garbage and silence, both within the time-out."""

    async def silent(reader: servers.Reader, writer: servers.Writer) -> None:
        await reader.read()

    async with (
        servers.answering(b"nonsense\r\n\r\n") as garbage,
        servers.serving(silent) as hanging,
        servers.prober() as prober,
    ):
        results = [
            await prober.probe(servers.target(s.port, "grpc", timeout_s=0.5))
            for s in (garbage, hanging)
        ]

    assert results[0].cause in ("not gRPC, or closed", "timed out after 0.5 s")
    assert results[1].cause == "timed out after 0.5 s"


async def test_a_connection_that_hangs_ends_with_its_probe() -> None:
    """Else a thousand hanging targets hold a thousand descriptors for 20 s."""
    is_over = asyncio.Event()

    async def hang(reader: servers.Reader, writer: servers.Writer) -> None:
        if await reader.read():
            is_over.set()

    async with servers.serving(hang) as running, servers.prober() as prober:
        await prober.probe(servers.target(running.port, "grpc", timeout_s=0.3))

        async with asyncio.timeout(5.0):
            await is_over.wait()


async def test_a_kind_that_is_not_here_says_nothing_of_its_target() -> None:
    """The library may be missing on this replica alone."""
    async with servers.prober() as prober:
        result = await prober.probe(servers.target(1, "smtp"))

    assert result.cause == "this kind cannot be checked here"
    assert result.is_ours
