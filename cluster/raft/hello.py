"""What replicas tell each other at every handshake, and who is let in.

A hello is authenticated by the link, not believed beyond that: another cluster, another
member list, or a second process under one id is refused with a reason that both sides
show to people.
"""

import msgspec

from cluster.identity import FORMAT_VERSION, Identity
from cluster.raft.wire import INCARNATION_BYTES, Count

REFUSALS = {
    "bad_hello": "its hello could not be understood",
    "newer_format": "it runs a newer version",
    "older_version": "it runs a version that all members have left behind",
    "wrong_id": "it calls itself otherwise than expected",
    "not_a_member": "it is not in the member list, or we are not in its own",
    "member_list_differs": "its member list differs from ours",
    "epoch_apart": "its member list is more than one change apart from ours",
    "other_cluster": "one of us has a data directory of another cluster",
    "duplicate_id": "another live process uses the same node id",
}


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """One replica about itself."""

    format: int
    node_id: str
    incarnation: bytes
    cluster_id: str
    epoch: int
    members: tuple[str, ...]
    term: Count
    advertise: str
    schema: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Hello)


def encode(hello: Hello) -> bytes:
    """Return the hello's bytes."""
    return _encoder.encode(hello)


def decode(data: bytes) -> Hello | None:
    """Return the hello in ``data``, None if there is none."""
    try:
        hello = _decoder.decode(data)
    except msgspec.MsgspecError:
        return None
    return hello if len(hello.incarnation) == INCARNATION_BYTES else None


def refusal(
    me: Identity, min_schema: int, peer: str, hello: Hello | None
) -> str | None:
    """Return the code of why this hello is refused, None if it is welcome."""
    if hello is None:
        return "bad_hello"
    if hello.format > FORMAT_VERSION:
        return "newer_format"
    if hello.schema < min_schema:
        return "older_version"
    if hello.node_id != peer:
        return "wrong_id"
    if me.node_id not in hello.members or peer not in me.members:
        return "not_a_member"
    if abs(me.epoch - hello.epoch) > 1:
        return "epoch_apart"
    if me.epoch == hello.epoch and me.members != hello.members:
        return "member_list_differs"
    if me.cluster_id and hello.cluster_id and me.cluster_id != hello.cluster_id:
        return "other_cluster"
    return None
