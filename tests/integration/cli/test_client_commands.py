"""status, services, register, deregister against servers with canned answers."""

import json
import socket

from click.testing import CliRunner, Result

from registry.commands.root import root
from tests.support.canned_server import HANG_UP, canned_server

WEB = {
    "service_name": "web",
    "instances": [
        {"service_id": "id-1", "host": "h", "port": 80, "status": "healthy",
         "last_heartbeat": "2026-01-22T23:54:00Z"},
    ],
}  # fmt: skip
NO_LEADER = (503, '{"detail": "nobody leads", "code": "no_leader"}')


def run(url: str, *arguments: str) -> Result:
    """Run a command against ``url``, named in the environment."""
    return CliRunner().invoke(root, arguments, env={"SERVICE_REGISTRY_URL": url})


def unused_url() -> str:
    """Return an address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_services_lists_and_shows_one() -> None:
    """In a table without cut ids, and as the replica's own JSON."""
    listed = {"services": [{"service_name": "web", "instances": 1, "healthy": 1}]}
    answers = {
        "GET /services?limit=1000": (200, json.dumps(listed)),
        "GET /services/web": (200, json.dumps(WEB)),
    }
    with canned_server(answers) as server:
        all_services = run(server.url, "services")
        one = run(server.url, "services", "web")
        as_json = run(server.url, "services", "web", "--output", "json")

    assert "web" in all_services.output
    assert "id-1" in one.output
    assert "h:80" in one.output
    assert json.loads(as_json.output) == WEB
    assert {r.exit_code for r in (all_services, one, as_json)} == {0}


def test_an_unknown_service_is_told_from_one_that_is_all_unhealthy() -> None:
    """A mistyped name and an outage are mended by different people."""
    nothing = (200, '{"instances": []}')
    answers = {
        "GET /services/a%2Fb": nothing,
        "GET /services/a%2Fb?status=all": nothing,
        "GET /services/web": nothing,
        "GET /services/web?status=all": (200, json.dumps(WEB)),
    }
    with canned_server(answers) as server:
        unknown = run(server.url, "services", "a/b")
        unknown_of_all = run(server.url, "services", "a/b", "--all")
        unhealthy = run(server.url, "services", "web")

    assert unknown.output == "a/b: unknown; nothing is registered under this name\n"
    assert unknown_of_all.output == unknown.output
    assert unhealthy.output == "web: 0 of 1 healthy; --all shows them\n"
    assert {r.exit_code for r in (unknown, unknown_of_all, unhealthy)} == {0}


def test_services_reads_all_pages() -> None:
    """A registry of thousands of services is shown whole."""
    names = [f"s{i:04}" for i in range(1500)]

    def page(part: list[str]) -> tuple[int, str]:
        return 200, json.dumps({"services": [{"service_name": n} for n in part]})

    answers = {
        "GET /services?limit=1000": page(names[:1000]),
        "GET /services?limit=1000&after=s0999": page(names[1000:]),
    }
    with canned_server(answers) as server:
        result = run(server.url, "services", "--output", "json")

    listed = json.loads(result.output)["services"]
    assert [service["service_name"] for service in listed] == names


def test_register_tries_the_next_replica_under_the_same_id() -> None:
    """The first may have done it before it hung up: one id, so one registration."""
    done = (200, '{"service_id": "answered", "status": "registered"}')
    with (
        canned_server({"POST /register": HANG_UP}) as first,
        canned_server({"POST /register": NO_LEADER}) as second,
        canned_server({"POST /register": done}) as third,
    ):
        urls = ",".join((unused_url(), first.url, second.url, third.url))
        result = run(
            urls, "register", "web", "h", "80", "--tag", "x", "--metadata", "k=v",
            "--ttl", "30",
        )  # fmt: skip
        bodies = [json.loads(s.asked[0][1]) for s in (first, second, third)]

    assert result.exit_code == 0
    assert result.output == "answered\n"
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0].pop("service_id")
    assert bodies[0] == {
        "name": "web", "host": "h", "port": 80, "tags": ["x"], "metadata": {"k": "v"},
        "ttl_seconds": 30,
    }  # fmt: skip


def test_when_nobody_can_answer_each_reason_is_told() -> None:
    """Exit code 3: a later try may work."""
    with (
        canned_server({"GET /cluster": NO_LEADER}) as first,
        canned_server({"GET /cluster": HANG_UP}) as second,
    ):
        result = run(f"{unused_url()},{first.url},{second.url}", "status")

    assert result.exit_code == 3
    assert "nothing listens there" in result.output
    assert "nobody leads (no_leader)" in result.output
    assert "does not speak HTTP" in result.output or "closed" in result.output
    assert "Traceback" not in result.output


def test_for_programs_a_refusal_is_its_problem_document_on_stderr() -> None:
    """A script reads the code there; stdout stays free of what is no answer."""
    problem = {"detail": "id x belongs to db", "code": "service_id_taken", "é": 1}
    missing = {"detail": "no such thing", "code": "not_found"}
    answers = {"POST /register": (409, json.dumps(problem))}
    as_json = ("--output", "json")
    with canned_server(answers) as server:
        refused = run(server.url, "register", "web", "h", "80", *as_json)
        absent = run(server.url, "deregister", "x", *as_json)
        mistaken = run(
            server.url, "register", "w", "h", "80", "--metadata", "x", *as_json
        )

    assert json.loads(refused.stderr) == problem
    assert json.loads(absent.stderr) == missing
    assert list(json.loads(mistaken.stderr)) == ["detail"]
    assert [r.stdout for r in (refused, absent, mistaken)] == [""] * 3
    assert [r.exit_code for r in (refused, absent, mistaken)] == [1, 1, 2]


def test_for_programs_each_replica_that_could_not_answer_is_told() -> None:
    """With the problem document of those that gave one."""
    silent = unused_url()
    with canned_server({"GET /cluster": NO_LEADER}) as server:
        result = run(f"{silent},{server.url}", "status", "--output", "json")

    tried = json.loads(result.stderr)["tried"]
    assert result.exit_code == 3
    assert [each["url"] for each in tried] == [silent, server.url]
    assert tried[0]["detail"] == "nothing listens there"
    assert tried[1]["problem"] == json.loads(NO_LEADER[1])


def test_a_refusal_is_one_line_with_its_code() -> None:
    """And the next replica is not asked: it would refuse as well."""
    taken = (409, '{"detail": "id x belongs to db", "code": "service_id_taken"}')
    with (
        canned_server({"POST /register": taken}) as first,
        canned_server({}) as second,
    ):
        result = run(f"{first.url},{second.url}", "register", "web", "h", "80")

    assert result.exit_code == 1
    assert result.output == "Error: id x belongs to db (service_id_taken)\n"
    assert second.asked == []


def test_deregister_takes_a_repeated_404_for_done() -> None:
    """The try before may have removed it; but an unknown id is said to be unknown."""
    done = (200, '{"service_id": "x", "status": "deregistered"}')
    with (
        canned_server({"DELETE /deregister/x": HANG_UP}) as lost,
        canned_server({}) as without,
        canned_server({"DELETE /deregister/x": done}) as having,
    ):
        plainly = run(having.url, "deregister", "x")
        repeated = run(f"{lost.url},{without.url}", "deregister", "x")
        unknown = run(without.url, "deregister", "x")

    assert plainly.output == repeated.output == "x deregistered\n"
    assert unknown.exit_code == 1
    assert "x is not registered" in unknown.output


def test_status_ends_with_1_while_nobody_leads() -> None:
    """So that a script can wait for a cluster."""
    known = {"node_id": "a", "leader": "a", "caught_up": True, "members": []}
    answers = {
        "led": (known, 0),
        "leaderless": (known | {"leader": None}, 1),
        "behind": (known | {"caught_up": False}, 1),
    }
    for body, code in answers.values():
        with canned_server({"GET /cluster": (200, json.dumps(body))}) as server:
            assert run(server.url, "status").exit_code == code
            as_json = run(server.url, "status", "--output", "json")
        assert as_json.exit_code == code
        assert json.loads(as_json.stdout) == body
        assert ("code" in as_json.stderr) == bool(code)


def test_something_else_at_the_port_is_said_so() -> None:
    """Another web server must not give a traceback."""
    for command in ("status", "services"):
        with canned_server(
            {"GET /cluster": (200, "<html>"), "GET /services?limit=1000": (200, "[]")}
        ) as server:
            result = run(server.url, command)

        assert result.exit_code == 1
        assert "service registry" in result.output
