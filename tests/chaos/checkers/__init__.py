"""What a run must have kept, each promise in a pure function of the evidence."""

from collections.abc import Callable

from tests.chaos.checkers.answers import check_answers
from tests.chaos.checkers.availability import check_availability
from tests.chaos.checkers.content import check_content
from tests.chaos.checkers.linearizable import check_linearizable
from tests.chaos.checkers.lives import check_lives
from tests.chaos.checkers.replicas import check_replicas
from tests.chaos.checkers.sessions import check_sessions
from tests.chaos.checkers.writes import check_writes
from tests.chaos.evidence import Evidence
from tests.chaos.findings import Finding

CHECKERS: dict[str, Callable[[Evidence], list[Finding]]] = {
    "linearizable": check_linearizable,
    "sessions": check_sessions,
    "writes": check_writes,
    "lives": check_lives,
    "answers": check_answers,
    "content": check_content,
    "availability": check_availability,
    "replicas": check_replicas,
}


def judge(evidence: Evidence) -> list[Finding]:
    """Return what every checker has found."""
    return [finding for check in CHECKERS.values() for finding in check(evidence)]
