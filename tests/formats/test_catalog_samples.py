"""Every version reads what any earlier one wrote, and does the same with it.

The files were made by ``python -m tests.formats.catalog_samples``.
"""

import msgspec
import pytest

from registry.catalog import invariants, outcomes
from registry.catalog.commands import AnyCommand
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code
from registry.model import ServiceName
from tests.formats.catalog_samples import (
    FOLDER,
    HISTORY,
    SNAPSHOT,
    B,
    after_history,
    path_of,
)

COMMANDS = {name: command for name, _, command, _ in HISTORY}


def deciding(machine: CatalogMachine) -> tuple[object, ...]:
    """Return what decides; schema 1 had no history and no ``since_ms``, for people."""
    state = machine.state
    slots = [msgspec.structs.replace(s, since_ms=0) for s in state.slots.values()]
    indices = {name: service.index for name, service in state.services.items()}
    gone = list(state.gone.entries.values())
    return (state.index, state.removal_index, state.leases, slots, indices, gone)


def snapshot_chunks() -> list[bytes]:
    """Return the chunks of the sample."""
    return msgspec.msgpack.decode(path_of(SNAPSHOT).read_bytes(), type=list[bytes])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_the_log_means_what_it_meant(name: str) -> None:
    """A new field must come with a default that says what the old version did."""
    decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)

    assert decoder.decode(path_of(name).read_bytes()) == COMMANDS[name]


def test_commands_of_the_log_have_the_outcomes_they_had() -> None:
    """I1: replayed after an upgrade, the log must lead to the same answers."""
    machine = CatalogMachine()
    for name, position, _, expected in HISTORY:
        outcome = machine.apply(position, path_of(name).read_bytes())

        assert outcomes.decode(outcome) == expected, name


def test_codes_keep_their_numbers() -> None:
    """Replicas of different versions compare the CRC of outcomes."""
    numbers = {code.name: code.value for code in Code}
    known = {
        "OK": 0,
        "INTERNAL_REFUSAL": 1,
        "UNKNOWN_SERVICE_ID": 2,
        "SERVICE_ID_TAKEN": 3,
        "STALE_GENERATION": 4,
        "RENEWED_SINCE": 5,
        "UNCHANGED": 6,
        "TOO_MANY_REGISTRATIONS": 7,
        "TOO_MANY_SERVICES": 8,
        "REVIVED": 9,
        "TOO_MANY_BYTES": 10,
        "NOT_DRAINED": 11,
        "TOO_MANY_DRAINS": 12,
    }

    assert {name: numbers.get(name) for name in known} == known


def test_a_snapshot_is_restored_as_what_it_was() -> None:
    """The state that the commands before it led to, gone registrations included."""
    machine = CatalogMachine()
    for _ in machine.restore(iter(snapshot_chunks())):
        pass
    replayed = after_history()

    invariants.check(machine.state)
    assert deciding(machine) == deciding(replayed)
    assert machine.catalog.names() == (ServiceName("my-service"),)
    assert list(machine.state.gone.entries) == [B]


def test_every_sample_is_read() -> None:
    """A sample that no test knows protects nothing."""
    files = {path.stem for path in FOLDER.iterdir()}

    assert files == {*COMMANDS, SNAPSHOT}
