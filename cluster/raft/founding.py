"""How a cluster begins exactly once, and how an empty disk comes (back) to one.

    empty --all peers reachable, all empty, I am first--> member (makes the cluster id)
    empty --a member says Found, nobody has elected yet--> member empty --a peer belongs
    to a cluster that has elected--> joining --caught up--> member

A wiped replica must not vote as if it had never voted, and a majority of wiped replicas
must not found a new cluster over the survivor. So a founding member asks *all* peers
where they stand, freshly, and gives full rights to empty ones only when every answer
says that no election has ever been held: whoever voted or acknowledged before left a
term behind in at least one of the others.
"""

from collections.abc import Callable

from cluster.identity import Identity, Standing
from cluster.raft.wire import Found, FoundQuery, FoundState, Message

ROUND_S = 0.2


class Founding:
    """Rounds of questions until nobody is empty or somebody has elected.

    ``adopt(identity)`` makes an identity durable and then ours; ``current()`` is ours.
    """

    def __init__(
        self,
        *,
        current: Callable[[], Identity],
        term: Callable[[], int],
        connected: Callable[[], frozenset[str]],
        send: Callable[[str, Message], bool],
        adopt: Callable[[Identity], None],
        new_cluster_id: Callable[[], str],
        report: Callable[[str, dict[str, object]], None],
    ) -> None:
        self._current = current
        self._term = term
        self._connected = connected
        self._send = send
        self._adopt = adopt
        self._new_cluster_id = new_cluster_id
        self._report = report
        self._round = 0
        self._next_round_s = 0.0
        self._becoming: Identity | None = None
        """What we leave the standing ``empty`` for: it happens once in a life."""
        self._answers: dict[str, FoundState] = {}

    def tick(self, now_s: float) -> None:
        """Begin a round of questions when it is due and ours to ask."""
        if now_s < self._next_round_s or not self._is_mine_to_ask(self._current()):
            return
        me = self._current()
        peers = set(me.members) - {me.node_id}
        if not peers:
            self._found(me)
            return
        if not peers <= self._connected():
            return
        self._next_round_s = now_s + ROUND_S
        self._round += 1
        self._answers = {}
        for peer in sorted(peers):
            self._send(peer, FoundQuery(self._round))

    def _is_mine_to_ask(self, me: Identity) -> bool:
        if me.standing is Standing.EMPTY:
            return me.node_id == min(me.members)
        return (
            me.standing is Standing.MEMBER and self._term() == 0 and len(me.members) > 1
        )

    def _found(self, me: Identity) -> None:
        if self._becoming is None:
            self._become(me, self._new_cluster_id(), Standing.MEMBER, "founding")
        self._next_round_s = 0.0

    def _become(
        self, me: Identity, cluster_id: str, standing: Standing, event: str
    ) -> None:
        if self._becoming is not None:
            return  # one is on its way to the disk; nothing else can be true any more
        self._becoming = Identity(
            me.node_id, cluster_id, me.epoch, me.members, standing
        )
        self._report(event, {"cluster_id": cluster_id})
        self._adopt(self._becoming)

    def on_query(self, peer: str, message: FoundQuery) -> None:
        """Say where we stand."""
        mine = self._becoming or self._current()  # also what is on its way to the disk
        state = FoundState(message.round, mine.cluster_id, self._term())
        self._send(peer, state)

    def on_state(self, peer: str, message: FoundState) -> None:
        """Take an answer; decide when all have answered this round."""
        if message.round != self._round:
            return
        me = self._current()
        self._answers[peer] = message
        if set(self._answers) != set(me.members) - {me.node_id}:
            return
        answers, self._answers = self._answers, {}
        if any(a.term > 0 for a in answers.values()) or not self._is_mine_to_ask(me):
            return
        known = {a.cluster_id for a in answers.values() if a.cluster_id}
        if me.standing is Standing.EMPTY:
            if not known:
                self._found(me)
            return
        if known <= {me.cluster_id}:
            for name in sorted(n for n, a in answers.items() if not a.cluster_id):
                self._send(name, Found(me.cluster_id, list(me.members)))

    def on_found(self, _: str, message: Found) -> None:
        """Become a founding member, if we have no cluster yet."""
        me = self._current()
        if (
            me.standing is Standing.EMPTY
            and tuple(sorted(message.members)) == me.members
        ):
            self._become(me, message.cluster_id, Standing.MEMBER, "founded")

    def on_cluster_seen(self, cluster_id: str, term: int) -> None:
        """A peer belongs to a cluster; if it has elected, come in by catching up."""
        me = self._current()
        if me.standing is Standing.EMPTY and cluster_id and term > 0:
            self._become(me, cluster_id, Standing.JOINING, "joining with an empty disk")
