"""The rules that span several settings, and the values that follow from others.

Each message names the settings by the names that the operator used or could use. The
refusals here are those of a cluster that would look alive and lose or leak data: an
even number of voters, an open Raft port, three silent singletons behind one name.
"""

import ipaddress
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.config import Address, ClusterSettings, Config
from registry.config_table import BY_NAME

LONE_NODE_ID = "registry"
MEMBER_COUNTS = (1, 3, 5)
_TLS = ("raft_tls_cert_file", "raft_tls_key_file", "raft_tls_ca_file")


def find_mistakes(
    config: Config,
    environ: Mapping[str, str],
    origins: Mapping[str, str],
    failed: AbstractSet[str] = frozenset(),
) -> list[str]:
    """Return every mistake that only several settings together make.

    Settings in ``failed`` were given but not understood, which has been said already:
    no rule may take their default for the operator's will.
    """
    mistakes: list[str] = []
    if "cluster.peers" not in failed:
        mistakes += _peer_mistakes(config, environ, origins, failed)
    if not any(name.startswith("cluster.raft_") for name in failed):
        mistakes += _open_port_mistakes(config.cluster)
        mistakes += _key_mistakes(config.cluster)
    if not any(name.startswith("hana.") for name in failed):
        mistakes += _hana_mistakes(config)
    return mistakes


def _peer_mistakes(
    config: Config,
    environ: Mapping[str, str],
    origins: Mapping[str, str],
    failed: AbstractSet[str],
) -> list[str]:
    if config.cluster.peers:
        mistakes = _member_mistakes(config.cluster, origins)
        if "cluster.node_id" not in failed:
            mistakes += _node_id_mistakes(config.cluster, origins)
        return mistakes + _address_mistakes(config, origins, failed)
    if environ.get("KUBERNETES_SERVICE_HOST") and not config.cluster.single:
        return [
            "this runs in Kubernetes without SERVICE_REGISTRY_PEERS: each pod would"
            " keep a catalog of its own. Use the manifests in k8s/, or set"
            " SERVICE_REGISTRY_SINGLE=1 if one replica is all you want"
        ]
    alone = config.cluster.single or "cluster.single" in failed
    if config.cluster.node_id and not alone:
        return [
            f"{_named('cluster.node_id', origins)} = {config.cluster.node_id!r} is"
            " given without SERVICE_REGISTRY_PEERS: it would keep a catalog of its"
            " own. List the members, or set SERVICE_REGISTRY_SINGLE=1 if one replica"
            " is all you want"
        ]
    return []


def _hana_mistakes(config: Config) -> list[str]:
    hana = config.hana
    if hana.odata_url and not (hana.username and (hana.password or hana.password_file)):
        return [
            "HANA_ODATA_URL is given, so HANA_USERNAME and HANA_PASSWORD"
            " (or HANA_PASSWORD_FILE) are needed"
        ]
    return []


def _node_id_mistakes(
    cluster: ClusterSettings, origins: Mapping[str, str]
) -> list[str]:
    ids = ", ".join(cluster.peers)
    if not cluster.node_id:
        return [
            f"SERVICE_REGISTRY_NODE_ID is missing: which of the peers ({ids}) is this?"
        ]
    if cluster.node_id not in cluster.peers:
        return [
            f"{_named('cluster.node_id', origins)} = {cluster.node_id!r}"
            f" is none of the peers ({ids})"
        ]
    return []


def _member_mistakes(cluster: ClusterSettings, origins: Mapping[str, str]) -> list[str]:
    mistakes: list[str] = []
    members = len(cluster.peers)
    if members not in MEMBER_COUNTS:
        reason = (
            f"an even number survives no more failures than {members - 1} would"
            if members % 2 == 0
            else "more than 5 only slow each write"
        )
        mistakes.append(
            f"{_named('cluster.peers', origins)} lists {members} members;"
            f" it must be 1, 3 or 5: {reason}"
        )
    if cluster.single and members > 1:
        mistakes.append(
            "SERVICE_REGISTRY_SINGLE is set, and SERVICE_REGISTRY_PEERS lists"
            f" {members} members: which one is meant?"
        )
    return mistakes


def _address_mistakes(
    config: Config, origins: Mapping[str, str], failed: AbstractSet[str]
) -> list[str]:
    cluster = config.cluster
    mistakes: list[str] = []
    seen: dict[Address, str] = {}
    for node_id, where in cluster.peers.items():
        place = _place(where)
        if place in seen:
            mistakes.append(
                f"{_named('cluster.peers', origins)}: {seen[place]} and {node_id}"
                f" have the same address {where}"
            )
        seen[place] = node_id
    if "bind_address" in failed:
        return mistakes
    http = config.bind_address
    raft = _raft_bind(cluster)
    if raft is not None and raft.port == http.port:
        mistakes.append(
            f"HTTP ({http}) and Raft ({raft}) cannot share port {raft.port}"
        )
    derived = not cluster.advertise and "cluster.advertise" not in failed
    if len(cluster.peers) > 1 and http.port == 0 and derived:
        mistakes.append(
            f"{_named('bind_address', origins)} = '{http}' leaves the port to the"
            " system, so the other members cannot be told it: name a port, or set"
            " SERVICE_REGISTRY_ADVERTISE"
        )
    return mistakes


def _place(where: Address) -> Address:
    """Return one spelling for all those of the same address."""
    host = where.host.lower().rstrip(".")
    with suppress(ValueError):
        ip = ipaddress.ip_address(host)
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        host = str(mapped or ip)
    # Other addresses of 127.0.0.0/8 are others: members may share a port there.
    return Address("localhost" if host in ("127.0.0.1", "::1") else host, where.port)


def _open_port_mistakes(cluster: ClusterSettings) -> list[str]:
    """Without key or TLS whoever reaches the Raft port could write the log."""
    if len(cluster.peers) <= 1 or cluster.raft_key_file:
        return []
    if any(getattr(cluster, name) for name in _TLS):
        return []
    mend = (
        "make a key with `registry keygen`, give it to every member, and set"
        " SERVICE_REGISTRY_RAFT_KEY_FILE (or the SERVICE_REGISTRY_RAFT_TLS_* files)"
    )
    beyond = [k for k, where in cluster.peers.items() if not is_loopback(where.host)]
    if beyond:
        return [
            f"peers beyond this machine ({', '.join(beyond)}) need a key or TLS: {mend}"
        ]
    bind = _raft_bind(cluster)
    if bind is not None and not is_loopback(bind.host):
        return [
            f"SERVICE_REGISTRY_RAFT_BIND {bind} can be reached from beyond this"
            f" machine and needs a key or TLS: {mend}"
        ]
    return []


def _key_mistakes(cluster: ClusterSettings) -> list[str]:
    given = [name for name in _TLS if getattr(cluster, name)]
    mistakes: list[str] = []
    if given and cluster.raft_key_file:
        mistakes.append(
            "SERVICE_REGISTRY_RAFT_KEY_FILE and SERVICE_REGISTRY_RAFT_TLS_* are both"
            " given: keep one, the same on every member"
        )
    if given and len(given) < len(_TLS):
        missing = [BY_NAME[f"cluster.{n}"].env for n in _TLS if n not in given]
        mistakes.append(f"TLS between members also needs {' and '.join(missing)}")
    return mistakes


def complete(
    config: Config, environ: Mapping[str, str], origins: dict[str, str]
) -> Config:
    """Fill in what follows from other settings, and note so in ``origins``.

    Raises ValueError if there is no place for the data.
    """
    cluster = config.cluster
    derived: dict[str, object] = {}
    if not cluster.node_id:
        derived["node_id"] = LONE_NODE_ID
    if not cluster.data_dir:
        derived["data_dir"] = str(state_directory(environ))
    raft_bind = _raft_bind(cluster)
    if raft_bind != cluster.raft_bind:
        derived["raft_bind"] = raft_bind
    if not cluster.advertise:
        derived["advertise"] = f"http://{_own_http_address(config)}"
    for name in derived:
        origins[f"cluster.{name}"] = "derived"
    return msgspec.structs.replace(
        config, cluster=msgspec.structs.replace(cluster, **derived)
    )


def with_http_port(config: Config, port: int) -> Config:
    """Return a completed configuration with the port that the system chose for 0."""
    if config.bind_address.port != 0:
        return config
    advertise = config.cluster.advertise
    # No advertise that was given has port 0: its parser sees to it.
    if advertise.endswith(":0"):
        advertise = f"{advertise.removesuffix('0')}{port}"
    return msgspec.structs.replace(
        config,
        bind_address=Address(config.bind_address.host, port),
        cluster=msgspec.structs.replace(config.cluster, advertise=advertise),
    )


def state_directory(environ: Mapping[str, str]) -> Path:
    """Return our folder in the XDG state folder. ValueError if there is no home."""
    state = environ.get("XDG_STATE_HOME", "")
    if state and Path(state).is_absolute():
        return Path(state) / "service-registry"
    home = environ.get("HOME", "")
    if not home or not Path(home).is_absolute():
        raise ValueError(
            "SERVICE_REGISTRY_DATA_DIR is needed: there is no HOME to keep data in"
        )
    return Path(home) / ".local" / "state" / "service-registry"


def is_loopback(host: str) -> bool:
    """True only for what cannot leave this machine; names other than localhost may."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _raft_bind(cluster: ClusterSettings) -> Address | None:
    own = cluster.peers.get(cluster.node_id)
    if own is None or len(cluster.peers) == 1:
        return None
    if cluster.raft_bind is not None:
        return cluster.raft_bind
    if all(is_loopback(where.host) for where in cluster.peers.values()):
        return own
    return Address("::" if ":" in own.host else "0.0.0.0", own.port)


def _own_http_address(config: Config) -> Address:
    host, port = config.bind_address
    if host not in ("0.0.0.0", "::"):
        return Address(host, port)
    own = config.cluster.peers.get(config.cluster.node_id)
    return Address(own.host if own else "localhost", port)


def _named(name: str, origins: Mapping[str, str]) -> str:
    return f"{name} ({origins.get(name, 'default')})"
