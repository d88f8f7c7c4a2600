"""grpc: asks `grpc.health.v1.Health/Check` for a service; SERVING passes.

The library (the extra [grpc]) is imported with the first probe. It is given one address
that was resolved, judged and just seen to accept a connection: its own resolver, its
proxies and its retries stay out, and its vague "unavailable" is left for what is
connected and no gRPC server. Each probe has a channel of its own.
"""

import asyncio
import importlib
from typing import Any

from registry.health.probes.causes import RESET, connect_failed, failed, timed_out
from registry.health.probes.kind import Tools
from registry.health.probes.tcp import reached
from registry.ports import ProbeResult, Target

METHOD = "/grpc.health.v1.Health/Check"
MAX_MESSAGE_BYTES = 64 * 1024
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)
_WORDS = {
    "UNIMPLEMENTED": "no grpc.health.v1 service",
    "NOT_FOUND": "unknown to grpc.health.v1",
    "UNAVAILABLE": "not gRPC, or closed",
    "RESOURCE_EXHAUSTED": "answer too large, or exhausted",
}


class GrpcProbe:
    """Asks for the status of the service that is the target's path."""

    def __init__(self, tools: Tools) -> None:
        self._resolver = tools.resolver
        self._imported = asyncio.Lock()
        self._grpc: Any = None
        self._messages: Any = None

    async def probe(self, target: Target) -> ProbeResult:
        """Pass if the answer is SERVING."""
        await self._import()
        addresses = await self._resolver.addresses(target.host)
        try:
            address = await reached(addresses, target.port, timeout_s=target.timeout_s)
        except OSError as error:
            return connect_failed(error)
        authority = target.host.strip("[]")
        if ":" in authority:
            authority = f"[{authority}]"
        # Else a connection that hangs outlives the probe: by 20 s.
        limit_ms = max(1, int(target.timeout_s * 1000))
        options = (
            *_OPTIONS,
            ("grpc.default_authority", f"{authority}:{target.port}"),
            ("grpc.initial_reconnect_backoff_ms", limit_ms),
            ("grpc.min_reconnect_backoff_ms", limit_ms),
        )
        async with self._grpc.aio.insecure_channel(
            _grpc_target(address, target.port), options=options
        ) as channel:
            check = channel.unary_unary(
                METHOD,
                request_serializer=self._messages.HealthCheckRequest.SerializeToString,
                response_deserializer=self._messages.HealthCheckResponse.FromString,
            )
            request = self._messages.HealthCheckRequest(service=target.path)
            try:
                answer = await check(request, timeout=target.timeout_s)
            except self._grpc.aio.AioRpcError as error:
                return self._failure(error, target.timeout_s)
        statuses = self._messages.HealthCheckResponse.ServingStatus
        name = statuses.Name(answer.status) if answer.status in (0, 1, 2, 3) else "?"
        if answer.status == statuses.SERVING:
            return ProbeResult(passed=True, cause=name)
        return failed(name)

    async def close(self) -> None:
        """Nothing is kept."""

    async def _import(self) -> None:
        async with self._imported:
            if self._grpc is None:
                load = importlib.import_module
                self._messages = await asyncio.to_thread(
                    load, "grpc_health.v1.health_pb2"
                )
                self._grpc = await asyncio.to_thread(load, "grpc")
                await asyncio.to_thread(load, "grpc.aio")

    def _failure(self, error: Any, timeout_s: float) -> ProbeResult:
        code = error.code().name
        if code == "DEADLINE_EXCEEDED":
            return timed_out(timeout_s)
        if code == "UNAVAILABLE" and "reset" in (error.details() or "").lower():
            return failed(RESET)
        return failed(_WORDS.get(code, code))


def _grpc_target(address: str, port: int) -> str:
    if ":" in address:
        return f"ipv6:%5B{address.replace('%', '%25')}%5D:{port}"
    return f"ipv4:{address}:{port}"
