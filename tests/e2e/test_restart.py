"""I10: a replica that comes back never passes an empty or older catalog off as true."""

import http.client
from collections import Counter
from pathlib import Path

import pytest

from tests.support.background import Background
from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_http import ask
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

LISTED = 500


class Hammer(Background):
    """Asks one replica without a pause; counts what it answered, by kind."""

    def __init__(self, replica: ReplicaProcess) -> None:
        super().__init__("hammer")
        self.answers: Counter[str] = Counter()
        self._url = replica.url

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            try:
                reply = ask(self._url, "/services/many")
            except (OSError, http.client.HTTPException):
                self.answers["no answer"] += 1
                continue
            if reply.status == 200:
                listed = reply["instances"]
                assert isinstance(listed, list)
                self.answers[f"{len(listed)} instances"] += 1
            else:
                self.answers[str(reply["code"])] += 1


def fill(url: str) -> None:
    """Register LISTED instances of one service."""
    for number in range(LISTED):
        body = {
            "name": "many",
            "host": f"10.0.{number >> 8}.{number & 255}",
            "port": 80,
            "ttl_seconds": 0,
        }
        assert ask(url, "/register", method="POST", body=body).status == 200


EXPECTED = {f"{LISTED} instances", "not_caught_up", "no answer"}


def test_one_that_restarts_says_the_truth_or_that_it_does_not_know(
    cluster: ProcessCluster,
) -> None:
    """From the first byte that its port answers."""
    fill(cluster.leader().url)
    follower = cluster.others(cluster.leader())[0]
    follower.kill()

    with Hammer(follower) as hammer:
        follower.start()
        wait_until(lambda: follower.is_ready, "a ready replica")
        before = hammer.answers.total()
        wait_until(lambda: hammer.answers.total() > before + 20, "more answers")

    assert set(hammer.answers) <= EXPECTED
    assert hammer.answers[f"{LISTED} instances"] > 0


def test_one_that_restarts_alone_answers_nothing_as_true(
    cluster: ProcessCluster,
) -> None:
    """Without a leader it cannot know; ``?stale=true`` tells what its disk holds."""
    fill(cluster.leader().url)
    for replica in cluster:
        replica.kill()
    alone = cluster["a"]

    with Hammer(alone) as hammer:
        alone.start()
        wait_until(lambda: hammer.answers["not_caught_up"] > 50, "answers")
        assert alone.is_ready is False
        health = ask(alone.url, "/health")
        stale = ask(alone.url, "/services/many?stale=true")
        cluster.start()
        wait_until(lambda: hammer.answers[f"{LISTED} instances"] > 0, "the whole list")

    assert set(hammer.answers) <= EXPECTED
    assert (health.status, health["status"]) == (200, "starting")
    assert health["registered_services"] is None
    assert stale.status == 200


def test_an_emptied_disk_is_filled_again_before_it_answers(tmp_path: Path) -> None:
    """A replaced machine: it joins, catches up, and never shows its empty catalog."""
    with process_cluster(tmp_path) as cluster:
        fill(cluster.leader().url)
        follower = cluster.others(cluster.leader())[0]
        follower.kill()
        data = Path(follower.settings["SERVICE_REGISTRY_DATA_DIR"])
        data.rename(tmp_path / "lost")

        with Hammer(follower) as hammer:
            follower.start()
            wait_until(lambda: follower.is_ready, "a ready replica")
            wait_until(
                lambda: hammer.answers[f"{LISTED} instances"] > 0, "the whole list"
            )

        assert set(hammer.answers) <= EXPECTED
