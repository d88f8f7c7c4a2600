"""The library's dictionaries as typed messages, where nothing is to be repaired."""

from typing import Any

from cluster.raft.wire import ForwardAnswer, Message, RequestVote, TimeoutNow, Vote


def to_message(message: dict[str, Any]) -> Message:
    """Return what the library wants to send. Raises RuntimeError for what it never may.

    Appends, acks and forwarded commands are not here: those carry repairs.
    """
    kind, term = message["type"], message.get("term", 0)
    if kind == "request_vote":
        return RequestVote(term, message["last_log_index"], message["last_log_term"])
    if kind == "response_vote":
        return Vote(term)
    if kind == "timeout_now":
        return TimeoutNow(term)
    if kind == "apply_command_response":
        return ForwardAnswer(
            message["request_id"],
            message.get("log_idx", 0),
            message.get("log_term", 0),
            message.get("error", 0),
        )
    text = f"the library sent an unexpected {kind!r}"
    raise RuntimeError(text)
