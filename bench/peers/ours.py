"""Ours: three durable replicas, each a process, as anyone would run them."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.load.cores import pin
from bench.peers.peer import Peer, Server, Setting
from bench.peers.words import RegistryWords
from tests.support.process_cluster import process_cluster

NAME = "ours"


@contextmanager
def ours(setting: Setting) -> Iterator[Peer]:
    """Run three replicas. Reads go to one that follows, as most do."""
    folder = setting.own_folder(NAME)
    quiet = {"SERVICE_REGISTRY_LOG_LEVEL": "warning"}
    with process_cluster(folder, settings=lambda _: quiet) as cluster:
        pin([replica.pid for replica in cluster], setting.cores)
        leader = cluster.leader()
        ordered = [*cluster.others(leader), leader]
        servers = tuple(Server(replica.url, (replica.pid,)) for replica in ordered)
        yield Peer(NAME, servers, RegistryWords())
