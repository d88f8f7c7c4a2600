"""why, drain, undrain and history against servers with canned answers."""

import json
import os

import pytest

from tests.integration.cli.test_client_commands import run, unused_url
from tests.support.canned_server import canned_server

ANSWER = {
    "query": "web",
    "matched": "service",
    "counts": {"instances": 1, "healthy": 0},
    "instances": [],
    "findings": [{"code": "unhealthy", "text": "h:80 is unhealthy", "advice": "look"}],
}
BAD = os.fsdecode(b"\xff")
WHY = "GET /why?q=web&stale=1"


def cluster(*urls: str) -> tuple[int, str]:
    """Answer as `GET /cluster` would, with members a, b, … at these addresses."""
    members = [{"node_id": n, "http": u} for n, u in zip("abc", urls, strict=False)]
    return 200, json.dumps({"node_id": "a", "members": members})


def test_why_asks_every_member_and_names_the_silent() -> None:
    """One replica is named, all are asked."""
    said = {WHY: (200, json.dumps(ANSWER))}
    with canned_server(said) as first, canned_server(said) as second:
        first.answers["GET /cluster"] = cluster(first.url, second.url, unused_url())
        text = run(first.url, "why", "web")
        document = run(first.url, "why", "web", "--output", "json")

    lines = text.output.splitlines()
    assert lines[:3] == ["web: 0 of 1 healthy", "- h:80 is unhealthy", "    try: look"]
    assert lines[3].startswith("c did not answer: ")
    assert list(json.loads(document.output)["answers"]) == ["a", "b"]
    assert [text.exit_code, document.exit_code] == [0, 0]


def test_why_fails_if_no_member_answers() -> None:
    """With the exit code that says: try later."""
    with canned_server({}) as server:
        server.answers["GET /cluster"] = cluster(unused_url(), "")
        result = run(server.url, "why", "web")

    assert result.exit_code == 3
    assert "b: its address is not known" in result.output


def test_drain_and_undrain_name_an_instance_or_a_host() -> None:
    """With the reason and the limit where they were given."""
    done = (200, '{"status": "ok"}')
    answers = {
        "POST /instances/i%2F1/drain": done,
        "POST /instances/i%2F1/undrain": done,
        "POST /hosts/h/drain": done,
        "POST /hosts/h/undrain": done,
    }
    with canned_server(answers) as server:
        results = [
            run(server.url, "drain", "i/1", "--reason", "disk", "--for", "60"),
            run(server.url, "undrain", "i/1"),
            run(server.url, "drain", "--host", "h"),
            run(server.url, "undrain", "--host", "h"),
        ]
        wrong = [run(server.url, "drain"), run(server.url, "drain", "i", "--host", "h")]
        asked = [path for path, _ in server.asked]
        body = json.loads(server.asked[0][1])

    assert asked == list(answers)
    assert body == {"reason": "disk", "seconds": 60}
    assert [r.exit_code for r in results] == [0] * 4
    assert [r.exit_code for r in wrong] == [2, 2]
    assert results[0].output == "i/1 drained\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("why", BAD),
        ("history", BAD),
        ("drain", BAD),
        ("drain", "--host", BAD),
        ("drain", "i", "--reason", BAD),
        ("undrain", BAD),
        ("services", BAD),
        ("deregister", BAD),
        ("register", "web", "h", "80", "--tag", BAD),
    ],
)
def test_an_argument_that_is_no_text_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    """A byte that is no character cannot be sent: a line, not a traceback."""
    with canned_server({}) as server:
        result = run(server.url, *arguments)
        asked = server.asked

    assert result.exit_code == 2
    assert "must be UTF-8 text, not " in result.output
    assert asked == []


def test_history_shows_each_change_with_its_cause() -> None:
    """Newest first, as the replica gives it."""
    line = {
        "at": "2026-01-22T23:54:00Z", "service_id": "i", "host": "h", "port": 80,
        "from": "healthy", "to": "", "cause": "deregistered", "index": 7,
    }  # fmt: skip
    answers = {
        "GET /services/web/history": (200, json.dumps({"history": [line]})),
        "GET /services/no/history": (200, '{"history": []}'),
    }
    with canned_server(answers) as server:
        shown = run(server.url, "history", "web")
        nothing = run(server.url, "history", "no")

    assert "deregistered" in shown.output
    assert "h:80" in shown.output
    assert "nothing is remembered" in nothing.output
