"""Several processes behind one name and port: a rolling restart never empties it."""

import http.client

import pytest

from tests.support.background import Background
from tests.support.process_cluster import ProcessCluster
from tests.support.process_http import ask
from tests.support.seed_client import seed_client

pytestmark = pytest.mark.e2e


class Watcher(Background):
    """Polls one replica without a pause and remembers how long each list was."""

    def __init__(self, url: str, service: str) -> None:
        super().__init__("watcher")
        self.lengths: list[int] = []
        self.failures: list[str] = []
        self._url = url
        self._service = service

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            try:
                reply = ask(self._url, f"/services/{self._service}")
                listed = reply["instances"]
                assert isinstance(listed, list)
                self.lengths.append(len(listed))
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failures.append(repr(error))


def test_the_list_is_never_empty(cluster: ProcessCluster) -> None:
    """Shown 7, with the seed's client, each process at another replica."""
    urls = cluster.urls
    running = [seed_client(url) for url in urls]
    for client in running:
        client.register("shop", "shop", 8080)
    cluster.wait_caught_up()

    watchers = [Watcher(url, "shop") for url in urls]
    with watchers[0], watchers[1], watchers[2]:
        for _ in range(5):
            for at, url in enumerate(urls):
                running[at].deregister()
                running[at] = seed_client(url)
                running[at].register("shop", "shop", 8080)

    for watcher in watchers:
        assert watcher.failures == []
        assert set(watcher.lengths) == {1}
    cluster.wait_caught_up()
    for client in running:
        client.deregister()
    cluster.wait_caught_up()
    assert [seed_client(url).discover("shop") for url in urls] == [[], [], []]
