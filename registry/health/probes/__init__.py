"""The kinds of health checks, a literal table; a new kind is one file and one line."""

from registry.health.probes.grpc import GrpcProbe
from registry.health.probes.http import HttpProbe
from registry.health.probes.kind import Kind
from registry.health.probes.tcp import TcpProbe

PROBES: dict[str, Kind] = {
    "http": Kind(HttpProbe),
    "tcp": Kind(TcpProbe),
    "grpc": Kind(GrpcProbe, needs=("grpc", "grpc_health")),
}

KINDS: tuple[str, ...] = tuple(PROBES)
