"""Two sides of a handshake for tests, without a network."""

from collections.abc import Collection
from pathlib import Path

from cluster.links.handshake import Established, Initiator, Party, Responder
from cluster.links.keys import SharedKey
from cluster.links.settings import NoSecurity, Security, SharedKeys, Tls

ONE, TWO = SharedKey(b"1" * 32), SharedKey(b"2" * 32)
KEYED = SharedKeys((ONE,))
PLAIN = NoSecurity()
TLS = Tls(Path("c"), Path("k"), Path("a"))
SECURITIES = (PLAIN, KEYED, TLS)


class Side:
    """A replica's part: what it heard, and whether it refuses."""

    def __init__(
        self, node_id: str, security: Security = KEYED, refusal: str | None = None
    ) -> None:
        self.refusal = refusal
        self.heard: list[tuple[str, bytes]] = []
        self.party = Party(
            node_id, security, lambda: f"hello of {node_id}".encode(), self._judge
        )

    def _judge(self, peer: str, hello: bytes) -> str | None:
        self.heard.append((peer, hello))
        return self.refusal

    def dial(self, peer: str = "b", names: Collection[str] = ("b",)) -> Initiator:
        """Return an initiator towards ``peer``."""
        return Initiator(self.party, peer, names=names)

    def answer(
        self, peers: Collection[str] = ("a", "c"), names: Collection[str] = ("a",)
    ) -> Responder:
        """Return a responder that knows ``peers``."""
        return Responder(self.party, peers, names=names)


def shake(
    initiator: Initiator, responder: Responder
) -> tuple[Established, Established]:
    """Carry the messages until both sides are there; return what each has."""
    answer = responder.receive(initiator.start())
    hello = initiator.receive(answer.send)
    verdict = responder.receive(hello.send)
    made = initiator.receive(verdict.send)
    assert made.established is not None
    assert verdict.established is not None
    return made.established, verdict.established
