"""Instances taken out of the list on purpose: handlers of Drain and Undrain. Pure."""

from registry.catalog.commands import Drain, Key, Undrain
from registry.catalog.outcomes import Code, Outcome
from registry.catalog.records import When
from registry.catalog.state import State
from registry.model import Drain as Drained


def drain(state: State, position: int, command: Drain) -> Outcome:
    """Lay a drain over each instance, in the place of one that is there."""
    when = When(position, command.at_ms)
    drained = Drained(command.reason, command.at_ms, position, command.limit_seconds)
    codes = tuple([_drain(state, k, drained, when) for k in command.keys])
    return Outcome(Code.OK, 0, codes)


def _drain(state: State, key: Key, drained: Drained, when: When) -> Code:
    known = key in state.drains
    if not known and key not in state.slots:
        return Code.UNKNOWN_SERVICE_ID
    if not known and len(state.drains) >= state.limits.drains:
        return Code.TOO_MANY_DRAINS
    state.drains[key] = drained
    state.drains.move_to_end(key)
    state.refresh(key, when)
    return Code.OK


def undrain(state: State, position: int, command: Undrain) -> Outcome:
    """End each drain; the status that lay under it shows again."""
    when = When(position, command.at_ms)
    codes = [_undrain(state, k, command, when) for k in command.keys]
    return Outcome(Code.OK, 0, tuple(codes))


def _undrain(state: State, key: Key, command: Undrain, when: When) -> Code:
    drained = state.drains.get(key)
    if drained is None:
        return Code.NOT_DRAINED
    if command.drained_at and command.drained_at != drained.position:
        return Code.STALE_GENERATION
    del state.drains[key]
    state.refresh(key, when, command.cause)
    return Code.OK
