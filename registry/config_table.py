"""Every setting, once: file key, environment name, parser, meaning. A literal table.

Reading, `registry config show`, `registry config check` and the table in the README
all read it, so a setting that is not here does not exist. Defaults stand in
``registry.config``. The environment names of the first group are the seed's.
"""

import re
from dataclasses import dataclass

from registry.catalog.bounds import MAX_TTL_SECONDS, MIN_TTL_SECONDS
from registry.config import Address, Config
from registry.config_values import (
    Parser,
    address,
    count,
    networks,
    one_of,
    parse_advertise,
    parse_flag,
    parse_node_id,
    parse_peers,
    parse_secret,
    parse_text,
    parse_web_url,
    seconds,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``name`` is its dotted path in the file, and in Config."""

    name: str
    env: str
    """Empty: by file only."""
    parse: Parser
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "bind_address",
        "SERVICE_REGISTRY_BIND",
        address(least_port=0),
        "where HTTP is served; port 0 lets the system choose",
    ),
    Setting(
        "log_level",
        "SERVICE_REGISTRY_LOG_LEVEL",
        one_of("debug", "info", "warning", "error", also={"warn": "warning"}),
        "debug, info, warning or error",
    ),
    Setting(
        "log_format",
        "SERVICE_REGISTRY_LOG_FORMAT",
        one_of("auto", "json", "console"),
        "json, console, or auto: console on a terminal, else json",
    ),
    Setting(
        "request_deadline_seconds",
        "SERVICE_REGISTRY_REQUEST_DEADLINE",
        seconds(least=0.1, most=300),
        "how long a request may wait for the cluster, elections included",
    ),
    Setting(
        "service_ttl_seconds",
        "SERVICE_TTL",
        seconds(least=MIN_TTL_SECONDS, most=MAX_TTL_SECONDS, zero="never"),
        "how long a registration lives without a proof of life",
    ),
    Setting(
        "health_check.interval_seconds",
        "HEALTH_CHECK_INTERVAL",
        seconds(least=0.1, most=86_400),
        "time between two checks of an instance",
    ),
    Setting(
        "health_check.timeout_seconds",
        "HEALTH_CHECK_TIMEOUT",
        seconds(least=0.05, most=300),
        "how long a check may take",
    ),
    Setting(
        "health_check.failure_threshold",
        "HEALTH_CHECK_FAILURES",
        count(least=1, most=1000),
        "failures in a row before an instance is unhealthy",
    ),
    Setting(
        "health_check.success_threshold",
        "HEALTH_CHECK_SUCCESSES",
        count(least=1, most=1000),
        "successes in a row before an unhealthy instance is healthy again",
    ),
    Setting(
        "health_check.initial_status",
        "",
        one_of("healthy", "starting"),
        "status of a new instance; starting: not listed before its first success",
    ),
    Setting(
        "health_check.deregister_after_seconds",
        "",
        seconds(least=1, most=31_536_000, zero="never"),
        "how long an instance with a check stays known after its lease; 0: for good",
    ),
    Setting(
        "health_check.allow",
        "HEALTH_CHECK_ALLOW",
        networks(),
        "networks that may be checked, as 10.0.0.0/8,fd00::/8; empty: all",
    ),
    Setting(
        "health_check.deny",
        "HEALTH_CHECK_DENY",
        networks(or_none=True),
        "networks that are never checked, over allow; none: no such network",
    ),
    Setting(
        "health_check.tls_verify",
        "",
        parse_flag,
        "check the certificate of an https health endpoint",
    ),
    Setting(
        "health_check.tls_ca_file",
        "",
        parse_text,
        "authorities for those certificates; default: the system's",
    ),
    Setting(
        "registration.exclusive_address",
        "SERVICE_REGISTRY_EXCLUSIVE_ADDRESS",
        one_of("warn", "replace"),
        "an address registered under another name: warn, or replace the older entry",
    ),
    Setting(
        "load_balancing.strategy",
        "",
        one_of("round_robin", "weighted", "least_connections"),
        "round_robin, weighted or least_connections",
    ),
    Setting(
        "load_balancing.enable_circuit_breaker",
        "",
        parse_flag,
        "leave out instances whose calls fail",
    ),
    Setting(
        "cluster.node_id",
        "SERVICE_REGISTRY_NODE_ID",
        parse_node_id,
        "this replica's id among the peers; alone: registry",
    ),
    Setting(
        "cluster.peers",
        "SERVICE_REGISTRY_PEERS",
        parse_peers,
        "all members, itself included: a=host1:8101,b=host2:8101,c=host3:8101",
    ),
    Setting(
        "cluster.data_dir",
        "SERVICE_REGISTRY_DATA_DIR",
        parse_text,
        "where the log is kept; default: service-registry in the XDG state folder",
    ),
    Setting(
        "cluster.raft_bind",
        "SERVICE_REGISTRY_RAFT_BIND",
        address(),
        "where peers connect to; default: the port of its own peer entry",
    ),
    Setting(
        "cluster.advertise",
        "SERVICE_REGISTRY_ADVERTISE",
        parse_advertise,
        "its HTTP address for others; default: its peer host and HTTP port",
    ),
    Setting(
        "cluster.raft_key_file",
        "SERVICE_REGISTRY_RAFT_KEY_FILE",
        parse_text,
        "shared key of the members, made by registry keygen",
    ),
    Setting(
        "cluster.raft_tls_cert_file",
        "SERVICE_REGISTRY_RAFT_TLS_CERT_FILE",
        parse_text,
        "certificate of this replica, instead of a shared key",
    ),
    Setting(
        "cluster.raft_tls_key_file",
        "SERVICE_REGISTRY_RAFT_TLS_KEY_FILE",
        parse_text,
        "private key of that certificate",
    ),
    Setting(
        "cluster.raft_tls_ca_file",
        "SERVICE_REGISTRY_RAFT_TLS_CA_FILE",
        parse_text,
        "authority that signs the members' certificates",
    ),
    Setting(
        "cluster.single",
        "SERVICE_REGISTRY_SINGLE",
        parse_flag,
        "allow a cluster of one in Kubernetes",
    ),
    Setting(
        "hana.odata_url",
        "HANA_ODATA_URL",
        parse_web_url,
        "where logs are sent to in SAP HANA Cloud; empty: nowhere",
    ),
    Setting("hana.username", "HANA_USERNAME", parse_text, "user there"),
    Setting(
        "hana.password", "HANA_PASSWORD", parse_secret, "password there", secret=True
    ),
    Setting(
        "hana.password_file",
        "HANA_PASSWORD_FILE",
        parse_text,
        "file that holds the password, instead of the password",
    ),
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
BY_ENV: dict[str, Setting] = {s.env: s for s in SETTINGS if s.env}
SECTIONS: frozenset[str] = frozenset(
    s.name.partition(".")[0] for s in SETTINGS if "." in s.name
)

ENV_PREFIX = "SERVICE_REGISTRY_"
OTHER_ENV: frozenset[str] = frozenset({"SERVICE_REGISTRY_URL"})
"""Known names that are no setting of a replica (the CLI's target)."""

_SERVICE_LINK = re.compile(
    r"SERVICE_REGISTRY_((PORT|SERVICE_)"  # of a Service named service-registry
    r"|\w+_SERVICE_(HOST|PORT)|\w+_PORT_[0-9]+_(TCP|UDP|SCTP))"  # of service-registry-x
)


def is_service_link(name: str, value: str) -> bool:
    """True for what Kubernetes injects into a pod for each Service there is."""
    return bool(_SERVICE_LINK.match(name)) or (
        name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )


def value_of(config: Config, name: str) -> object:
    """Look up the setting ``name`` (dotted) in a configuration."""
    section, _, leaf = name.rpartition(".")
    holder: object = getattr(config, section) if section else config
    value: object = getattr(holder, leaf)
    return value


def default_of(name: str) -> object:
    """Look up the default of the setting ``name``."""
    return value_of(_DEFAULTS, name)


def render(value: object) -> object:
    """Render a value as the file would hold it (JSON types)."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return {key: str(where) for key, where in value.items()}
    if isinstance(value, Address):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


_DEFAULTS = Config()
