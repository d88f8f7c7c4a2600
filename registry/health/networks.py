"""Which addresses may be checked: lists of networks, against forged requests.

Whoever may register could otherwise make the registry ask any address that it can reach
(SSRF): the metadata of a cloud machine answers a plain GET with credentials. Literal
addresses are refused when they are registered; names at every connection, after they
were resolved, and the address that was looked at is the one that is connected to. Pure.
"""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_LOOPBACK: dict[Address, Address] = {
    # What has no address of its own reaches this machine.
    ipaddress.IPv4Address("0.0.0.0"): ipaddress.IPv4Address("127.0.0.1"),
    ipaddress.IPv6Address("::"): ipaddress.IPv6Address("::1"),
}


class NetworkRules:
    """Tells whether an address may be checked. Immutable.

    An empty ``allow`` allows all; ``deny`` wins. An IPv6 address that stands for an
    IPv4 one (mapped, or through a translator) is denied if either of the two is.
    """

    __slots__ = ("_allow", "_deny")

    def __init__(self, *, allow: Iterable[str], deny: Iterable[str]) -> None:
        self._allow = tuple(map(parse_network, allow))
        self._deny = tuple(map(parse_network, deny))

    def refusal(self, address: str) -> str:
        """Return why the address may not be checked, '' if it may."""
        parsed = _parse_address(address)
        if parsed is None:
            return f"{address[:64]!r} is no address"
        meant = _meant_by(parsed)
        for network in self._deny:
            if any(each in network for each in meant):
                return str(network)
        if self._allow and not any(meant[0] in network for network in self._allow):
            return f"{meant[0]} is in no allowed network"
        return ""

    def literal_refusal(self, host: str) -> str:
        """Return the refusal of a host that is an address; '' for names."""
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        return "" if _parse_address(bare) is None else self.refusal(bare)


def parse_network(text: str) -> Network:
    """Read a network, or one address as a network of its own.

    Raises ValueError with a message that quotes what is wrong.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
        exact = "%" not in text and int(network.network_address) == int(
            ipaddress.ip_address(text.partition("/")[0])
        )
    except ValueError:
        raise ValueError(f"{text!r} is no network, as 10.0.0.0/8 would be") from None
    if not exact:
        raise ValueError(f"{text!r} names an address inside of {network}: which one?")
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        low_bits = int(network.network_address) & 0xFFFFFFFF
        return ipaddress.IPv4Network((low_bits, network.prefixlen - 96))
    return network


def _parse_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _meant_by(address: Address) -> list[Address]:
    """Return all that connecting to the address may reach, the likeliest first."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            found.insert(0, address.ipv4_mapped)
        if address.sixtofour is not None:
            found.append(address.sixtofour)
        if address in _NAT64:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    found += [_LOOPBACK[each] for each in found if each in _LOOPBACK]
    return found
