"""Parsers of single settings: text of the environment or a JSON value -> a typed value.

Each raises ValueError with a message that completes "<name> = <value>: ..."; several
mistakes are several arguments of it. One parser serves both sources, so that a setting
means the same in either. Pure.
"""

import ipaddress
import math
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from registry.config import Address
from registry.health.networks import parse_network

Parser = Callable[[object], object]

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")
_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)?")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
MAX_TEXT_CHARS = 4096
MAX_PEERS = 64
"""Read at most this many; how many make sense is config_check's to say."""
MAX_NETWORKS = 256
"""Each connection of a check is held against all of them."""


def parse_text(value: object) -> str:
    """Any single line of text."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    text = value.strip()
    if len(text) > MAX_TEXT_CHARS:
        raise ValueError(f"is longer than {MAX_TEXT_CHARS} characters")
    if _UNFIT.search(text):
        raise ValueError("holds control characters, or bytes that are no UTF-8")
    return text


def parse_secret(value: object) -> str:
    """Text taken as it stands: a password may begin or end with a space."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"is longer than {MAX_TEXT_CHARS} characters")
    return value


def parse_flag(value: object) -> bool:
    """true or false, also as 1/0, yes/no, on/off."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise ValueError("must be true or false (also 1/0, yes/no, on/off)")


def one_of(*choices: str, also: dict[str, str] | None = None) -> Parser:
    """One of a few words, in any case; ``also`` maps other spellings to them."""

    def parse(value: object) -> str:
        word = value.strip().lower() if isinstance(value, str) else ""
        word = (also or {}).get(word, word)
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return parse


def seconds(*, least: float, most: float, zero: str = "") -> Parser:
    """Build a parser of durations; ``zero`` says what 0 means, if it is allowed."""
    or_zero = f", or 0 ({zero})" if zero else ""
    wanted = (
        f"must be {least:.10g} to {most:.10g} seconds{or_zero}, as 30, 1.5, 500ms or 5m"
    )

    def parse(value: object) -> float:
        if isinstance(value, str):
            match = _DURATION.fullmatch(value.strip())
            if match is None:
                raise ValueError(wanted)
            number = float(match[1]) * _UNITS_S[match[2] or "s"]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value) if abs(value) < 1e15 else math.inf
        else:
            raise ValueError(wanted)
        if not (least <= number <= most or (zero and number == 0)):
            raise ValueError(wanted)
        return number

    return parse


def count(*, least: int, most: int) -> Parser:
    """Build a parser of whole numbers within bounds."""
    wanted = f"must be a whole number from {least} to {most}"

    def parse(value: object) -> int:
        if isinstance(value, bool):
            raise ValueError(wanted)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value.strip()):
            value = int(value)
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError(wanted)
        return value

    return parse


def _split_address(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":") or not _is_ipv6(host):
            raise ValueError("must be host:port; an IPv6 address as [::1]:8100")
        return host, rest[1:]
    host, colon, port = text.rpartition(":")
    if not colon or not port:
        raise ValueError("must be host:port, and the port is missing")
    if ":" in host:
        raise ValueError("an IPv6 address stands in brackets, as [::1]:8100")
    return host, port


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return bool(_IPV6.fullmatch(host))


def _is_host(host: str) -> bool:
    """Tell if it is a name or an IPv4 address; what ends in a number is no name."""
    if not host.rstrip(".").rpartition(".")[2].isdigit():
        return bool(_HOST.fullmatch(host))
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def address(*, least_port: int = 1) -> Parser:
    """Build a parser of host:port; ``least_port`` 0 lets the system choose the port."""

    def parse(value: object) -> Address:
        host, port = _split_address(parse_text(value))
        if not host:
            raise ValueError("must be host:port, and the host is missing")
        if ":" not in host and not _is_host(host):
            raise ValueError(f"{host!r} is no host name or address")
        if not re.fullmatch(r"[0-9]{1,5}", port):
            raise ValueError(f"{port!r} is no port number")
        if not least_port <= int(port) <= 65535:
            raise ValueError(f"the port must be {least_port} to 65535")
        return Address(host, int(port))

    return parse


def parse_node_id(value: object) -> str:
    """A member's id: short, and safe in file names and certificates."""
    text = parse_text(value)
    if not _NODE_ID.fullmatch(text):
        raise ValueError(
            "must be 1 to 63 letters, digits, '.', '_' or '-', first a letter or digit"
        )
    return text


def parse_peers(value: object) -> dict[str, Address]:
    """All members: ``a=host1:8101,b=host2:8101`` or ``{"a": "host1:8101", ...}``."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, str):
        pairs = []
        for part in value.split(","):
            if not part.strip():
                continue
            node_id, equals, where = part.partition("=")
            if not equals:
                raise ValueError(f"{part.strip()!r} must be id=host:port")
            pairs.append((node_id.strip(), where))
        if not pairs:
            raise ValueError("names no member, as a=host1:8101 would")
    else:
        raise ValueError("must be a=host1:8101,b=host2:8101 or an object of those")
    if len(pairs) > MAX_PEERS:
        raise ValueError(f"holds more than {MAX_PEERS} members")
    peers: dict[str, Address] = {}
    parse_address = address()
    for node_id, where in pairs:
        try:
            parse_node_id(node_id)
            parsed = parse_address(where)
        except ValueError as error:
            raise ValueError(f"member {node_id!r}: {error}") from None
        if node_id in peers:
            raise ValueError(f"member {node_id!r} is listed twice")
        assert isinstance(parsed, Address)
        peers[node_id] = parsed
    return peers


def networks(*, or_none: bool = False) -> Parser:
    """Build a parser of networks: comma separated text, or a list of texts.

    ``or_none`` lets the word none stand for no network where unset means others.
    """

    def parse(value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            if or_none and value.strip().lower() == "none":
                return ()
            parts: list[object] = [p for p in value.split(",") if p.strip()]
        elif isinstance(value, list):
            parts = value
        else:
            raise ValueError("must be networks, as 10.0.0.0/8,fd00::/8, or a list")
        if len(parts) > MAX_NETWORKS:
            raise ValueError(f"holds more than {MAX_NETWORKS} networks")
        found: dict[str, None] = {}
        wrong: list[str] = []
        for part in parts:
            try:
                found[str(parse_network(parse_text(part)))] = None
            except ValueError as error:
                wrong.append(str(error))
        if wrong:
            raise ValueError(*wrong)
        if not found and isinstance(value, str):
            raise ValueError("names no network, as 10.0.0.0/8 would")
        return tuple(found)

    return parse


def parse_web_url(value: object) -> str:
    """An http or https address without user and password (those would be shown)."""
    text = parse_text(value)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is no valid URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("must begin with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password")
    return text.rstrip("/")


def parse_advertise(value: object) -> str:
    """The HTTP address told to others: a URL, or host:port which becomes one."""
    text = parse_text(value)
    if "://" in text:
        return parse_web_url(text)
    return f"http://{address()(text)}"
