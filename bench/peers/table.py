"""The peers by name, and opening those that a scenario wants."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from bench.peers.consul import consul
from bench.peers.etcd import etcd, etcd_fast
from bench.peers.idle import idle
from bench.peers.nginx import nginx
from bench.peers.ours import NAME as OURS
from bench.peers.ours import ours
from bench.peers.peer import NotHere, Opening, Peer, Setting
from bench.peers.raw import raw
from bench.peers.seed import seed
from bench.peers.url import by_url

PEERS: Mapping[str, Opening] = {
    "ours": ours,
    "raw": raw,
    "idle": idle,
    "nginx": nginx,
    "etcd": etcd,
    "etcd fast": etcd_fast,
    "seed": seed,
    "consul": consul,
}


def opening(name: str, setting: Setting) -> Opening:
    """Return how a peer is opened: one of the table, or one given by URL."""
    if name not in PEERS or (name == OURS and OURS in setting.named):
        return by_url(name, setting.named[name])
    return PEERS[name]


def extra(named: Mapping[str, str]) -> list[str]:
    """Return the names that were given and are none of the table."""
    return [name for name in named if name not in PEERS]


def opened_one(name: str, setting: Setting) -> AbstractContextManager[Peer]:
    """Open a peer that a scenario cannot do without. Raises NotHere on entering."""
    return opening(name, setting)(setting)


@contextmanager
def opened(
    names: Iterable[str], setting: Setting
) -> Iterator[tuple[list[Peer], list[str]]]:
    """Open peers; give those that are here, and why the others are not.

    Raises:
        NotHere: Ours is among them and is not here: without it nothing is compared.
    """
    here: list[Peer] = []
    absent: list[str] = []
    with ExitStack() as stack:
        for name in names:
            try:
                peer = stack.enter_context(opening(name, setting)(setting))
            except NotHere as error:
                if name == OURS:
                    raise
                absent.append(str(error))
            else:
                here.append(peer)
        yield here, absent
