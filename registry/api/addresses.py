"""What may stand as an instance's host, and as the place of its health check. Pure.

A host is what a client can put into a URL: a name (with underscores, as compose makes
them), an IPv4 address, or an IPv6 address, bare or in brackets. A health check stays
with the instance: a path on it, or a URL of the same host and port.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from registry.catalog import bounds

HOST_RULE = (
    f"must be a name of at most {bounds.MAX_HOST_LENGTH} characters (labels of 1 to 63 "
    "letters, digits, - and _), an IPv4 address, or an IPv6 address, bare or in "
    "brackets"
)
ENDPOINT_RULE = (
    "must be a path (begin with one / and hold no space), or an http(s) URL of the "
    "registered host and port"
)

_CHARACTERS = re.compile(bounds.HOST_PATTERN)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
# A single number is a name: containers are called by the hash of their id. Several with
# dots between them are an address or nothing.
_NAME_OR_IPV4 = re.compile(
    rf"(?:{_OCTET}\.){{3}}{_OCTET}"
    rf"|(?![0-9]+\.[0-9.]+\Z){_LABEL}(?:\.{_LABEL})*\.?"
)
_PATH = re.compile(r"/(?!/)[\x21-\x7e]*")
_URL = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_host(text: str) -> bool:
    """Whether this is a name or an address."""
    if _NAME_OR_IPV4.fullmatch(text) is not None:
        return len(text) <= bounds.MAX_HOST_LENGTH
    return _CHARACTERS.fullmatch(text) is not None and _is_ipv6(_bare(text))


def is_endpoint(text: str, host: str, port: int) -> bool:
    """Whether a health check there would reach the instance and nobody else."""
    if _PATH.fullmatch(text) is not None:
        return True
    if _URL.fullmatch(text) is None:
        return False
    try:
        url = urlsplit(text)
        url_port = url.port
    except ValueError:
        return False
    if "@" in url.netloc or "\\" in url.netloc:
        return False
    if url_port is None:
        url_port = _DEFAULT_PORTS[url.scheme]
    return url_port == port and (url.hostname or "").lower() == _bare(host).lower()


def _bare(host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1]
    return host


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
