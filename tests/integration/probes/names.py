"""A name server on loopback: answers A questions from a table, or nothing at all."""

import asyncio
import ipaddress
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_A = 1


class NameServer(asyncio.DatagramProtocol):
    """Counts its questions; one that is silent takes them and never answers."""

    def __init__(
        self, table: Mapping[str, str] | None = None, *, is_silent: bool = False
    ) -> None:
        self.table = dict(table or {})
        self.is_silent = is_silent
        self.questions: list[tuple[str, int]] = []
        self.at: tuple[str, ...] = ()
        self.ttl_s = 60

    async def __aenter__(self) -> Self:
        """Open its port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.at = (f"127.0.0.1:{self._transport.get_extra_info('sockname')[1]}",)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self._transport.close()

    def asked_for(self, name: str) -> int:
        """Return how often the IPv4 address of a name was asked for."""
        return self.questions.count((name, _A))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        labels, at = [], 12
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode().lower())
            at += 1 + length
        name = ".".join(labels)
        (kind,) = struct.unpack_from("!H", data, at + 1)
        self.questions.append((name, kind))
        if self.is_silent:
            return
        address = self.table.get(name)
        answers = b""
        if address and kind == _A:
            packed = ipaddress.IPv4Address(address).packed
            answers = struct.pack("!HHHIH", 0xC00C, _A, 1, self.ttl_s, 4) + packed
        flags = 0x8180 | (0 if address else 3)
        header = data[:2] + struct.pack("!HHHHH", flags, 1, bool(answers), 0, 0)
        self._transport.sendto(header + data[12 : at + 5] + answers, addr)
