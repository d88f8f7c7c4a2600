"""The configuration of one replica, as typed values: parsed, checked and complete.

Values only. ``config_table`` lists every setting once (file key, environment name,
parser); ``config_sources`` reads defaults < JSON file < environment; ``config_check``
has the rules that span settings and fills in what follows from others. The nesting
here is the nesting of the file, so a dotted name means the same everywhere. Defaults
live here and nowhere else.

Pure code never sees a Config: what it needs travels in commands or arguments.
"""

from typing import NamedTuple

import msgspec


class Address(NamedTuple):
    """A host (a name, an IPv4 or a bare IPv6 address) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Render as it is written in settings; IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


DENIED_NETWORKS = (
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::254/128",
    "100.100.100.200/32",
)
"""Link-local addresses, and where clouds keep their metadata: nobody's service."""


class HealthCheckConfig(msgspec.Struct, frozen=True):
    """How instances with a health endpoint are probed.

    ``allow`` and ``deny`` are networks as text, checked and in their shortest form; an
    empty ``allow`` allows all.
    """

    interval_seconds: float = 30.0
    timeout_seconds: float = 5.0
    failure_threshold: int = 3
    success_threshold: int = 1
    initial_status: str = "healthy"
    deregister_after_seconds: float = 3600.0
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = DENIED_NETWORKS
    tls_verify: bool = True
    tls_ca_file: str = ""


class RegistrationConfig(msgspec.Struct, frozen=True):
    """What registering does beyond the registration itself."""

    exclusive_address: str = "warn"


class LoadBalancingConfig(msgspec.Struct, frozen=True):
    """How an instance is picked when the client leaves it to us."""

    strategy: str = "round_robin"
    enable_circuit_breaker: bool = True


class ClusterSettings(msgspec.Struct, frozen=True):
    """Who the members are and how they talk. Without peers: a cluster of one.

    Invariant of a checked configuration: ``node_id`` and ``data_dir`` are not empty;
    ``peers`` is empty or holds ``node_id``; ``raft_bind`` is None exactly when there
    is no other member; key file and TLS files are never both given, and the three TLS
    files only together.
    """

    node_id: str = ""
    peers: dict[str, Address] = {}
    data_dir: str = ""
    raft_bind: Address | None = None
    advertise: str = ""
    raft_key_file: str = ""
    raft_tls_cert_file: str = ""
    raft_tls_key_file: str = ""
    raft_tls_ca_file: str = ""
    single: bool = False


class HanaConfig(msgspec.Struct, frozen=True):
    """Where logs and events are shipped to; off while ``odata_url`` is empty."""

    odata_url: str = ""
    username: str = ""
    password: str = ""
    password_file: str = ""

    def __repr__(self) -> str:
        """Hide the password: a Config ends up in tracebacks and logs."""
        hidden = "hidden" if self.password else ""
        return f"HanaConfig({self.odata_url!r}, {self.username!r}, <{hidden}>)"


class Config(msgspec.Struct, frozen=True):
    """Everything that one replica is told."""

    bind_address: Address = Address("0.0.0.0", 8100)
    log_level: str = "info"
    log_format: str = "auto"
    request_deadline_seconds: float = 5.0
    service_ttl_seconds: float = 300.0
    health_check: HealthCheckConfig = HealthCheckConfig()
    registration: RegistrationConfig = RegistrationConfig()
    load_balancing: LoadBalancingConfig = LoadBalancingConfig()
    cluster: ClusterSettings = ClusterSettings()
    hana: HanaConfig = HanaConfig()


class Loaded(msgspec.Struct, frozen=True):
    """A configuration, where each value came from, and what looked odd."""

    config: Config
    origins: dict[str, str]
    """Dotted name of every setting -> its source, for people."""
    warnings: tuple[str, ...] = ()


class ConfigMistakes(Exception):
    """The configuration cannot be used. Holds one message per mistake, all of them."""

    def __init__(self, mistakes: list[str], warnings: list[str] | None = None) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes
        self.warnings = warnings or []
