"""The model of one registration, for the checker: what its life may look like.

None --Register--> live --Expire--> gone --Renew--> live       without a check
                   live --Expire--> kept --Expire--> gone      with one
                                    kept --Renew, SetStatus healthy--> live
each but None --Deregister--> None
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Register,
    Renew,
    SetStatus,
)
from registry.catalog.outcomes import Code, Outcome
from registry.model import ServiceId, Status
from tests.support.history import Operation
from tests.support.wgl import IMPOSSIBLE


@dataclass(frozen=True, slots=True)
class Life:
    """Where a registration stands, and what the next command will compare."""

    stage: str
    """``live``, ``kept`` (expired, with a check) or ``gone``."""
    generation: int
    renewed_at: int
    is_checked: bool


def registration_step(state: Hashable, operation: Operation) -> Hashable:
    """Return what a registration is after ``operation``, or that it cannot be.

    The state is a Life, or None. The result of a write is the kind of command, its
    code and its position.
    """
    assert state is None or isinstance(state, Life)
    stage = None if state is None else state.stage
    if operation.op == "read":
        is_known = stage in ("live", "kept")
        shown = state.generation if state is not None and is_known else None
        return state if operation.result == shown else IMPOSSIBLE
    assert isinstance(operation.result, tuple)
    kind, code, position = operation.result
    match kind:
        case "Register" if code is Code.OK:
            return Life("live", position, position, bool(operation.argument))
        case "Deregister":
            expected = Code.UNKNOWN_SERVICE_ID if state is None else Code.OK
            return None if code is expected else IMPOSSIBLE
        case "Renew":
            by_check = bool(operation.argument)
            return _renewed(state, code, position, by_check=by_check)
        case "Expire":
            return _expired(state, code, position, operation.argument)
        case "SetStatus":
            return _checked(state, code, position, operation.argument)
    return IMPOSSIBLE


def _renewed(
    life: Life | None, code: Code, position: int, *, by_check: bool
) -> Hashable:
    if life is not None and life.stage == "live":
        return replace(life, renewed_at=position) if code is Code.OK else IMPOSSIBLE
    if life is None or by_check:
        return life if code is Code.UNKNOWN_SERVICE_ID else IMPOSSIBLE
    revived = Life("live", position, position, life.is_checked)
    return revived if code is Code.REVIVED else IMPOSSIBLE


def _expired(life: Life | None, code: Code, position: int, seen: Hashable) -> Hashable:
    assert isinstance(seen, tuple)
    if life is None or life.stage == "gone":
        return life if code is Code.UNKNOWN_SERVICE_ID else IMPOSSIBLE
    if seen[0] != life.generation:
        return life if code is Code.STALE_GENERATION else IMPOSSIBLE
    if life.renewed_at > seen[1]:
        return life if code is Code.RENEWED_SINCE else IMPOSSIBLE
    if code is not Code.OK:
        return IMPOSSIBLE
    if life.stage == "live" and life.is_checked:
        return replace(life, stage="kept", renewed_at=position)
    return replace(life, stage="gone")


def _checked(life: Life | None, code: Code, position: int, seen: Hashable) -> Hashable:
    """A check was judged; each judgement has a cause of its own, so it changes it."""
    assert isinstance(seen, tuple)
    if life is None or life.stage == "gone":
        return life if code is Code.UNKNOWN_SERVICE_ID else IMPOSSIBLE
    generation, is_healthy = seen
    if generation != life.generation:
        return life if code is Code.STALE_GENERATION else IMPOSSIBLE
    if code is not Code.OK:
        return IMPOSSIBLE
    if is_healthy:
        return replace(life, stage="live", renewed_at=position)
    return life


def parts(
    command: AnyCommand, outcome: Outcome
) -> Iterator[tuple[ServiceId, Hashable, Code]]:
    """Yield what one command did to each id that it names, for the model."""
    match command:
        case Renew():
            for service_id, code in zip(
                command.service_ids, outcome.items, strict=True
            ):
                yield service_id, command.by_check, code
        case Expire():
            for item, code in zip(command.items, outcome.items, strict=True):
                yield item.service_id, (item.generation, item.renewed_at), code
        case Register():
            yield command.service_id, command.check is not None, outcome.code
        case SetStatus():
            is_healthy = command.status is Status.HEALTHY
            yield command.service_id, (command.generation, is_healthy), outcome.code
        case Deregister():
            yield command.service_id, None, outcome.code
