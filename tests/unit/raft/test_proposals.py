"""Proposals: one attempt, and what each answer of the library means for it."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.flight import Verdict
from cluster.identity import Standing
from cluster.ledger import BatchResult
from cluster.raft.library import FAIL_REASON
from cluster.raft.proposals import submit
from tests.support.virtual import virtually

NEVER_IN_THE_LOG = (
    FAIL_REASON.MISSING_LEADER,
    FAIL_REASON.NOT_LEADER,
    FAIL_REASON.REQUEST_DENIED,
    FAIL_REASON.DISCARDED,
)


class Node:
    """Stands for a RaftNode: notes what is proposed."""

    def __init__(self, standing: Standing = Standing.MEMBER) -> None:
        self.identity = SimpleNamespace(standing=standing)
        self.core = self
        self.proposed: list[tuple[bytes, Callable[[Any, int], None]]] = []
        self.forgotten: list[Callable[[Any, int], None]] = []

    def propose(self, payload: bytes, answer: Callable[[Any, int], None]) -> None:
        """Note it."""
        self.proposed.append((payload, answer))

    def forget(self, answer: Callable[[Any, int], None]) -> None:
        """Note it."""
        self.forgotten.append(answer)


class Asked:
    """One attempt on a node."""

    def __init__(self, node: Any) -> None:
        self.answers: list[tuple[Verdict, BatchResult | None]] = []
        self.forget = submit(node, b"batch", lambda *said: self.answers.append(said))


def verdict(reason: int) -> Verdict:
    """Return what the library's ``reason`` comes to."""
    node = Node()
    asked = Asked(node)
    node.proposed[0][1](None, reason)
    return asked.answers[0][0]


def test_the_result_comes_with_success() -> None:
    """As the ledger gave it."""
    node, result = Node(), BatchResult(7, [b"x"])
    asked = Asked(node)
    (payload, answer), *_ = node.proposed
    answer(result, FAIL_REASON.SUCCESS)

    assert payload == b"batch"
    assert asked.answers == [(Verdict.DONE, result)]


@pytest.mark.parametrize("reason", NEVER_IN_THE_LOG)
def test_what_was_certainly_not_appended_is_refused(reason: int) -> None:
    """Its batch may dissolve."""
    assert verdict(reason) is Verdict.REFUSED


def test_a_full_queue_is_told_apart() -> None:
    """Its callers are refused at once, to relieve the leader."""
    assert verdict(FAIL_REASON.QUEUE_FULL) is Verdict.OVERLOADED


@pytest.mark.parametrize(
    "reason", [FAIL_REASON.LEADER_CHANGED, FAIL_REASON.UNKNOWN_OUTCOME, 99]
)
def test_anything_else_may_be_in_the_log(reason: int) -> None:
    """Also a reason that this version of the library does not have."""
    assert verdict(reason) is Verdict.UNKNOWN


def test_who_forgets_is_no_longer_in_the_librarys_tables() -> None:
    """Nobody waits for ever there."""
    node = Node()
    asked = Asked(node)
    asked.forget()

    assert node.forgotten == [node.proposed[0][1]]


@virtually
async def test_before_there_is_a_cluster_it_is_refused_a_moment_later() -> None:
    """No tick would carry it; the answer comes after ``submit`` has returned."""
    node = Node(Standing.EMPTY)
    asked = Asked(node)
    assert asked.answers == []
    await asyncio.sleep(0)

    assert asked.answers == [(Verdict.REFUSED, None)]
    assert node.proposed == []


@virtually
async def test_that_refusal_can_be_forgotten_as_well() -> None:
    """The batcher may have gone on to another attempt."""
    asked = Asked(Node(Standing.EMPTY))
    asked.forget()
    await asyncio.sleep(0)

    assert asked.answers == []
