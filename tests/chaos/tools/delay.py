"""Holds packets back, or loses them: for kernels without netem.

    iptables -A OUTPUT -d 10.0.0.2 -j NFQUEUE --queue-num 7 --queue-bypass
    python delay.py --queue 7 --delay-ms 100 --jitter-ms 20 --loss 0.01

Needs CAP_NET_ADMIN and the standard library alone: it speaks nfnetlink itself
(linux/netfilter/nfnetlink_queue.h). It goes to the background once the kernel has given
it the queue, and prints the process id; SIGTERM ends it. With ``--queue-bypass``
packets flow when it is not there.
"""

import argparse
import heapq
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from itertools import count

NETLINK_NETFILTER = 12
SUBSYSTEM_QUEUE = 3
MESSAGE_PACKET, MESSAGE_VERDICT, MESSAGE_CONFIG = 0, 1, 2
REQUEST, ACK = 1, 4
ERROR = 2
CONFIG_COMMAND, CONFIG_PARAMETERS, CONFIG_LENGTH = 1, 2, 3
BIND, COPY_META = 1, 1
PACKET_HEADER, VERDICT = 1, 2
KIND_MASK = 0x3FFF
DROP, ACCEPT = 0, 1
QUEUE_PACKETS = 65_535
RECEIVE_BYTES = 8 << 20
READ_BYTES = 1 << 18
IDLE_S = 1.0


class Queue:
    """Packets that the kernel asks about, and what it is told to do with each."""

    def __init__(self, number: int) -> None:
        """Take the queue. Raises OSError when somebody else has it."""
        self._number = number
        self._sent = count(1)
        self.socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER
        )
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.socket.bind((0, 0))
        self._configure(CONFIG_COMMAND, struct.pack("!BBH", BIND, 0, 0))
        self._configure(CONFIG_PARAMETERS, struct.pack("!IB", 0, COPY_META))
        self._configure(CONFIG_LENGTH, struct.pack("!I", QUEUE_PACKETS))
        self.socket.setblocking(False)

    def packets(self) -> Iterator[int]:
        """Return the ids of those that have come, without waiting."""
        while True:
            try:
                messages = self.socket.recv(READ_BYTES)
            except BlockingIOError:
                return
            except OSError:  # more than fit into the buffer: those are lost
                return
            while len(messages) >= 20:
                length, kind = struct.unpack_from("=IH", messages)
                if kind == SUBSYSTEM_QUEUE << 8 | MESSAGE_PACKET:
                    yield from _packet_ids(messages[20:length])
                messages = messages[_aligned(length) :]

    def decide(self, packet: int, verdict: int) -> None:
        """Let a packet go, or drop it."""
        attribute = _attribute(VERDICT, struct.pack("!II", verdict, packet))
        self._send(MESSAGE_VERDICT, attribute, REQUEST)

    def _configure(self, kind: int, value: bytes) -> None:
        self._send(MESSAGE_CONFIG, _attribute(kind, value), REQUEST | ACK)
        answer = self.socket.recv(READ_BYTES)
        (answered,) = struct.unpack_from("=H", answer, 4)
        (code,) = struct.unpack_from("=i", answer, 16)
        if answered == ERROR and code:
            raise OSError(-code, f"queue {self._number} was refused")

    def _send(self, kind: int, attributes: bytes, flags: int) -> None:
        body = struct.pack("!BBH", 0, 0, self._number) + attributes
        head = (16 + len(body), SUBSYSTEM_QUEUE << 8 | kind, flags, next(self._sent), 0)
        self.socket.send(struct.pack("=IHHII", *head) + body)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value.ljust(_aligned(len(value)), b"\0")


def _packet_ids(attributes: bytes) -> Iterator[int]:
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind & KIND_MASK == PACKET_HEADER:
            yield struct.unpack_from("!I", attributes, 4)[0]
        attributes = attributes[_aligned(max(length, 4)) :]


class Delayer:
    """Asks itself for each packet whether, and until when, it is held."""

    def __init__(
        self, queue: Queue, *, delay_ms: float, jitter_ms: float, loss: float
    ) -> None:
        self._queue = queue
        self._delay_ms = delay_ms
        self._jitter_ms = jitter_ms
        self._loss = loss
        self._random = random.Random()
        self._held: list[tuple[float, int]] = []
        """When each packet goes, soonest first."""

    def run(self) -> None:
        """Do it until a signal handler raises; then let go of what is held."""
        try:
            while True:
                wait_s = self._held[0][0] - time.monotonic() if self._held else IDLE_S
                if select.select([self._queue.socket], [], [], max(0.0, wait_s))[0]:
                    self._take()
                self._let_go(time.monotonic())
        finally:
            self._let_go(float("inf"))

    def _take(self) -> None:
        now_s = time.monotonic()
        for packet in self._queue.packets():
            if self._random.random() < self._loss:
                self._queue.decide(packet, DROP)
                continue
            jitter_ms = self._random.uniform(-self._jitter_ms, self._jitter_ms)
            due_s = now_s + max(0.0, self._delay_ms + jitter_ms) / 1000
            heapq.heappush(self._held, (due_s, packet))

    def _let_go(self, until_s: float) -> None:
        while self._held and self._held[0][0] <= until_s:
            self._queue.decide(heapq.heappop(self._held)[1], ACCEPT)


def go_to_background() -> None:
    """Leave the caller, who reads the process id and the end of our output."""
    pid = os.fork()
    if pid:
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def end(number: int, frame: object) -> None:
    """Handle a signal: `Delayer.run` ends."""
    raise SystemExit(0)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue", type=int, default=7)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--loss", type=float, default=0.0)
    asked = parser.parse_args()
    delayer = Delayer(
        Queue(asked.queue),
        delay_ms=asked.delay_ms,
        jitter_ms=asked.jitter_ms,
        loss=asked.loss,
    )
    go_to_background()
    signal.signal(signal.SIGTERM, end)
    delayer.run()


if __name__ == "__main__":
    main()
