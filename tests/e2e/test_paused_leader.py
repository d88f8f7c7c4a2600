"""A leader that stands still for a while: another leads, and it claims nothing."""

import signal
import threading
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.background import Background
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_http import Reply, ask
from tests.support.process_load import Load
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


class LeadersSeen(Background):
    """Polls every replica and notes who says to lead in which term."""

    def __init__(self, cluster: ProcessCluster) -> None:
        super().__init__("leaders-seen")
        self.by_term: dict[object, set[str]] = defaultdict(set)
        self._cluster = cluster

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            for replica in self._cluster:
                reply = replica.get("/cluster", timeout_s=0.1)
                if reply is not None and reply["role"] == "leader":
                    self.by_term[reply["term"]].add(replica.node_id)
            self.pause(0.01)


def leaders_logged(cluster: ProcessCluster) -> dict[object, set[str]]:
    """Return who logged that it leads, by term."""
    by_term: dict[object, set[str]] = defaultdict(set)
    for replica in cluster:
        for entry in replica.logged("Became leader"):
            by_term[entry["term"]].add(replica.node_id)
    return by_term


def test_a_leader_paused_for_three_seconds_loses_nothing(
    cluster: ProcessCluster,
) -> None:
    """SIGSTOP is what a hypervisor does: the process wakes up and thinks it leads.

    A consistent read that it was sent meanwhile must know all that was acknowledged
    before it was sent, or be refused.
    """
    paused = cluster.leader()
    survivors = cluster.others(paused)
    urls = [replica.url for replica in survivors]
    answers: list[Reply] = []

    def read_consistently() -> None:
        answers.append(ask(paused.url, "/services/late?consistent=true"))

    reader = threading.Thread(target=read_consistently)
    with Load(urls) as load, LeadersSeen(cluster) as seen:
        load.wait_acknowledged(100)
        paused.send(signal.SIGSTOP)
        try:
            load.wait_acknowledged(200)
            body = {"name": "late", "host": "10.9.9.9", "port": 80}
            assert ask(urls[0], "/register", method="POST", body=body).status == 200
            reader.start()
            # Three seconds in all: the load goes on at its known rate.
            load.wait_acknowledged(1_000)
        finally:
            paused.send(signal.SIGCONT)
        reader.join(20.0)
        load.wait_acknowledged(200)

    assert load.failures == []
    cluster.wait_ready()
    for replica in cluster:
        load.verify(replica.url)
    answer = answers[0]
    assert answer.status == 503 or b"10.9.9.9" in answer.body
    wait_until(lambda: paused.is_ready, "the paused one's return")
    assert all(len(leaders) == 1 for leaders in seen.by_term.values())
    logged = leaders_logged(cluster)
    assert len(logged) >= 2
    assert all(len(leaders) == 1 for leaders in logged.values())


def test_a_leader_without_its_majority_answers_no_consistent_read(
    tmp_path: Path,
) -> None:
    """It may have been replaced behind its back; local reads go on, with their age."""
    hasty = {"SERVICE_REGISTRY_REQUEST_DEADLINE": "1.5"}
    body = {"name": "known", "host": "10.9.9.9", "port": 80}
    with process_cluster(tmp_path, settings=lambda _: hasty) as cluster:
        leader = cluster.leader()
        assert ask(leader.url, "/register", method="POST", body=body).status == 200
        others = cluster.others(leader)
        for replica in others:
            replica.send(signal.SIGSTOP)
        try:
            read = ask(leader.url, "/services/known?consistent=true")
            local = ask(leader.url, "/services/known")
            written = ask(leader.url, "/register", method="POST", body=body)
        finally:
            for replica in others:
                replica.send(signal.SIGCONT)

        assert read.status == 503
        assert local.status == 200
        assert b"10.9.9.9" in local.body
        assert written.status in (503, 504)
        cluster.wait_ready()
