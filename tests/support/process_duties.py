"""What tests of leases and checks do to real replicas: register, beat, watch, ask why.

Lists are looked at through every replica, all the while: `Watch` keeps when each
instance was first missing, so that "never" and "when" are both seen.
"""

import http.client
import time
from collections.abc import Iterable, Mapping
from functools import partial

from tests.support.background import Background
from tests.support.process_http import TIMEOUT_S, Reply, ask, instances
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

LOOK_EVERY_S = 0.03
ANSWER_S = 0.5


def register(url: str, name: str, host: str, port: int, **fields: object) -> str:
    """Register; return the id. What is not named follows the settings."""
    body = {"name": name, "host": host, "port": port} | fields
    reply = ask(url, "/register", method="POST", body=body)
    assert reply.status == 200, reply.body
    return str(reply["service_id"])


def heartbeat(url: str, service_id: str, *, timeout_s: float = TIMEOUT_S) -> Reply:
    """Send one heartbeat."""
    path = f"/heartbeat/{service_id}"
    return ask(url, path, method="POST", timeout_s=timeout_s)


def listed(url: str, name: str) -> set[str]:
    """Return the ids in the list that a client gets."""
    return {str(instance["service_id"]) for instance in instances(url, name)}


def told(url: str, service_id: str) -> dict[str, object]:
    """Return what a replica knows of one registration, living or gone."""
    reply = ask(url, f"/instances/{service_id}")
    assert reply.status == 200, reply.body
    return reply.json


def cause(url: str, service_id: str) -> str:
    """Return why the registration's instance is as it is."""
    return str(told(url, service_id)["cause"])


def history(url: str, name: str) -> list[dict[str, object]]:
    """Return the changes of a service's instances, oldest first."""
    reply = ask(url, f"/services/{name}/history")
    assert reply.status == 200, reply.body
    lines = reply["history"]
    assert isinstance(lines, list)
    return lines[::-1]


def changes(url: str, name: str, service_id: str) -> list[tuple[str, str, str]]:
    """Return (from, to, cause) of one registration's changes, oldest first."""
    return [
        (str(line["from"]), str(line["to"]), str(line["cause"]))
        for line in history(url, name)
        if line["service_id"] == service_id
    ]


def findings(url: str, query: str) -> list[str]:
    """Return the sentences of ``GET /why``."""
    reply = ask(url, f"/why?q={query}")
    assert reply.status == 200, reply.body
    found = reply["findings"]
    assert isinstance(found, list)
    return [str(finding["text"]) for finding in found]


def wait_listed(urls: Iterable[str], name: str, ids: set[str]) -> None:
    """Wait until each of the replicas lists exactly these."""
    for url in urls:
        wait_until(partial(_lists, url, name, ids), f"{ids} at {url}")


def _lists(url: str, name: str, ids: set[str]) -> bool:
    return listed(url, name) == ids


class Heartbeats(Background):
    """Sends heartbeats as services do: each id every ``every_s``, to any of the urls.

    Who gets no answer in time (a replica may be killed, or paused) asks the next one at
    once. An answer that is no 200 is kept in ``refused``.
    """

    def __init__(
        self, urls: list[str], service_ids: Iterable[str], *, every_s: float
    ) -> None:
        super().__init__("heartbeats")
        self.refused: list[Reply] = []
        self._urls = urls
        self._service_ids = list(service_ids)
        self._every_s = every_s
        self._at = 0

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            for service_id in self._service_ids:
                for _ in self._urls:
                    if self._sent(service_id):
                        break
            self.pause(self._every_s)

    def _sent(self, service_id: str) -> bool:
        url = self._urls[self._at % len(self._urls)]
        try:
            reply = heartbeat(url, service_id, timeout_s=ANSWER_S)
        except (OSError, http.client.HTTPException):
            self._at += 1
            return False
        if reply.status != 200:
            self.refused.append(reply)
        return True


class Watch(Background):
    """Polls lists at some replicas, and keeps what was missing there, and when.

    ``watched``: the ids by service name that are listed as it begins.
    """

    def __init__(
        self, replicas: Iterable[ReplicaProcess], watched: Mapping[str, set[str]]
    ) -> None:
        super().__init__("watch")
        self.missing_s: dict[tuple[str, str], float] = {}
        """By replica and id, on the monotonic clock: when the first answer without it
        was read, so at most one look after it went."""
        self.looks = 0
        self._replicas = list(replicas)
        self._watched = dict(watched)

    def run(self) -> None:
        """See Background."""
        while not self.is_over:
            for replica in self._replicas:
                for name, ids in self._watched.items():
                    self._look(replica, name, ids)
            self.looks += 1
            self.pause(LOOK_EVERY_S)

    def missing(self, service_id: str) -> dict[str, float]:
        """Return where an id was missing, and when first, by replica."""
        return {
            replica: at_s
            for (replica, missed), at_s in dict(self.missing_s).items()
            if missed == service_id
        }

    def _look(self, replica: ReplicaProcess, name: str, ids: set[str]) -> None:
        reply = replica.get(f"/services/{name}", timeout_s=0.5)
        if reply is None or reply.status != 200:
            return
        answered_s = time.monotonic()
        found = reply["instances"]
        assert isinstance(found, list)
        for service_id in ids - {str(instance["service_id"]) for instance in found}:
            self.missing_s.setdefault((replica.node_id, service_id), answered_s)
