"""One HTTP request on a connection of its own, blocking, for asking replicas."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

TIMEOUT_S = 8.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read whole."""

    status: int
    body: bytes
    index: int = 0
    """``X-Registry-Index``; 0: it has none."""

    @property
    def json(self) -> dict[str, object]:
        """The body as a JSON object."""
        document: dict[str, object] = orjson.loads(self.body)
        return document

    def __getitem__(self, field: str) -> object:
        """One field of the JSON object."""
        return self.json[field]


def ask(
    url: str,
    path: str,
    *,
    method: str = "GET",
    body: object = None,
    timeout_s: float = TIMEOUT_S,
) -> Reply:
    """Send one request. Raises OSError or HTTPException when there is no answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=timeout_s
    )
    data = None if body is None else orjson.dumps(body)
    try:
        connection.request(method, path, body=data)
        answer = connection.getresponse()
        index = int(answer.getheader("X-Registry-Index", "0"))
        return Reply(answer.status, answer.read(), index)
    finally:
        connection.close()


def try_ask(url: str, path: str, *, timeout_s: float = 1.0) -> Reply | None:
    """Send a GET; None when there is no answer."""
    try:
        return ask(url, path, timeout_s=timeout_s)
    except (OSError, http.client.HTTPException):
        return None


def instances(url: str, service: str, *, query: str = "") -> list[dict[str, object]]:
    """Return what is listed of a service; the answer must be a 200."""
    reply = ask(url, f"/services/{service}{query}")
    assert reply.status == 200, reply.body
    listed = reply["instances"]
    assert isinstance(listed, list)
    return listed


def metric(url: str, name: str) -> float:
    """Return the sum of a metric's samples."""
    text = ask(url, "/metrics").body.decode()
    values = [
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.partition("{")[0].partition(" ")[0] == name
    ]
    assert values, f"there is no metric {name}"
    return sum(values)
