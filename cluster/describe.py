"""A replica's status in the words of its users: who leads, what it waits for, what is
wrong.
"""

from cluster.config import ClusterConfig
from cluster.identity import Standing
from cluster.raft import library
from cluster.raft.hello import REFUSALS
from cluster.raft.node import RaftNode
from cluster.status import MemberStatus, Role, Status

LEADER_SILENT_S = 1.0

_ROLES = {
    library.FOLLOWER: Role.FOLLOWER,
    library.CANDIDATE: Role.CANDIDATE,
    library.LEADER: Role.LEADER,
}


def before_start(config: ClusterConfig, *, stopping: bool) -> Status:
    """Describe a replica that still reads its disk."""
    return Status(
        node_id=config.node_id,
        cluster_id="",
        epoch=0,
        role=Role.FOLLOWER,
        term=0,
        leader=None,
        applied_index=0,
        commit_index=0,
        last_index=0,
        caught_up=False,
        contact_age_s=None,
        stopping=stopping,
        waiting_for="its data directory to be read",
        degraded=(),
        members=(),
        recovered=False,
    )


def describe(node: RaftNode, *, stopping: bool) -> Status:
    """Describe a replica that takes part."""
    core, identity = node.core, node.identity
    me = MemberStatus(
        node_id=identity.node_id,
        advertise=node.config.advertise,
        connected=True,
        applied_index=node.ledger.index,
        contact_age_s=0.0,
    )
    members = sorted([me, *node.peers.status()], key=lambda member: member.node_id)
    return Status(
        node_id=identity.node_id,
        cluster_id=identity.cluster_id,
        epoch=identity.epoch,
        role=_ROLES[core.state],
        term=int(core.raftCurrentTerm),
        leader=core.leader,
        applied_index=node.ledger.index,
        commit_index=int(core.raftCommitIndex),
        last_index=node.journal.last_index,
        caught_up=node.contact.caught_up,
        contact_age_s=node.contact.leader_age_s(),
        stopping=stopping,
        waiting_for=_waiting_for(node),
        degraded=_degraded(node),
        members=tuple(members),
    )


def _waiting_for(node: RaftNode) -> str:
    if node.contact.caught_up:
        return ""
    if refusals := node.peers.refusals():
        said = (f"{p} ({REFUSALS.get(r, r)})" for p, r in sorted(refusals.items()))
        return "these to let it in: " + "; ".join(said)
    missing = ", ".join(sorted(set(node.config.peers) - node.peers.connected()))
    out_of_reach = f"; out of reach: {missing}" if missing else ""
    if node.identity.standing is Standing.EMPTY:
        return f"all members, to found the cluster{out_of_reach}"
    if node.core.leader is not None:
        return "the leader's log"
    if node.identity.standing is Standing.JOINING:
        holders = "a leader of members that still hold the log (this disk was empty)"
        return f"{holders}{out_of_reach}"
    return f"a leader{out_of_reach}"


def _degraded(node: RaftNode) -> tuple[str, ...]:
    codes = set(node.peers.refusals().values())
    age_s = node.contact.leader_age_s()
    if node.compaction.disk_low:
        codes.add("disk_low")
    if node.contact.caught_up and (age_s is None or age_s > LEADER_SILENT_S):
        codes.add("leader_silent")
    if node.identity.standing is Standing.JOINING:
        codes.add("joining")
    return tuple(sorted(codes))
