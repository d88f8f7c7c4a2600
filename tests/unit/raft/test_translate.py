"""Translate: what the library says, as messages; what it may never say, as an error."""

import pytest

from cluster.raft.translate import to_message
from cluster.raft.wire import ForwardAnswer, Message, RequestVote, TimeoutNow, Vote

TRANSLATIONS: list[tuple[dict[str, object], Message]] = [
    (
        {"type": "request_vote", "term": 4, "last_log_index": 9, "last_log_term": 3},
        RequestVote(4, 9, 3),
    ),
    ({"type": "response_vote", "term": 4}, Vote(4)),
    ({"type": "timeout_now", "term": 5}, TimeoutNow(5)),
    (
        {
            "type": "apply_command_response",
            "request_id": 7,
            "log_idx": 12,
            "log_term": 5,
        },
        ForwardAnswer(7, 12, 5, 0),
    ),
    (
        {"type": "apply_command_response", "request_id": 7, "error": 2},
        ForwardAnswer(7, 0, 0, 2),
    ),
]


@pytest.mark.parametrize(
    ("said", "message"), TRANSLATIONS, ids=lambda v: str(type(v).__name__)
)
def test_each_kind_has_its_message(said: dict[str, object], message: Message) -> None:
    """Nothing of it is lost."""
    assert to_message(said) == message


@pytest.mark.parametrize(
    "kind", ["append_entries", "next_node_idx", "apply_command", "add", ""]
)
def test_anything_else_is_a_mistake(kind: str) -> None:
    """What carries a repair, or belongs to a feature that is off, must not slip by."""
    with pytest.raises(RuntimeError, match="unexpected"):
        to_message({"type": kind})
