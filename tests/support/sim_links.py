"""The ``Links`` of one life of a simulated node: it dials, greets, sends and breaks.

Every node dials every other one, so a pair has two connections, each carrying the
frames of the node that dialled it. ``on_connected(peer)`` means that one's own is up;
both sides have judged the other's hello by then.
"""

from collections.abc import Callable

from cluster.errors import StartRefused
from cluster.ports import LinkEvents
from tests.support.sim_connection import LATE_FRAMES, Connection
from tests.support.sim_network import SimNetwork
from tests.support.sim_node_loop import NodeLoop

HELLO_BYTES = 4 * 1024
CONNECT_DEADLINE_S = 2.0
BACKOFF_S = (0.05, 1.0)


class SimLinks:
    """Implements ``cluster.ports.Links`` over a ``SimNetwork``."""

    def __init__(
        self, net: SimNetwork, loop: NodeLoop, node_id: str, peers: tuple[str, ...]
    ) -> None:
        self.node_id = node_id
        self.loop = loop
        self._net = net
        self._peers = peers
        self._events: LinkEvents | None = None
        self._outgoing: dict[str, Connection] = {}
        self._incoming: dict[str, Connection] = {}
        self._attempt: dict[str, int] = dict.fromkeys(peers, 0)
        self._failures: dict[str, int] = dict.fromkeys(peers, 0)
        self._closed = False

    # -- the port

    async def start(self, events: LinkEvents) -> None:
        """Listen, and dial the peers."""
        if self.node_id in self._net.listening:
            raise StartRefused(f"the Raft port of {self.node_id} is taken")
        self._events = events
        self._net.listening[self.node_id] = self
        for peer in self._peers:
            self.loop.call_later(self._net.delay_s(), self._dial, peer)

    def send(self, peer: str, frame: bytes) -> bool:
        """Queue a frame; False if there is no link, or none any more."""
        connection = self._outgoing.get(peer)
        if connection is None or self._closed or self.loop.dead:
            return False
        if not connection.push(frame):
            self.break_outgoing(peer)
            return False
        return True

    def drop(self, peer: str) -> None:
        """End the links with ``peer`` in both directions."""
        if self.loop.dead:
            return
        self.break_outgoing(peer)
        incoming = self._incoming.pop(peer, None)
        if incoming is not None and incoming.open:
            self._end_incoming(incoming)

    async def close(self) -> None:
        """End all links and stop listening; what was sent before still arrives."""
        self.vanish(lambda _: LATE_FRAMES)

    # -- what the simulation does

    def vanish(self, keep: Callable[[int], int], *, silently: bool = False) -> None:
        """The process or its host is gone; ``keep`` frames of so many still arrive.

        ``silently``: no reset reaches the peers, they find out by themselves.
        """
        self._closed = True
        if self._net.listening.get(self.node_id) is self:
            del self._net.listening[self.node_id]
        for connection in self._outgoing.values():
            connection.close(keep=keep(connection.under_way()))
        for connection in self._incoming.values():
            if connection.open:
                after_s = self._net.random.uniform(1.0, 4.0) if silently else 0.0
                self._end_incoming(connection, after_s=after_s)
        self._outgoing.clear()
        self._incoming.clear()

    def break_outgoing(self, peer: str) -> None:
        """The connection that we dialled is gone; tell, and dial again."""
        connection = self._outgoing.pop(peer, None)
        if connection is not None:
            connection.close_broken()
            self.loop.call_soon(self._lost, peer)

    def receive(self, connection: Connection, frame: bytes) -> None:
        """Hand on a frame that arrived."""
        if self._closed or self._events is None:
            return
        source = connection.dialler.node_id
        if self._net.on_arrival is not None:
            self._net.on_arrival(source, self.node_id, frame)
        self._net.frames += 1
        try:
            self._events.on_frame(source, frame)
        except ValueError as error:
            if self._net.on_dishonest is not None:
                self._net.on_dishonest(source, self.node_id, str(error))
            self._end_incoming(connection)

    # -- dialling: hello there, hello back, then frames

    def _dial(self, peer: str) -> None:
        if self._closed or self._events is None or peer in self._outgoing:
            return
        self._attempt[peer] += 1
        attempt = self._attempt[peer]
        hello = self._events.hello()
        if len(hello) > HELLO_BYTES:
            raise ValueError(f"a hello of {len(hello)} bytes")
        self.loop.call_later(CONNECT_DEADLINE_S, self._fail, peer, attempt)
        self._net.carry(self.node_id, peer, lambda: self._knock(peer, attempt, hello))

    def _knock(self, peer: str, attempt: int, hello: bytes) -> None:
        """We are at the peer's port; somebody may listen there."""
        there = self._net.listening.get(peer)
        if there is None:
            self._back(peer, lambda: self._fail(peer, attempt))
        else:
            there.loop.call_soon(there._answer, self, attempt, hello)

    def _answer(self, caller: "SimLinks", attempt: int, hello: bytes) -> None:
        """Judge the hello of a peer that dialled us."""
        if self._closed or self._events is None:
            return
        source = caller.node_id
        reason = self._events.on_hello(source, hello)
        if reason is not None:
            caller._back(
                self.node_id, lambda: caller._refused(self.node_id, attempt, reason)
            )
            return
        connection = Connection(self._net, caller, self)
        former = self._incoming.get(source)
        if former is not None and former.open:
            self._end_incoming(former)
        self._incoming[source] = connection
        ours = self._events.hello()
        caller._back(self.node_id, lambda: caller._greeted(connection, attempt, ours))

    def _greeted(self, connection: Connection, attempt: int, hello: bytes) -> None:
        """The peer took our hello; judge its own, then the link is up."""
        peer = connection.target.node_id
        if self._closed or self._events is None or not connection.open:
            return
        if attempt != self._attempt[peer] or peer in self._outgoing:
            connection.close()
            return
        reason = self._events.on_hello(peer, hello)
        if reason is not None:
            connection.close()
            there = connection.target
            self._net.carry(
                self.node_id,
                peer,
                lambda: there.loop.call_soon(there._told, self.node_id, reason),
            )
            self._fail(peer, attempt)
            return
        self._attempt[peer] += 1
        self._failures[peer] = 0
        self._outgoing[peer] = connection
        self._events.on_connected(peer)

    def _refused(self, peer: str, attempt: int, reason: str) -> None:
        self._told(peer, reason)
        self._fail(peer, attempt)

    def _told(self, peer: str, reason: str) -> None:
        if not self._closed and self._events is not None:
            self._events.on_refused(peer, reason)

    def _fail(self, peer: str, attempt: int) -> None:
        """The attempt came to nothing: dial again after a while."""
        if self._closed or attempt != self._attempt[peer]:
            return
        self._attempt[peer] += 1
        self._failures[peer] += 1
        self._dial_later(peer)

    def _dial_later(self, peer: str) -> None:
        least_s, most_s = BACKOFF_S
        ceiling_s = min(most_s, least_s * 2 ** min(self._failures[peer], 5))
        self.loop.call_later(
            self._net.random.uniform(least_s, ceiling_s), self._dial, peer
        )

    def _lost(self, peer: str) -> None:
        if not self._closed and self._events is not None:
            self._events.on_disconnected(peer)
            self._dial_later(peer)

    # -- the other ends

    def _back(self, peer: str, arrive: Callable[[], object]) -> None:
        """Carry something from ``peer`` back to our own loop."""
        self._net.carry(peer, self.node_id, lambda: self.loop.call_soon(arrive))

    def _end_incoming(self, connection: Connection, *, after_s: float = 0.0) -> None:
        """Tell the dialler that its connection is gone, as a reset does."""
        connection.close_broken()
        caller = connection.dialler
        self._net.sim.call_later(
            after_s,
            self._net.carry,
            self.node_id,
            caller.node_id,
            lambda: caller.break_if(connection),
        )

    def break_if(self, connection: Connection) -> None:
        """End the outgoing connection, if it is still this one."""
        if self._outgoing.get(connection.target.node_id) is connection:
            self.break_outgoing(connection.target.node_id)
