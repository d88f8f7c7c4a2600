"""What `registry why` makes of several replicas' answers."""

from registry.commands.why import merged_lines

REFUSED = {"code": "refused", "text": "1 refused here: port", "advice": "mend it"}
UNKNOWN = {"code": "unknown", "text": "nothing is known as x", "advice": ""}


def answer(*findings: dict[str, str]) -> dict[str, object]:
    """Return one replica's answer about an unknown name."""
    return {"query": "x", "matched": "nothing", "findings": list(findings)}


def test_what_all_replicas_say_is_said_once() -> None:
    """Three times the same is no news."""
    same = {node_id: answer(UNKNOWN) for node_id in "abc"}
    assert merged_lines(same, {}) == ["- nothing is known as x"]


def test_what_only_some_say_is_told_with_who_says_it() -> None:
    """Refusals stay with the replica that refused."""
    answers = {"a": answer(UNKNOWN, REFUSED), "b": answer(UNKNOWN)}
    lines = merged_lines(answers, {})

    assert lines[0] == "- nothing is known as x"
    assert lines[1] == "only a: 1 refused here: port\n    try: mend it"


def test_those_that_did_not_answer_are_named() -> None:
    """Their silence may be the reason."""
    lines = merged_lines({"a": answer(UNKNOWN)}, {"b": "timed out"})
    assert lines[-1] == "b did not answer: timed out"


def test_a_time_that_is_not_known_is_not_told() -> None:
    """An older version did not note it."""
    instance = {"host": "h", "port": 80, "status": "healthy", "cause": "registered"}
    known = {**instance, "since": "2026-01-22T23:54:00Z", "service_id": "i"}
    lines = merged_lines(
        {
            "a": {
                "matched": "host",
                "instances": [{**instance, "service_id": "j"}, known],
            }
        },
        {},
    )

    assert lines == [
        "- h:80 is healthy: registered (j)",
        "- h:80 is healthy since 2026-01-22T23:54:00Z: registered (i)",
    ]


def test_control_characters_of_clients_do_not_reach_the_terminal() -> None:
    """Causes and names are what clients sent."""
    lines = merged_lines({"a": answer({"code": "x", "text": "a\x1b[2J"})}, {})
    assert lines == ["- a\\x1b[2J"]
