"""One kill of etcd's leader, at members that were started for it."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from bench.load.cores import ALL
from bench.peers import etcd
from bench.peers.peer import Peer, Server, Setting
from bench.peers.table import opened_one
from bench.scenarios.kills import first_write_s
from tests.support.process_http import ask

PUT = "/v3/kv/put"
KEY = {"key": "cHJvYmU=", "value": "MQ=="}


def etcd_gap_s(folder: Path, named: Mapping[str, str]) -> float:
    """Return the time from the SIGKILL to the first put at one of the two others.

    Raises:
        NotHere: There is no etcd.
    """
    folder.mkdir()
    setting = Setting(folder=folder, cores=ALL, named=named)
    with opened_one(etcd.NAME, setting) as peer:
        leader = _leader(peer)
        others = [server.url for server in peer.servers if server is not leader]
        first_write_s(others, PUT, KEY)  # it has settled
        killed_s = time.monotonic()
        os.kill(leader.pids[0], signal.SIGKILL)
        return first_write_s(others, PUT, KEY) - killed_s


def _leader(peer: Peer) -> Server:
    for server in peer.servers:
        reply = ask(server.url, "/v3/maintenance/status", method="POST", body={})
        header = reply.json["header"]
        assert isinstance(header, dict)
        if header["member_id"] == reply.json["leader"]:
            return server
    raise RuntimeError("no member of etcd says that it leads")
