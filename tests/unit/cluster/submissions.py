"""Stands behind a batcher: notes what is proposed, answers when told to."""

import asyncio
from collections.abc import Callable

import msgspec

from cluster.batcher import Batcher
from cluster.config import Limits, Timing
from cluster.flight import Answer, Verdict
from cluster.ledger import Batch, BatchResult

INCARNATION = b"12345678"


class Submissions:
    """Every attempt, in order."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.schema = 3
        self.payloads: list[bytes] = []
        self.answers: list[Answer] = []
        self.forgotten: list[int] = []
        self.batcher = Batcher(
            "a",
            INCARNATION,
            self.submit,
            timing=Timing(),
            limits=limits or Limits(),
            schema=lambda: self.schema,
        )

    def submit(self, payload: bytes, answer: Answer) -> Callable[[], None]:
        """Note an attempt."""
        number = len(self.payloads)
        self.payloads.append(payload)
        self.answers.append(answer)
        return lambda: self.forgotten.append(number)

    def batch(self, attempt: int = -1) -> Batch:
        """Return what an attempt proposed."""
        return msgspec.msgpack.decode(self.payloads[attempt], type=Batch)

    def done(self, index: int, attempt: int = -1) -> None:
        """Answer an attempt: applied at ``index``, each command by itself."""
        outcomes = [b"did " + command for command in self.batch(attempt).commands]
        self.answers[attempt](Verdict.DONE, BatchResult(index, outcomes))

    def say(self, verdict: Verdict, attempt: int = -1) -> None:
        """Answer an attempt otherwise."""
        self.answers[attempt](verdict, None)


async def turns(count: int = 3) -> None:
    """Let a few turns of the loop pass, and no time."""
    for _ in range(count):
        await asyncio.sleep(0)


async def pass_s(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


def now_s() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()
