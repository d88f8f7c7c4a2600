"""Who a replica is, and in which cluster: what every segment, snapshot and hello
carries.
"""

from enum import StrEnum

import msgspec

FORMAT_VERSION = 1
"""Version of segments, snapshots and hellos. Readers accept this one and older ones."""


class Standing(StrEnum):
    """What a replica may do for elections.

    ``empty`` has no cluster yet; ``member`` votes; ``joining`` came with an empty disk
    to a cluster that has already elected, and neither votes nor campaigns until it has
    caught up (its former self may have voted and acknowledged).
    """

    EMPTY = "empty"
    MEMBER = "member"
    JOINING = "joining"


class Identity(msgspec.Struct, frozen=True):
    """A replica's place in its cluster.

    Invariant: ``cluster_id`` is empty exactly while ``standing`` is ``empty``;
    ``members`` is sorted and contains ``node_id``. Addresses are not part of it.
    """

    node_id: str
    cluster_id: str = ""
    epoch: int = 1
    members: tuple[str, ...] = ()
    standing: Standing = Standing.EMPTY
