"""What the naive catalog remembers beside its registrations: plain lists, scanned.

Who is gone, and what happened. See ``naive_catalog``, which owns the rules.
"""

from dataclasses import dataclass

from registry.catalog.gone import Gone
from registry.model import Instance, Registration, ServiceId, Status, Transition

Address = tuple[str, str, int]


def same_host(one: str, other: str) -> bool:
    """Whether two spellings are of one host."""
    return one.casefold() in (f"[{other}]".casefold(), other.casefold()) or (
        other.casefold() == f"[{one}]".casefold()
    )


@dataclass
class Entry:
    """One registration that is there."""

    registration: Registration
    renewed_at: int
    heartbeat_ms: int
    size: int
    expired: bool = False

    @property
    def address(self) -> Address:
        """Return the address that it is a claim on."""
        registration = self.registration
        return (registration.name, registration.host, registration.port)

    @property
    def service_id(self) -> ServiceId:
        """Return its id."""
        return self.registration.service_id


@dataclass(frozen=True)
class Now:
    """The command that is being carried out."""

    position: int
    at_ms: int


class Graves:
    """Registrations that are no more, oldest first, so many and so heavy at most."""

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self.all: list[Gone] = []

    def bury(self, gone: Gone) -> None:
        """Remember one that goes now."""
        self.all.append(gone)
        self.all = self.all[-self._most :]
        while sum(g.size_bytes for g in self.all) > self._most_bytes:
            self.all.pop(0)

    def find(self, service_id: str) -> Gone | None:
        """Return who had this id."""
        for gone in self.all:
            if gone.registration.service_id == service_id:
                return gone
        return None

    def dig_up(self, service_id: str) -> None:
        """Forget who had this id."""
        self.all = [g for g in self.all if g.registration.service_id != service_id]

    def forget(self, before: int, most: int) -> int:
        """Forget the oldest; return how many."""
        count = 0
        while self.all and count < most and self.all[0].position < before:
            self.all.pop(0)
            count += 1
        return count


def gone_now(
    entry: Entry, status: Status, cause: str, now: Now, *, position: int | None = None
) -> Gone:
    """Return what is remembered of a registration that goes."""
    return Gone(
        entry.registration,
        status,
        entry.heartbeat_ms,
        now.at_ms,
        entry.size,
        now.position if position is None else position,
        cause,
    )


class Diary:
    """What was seen to change, oldest first."""

    def __init__(self, *, most: int, most_of_service: int) -> None:
        self._most = most
        self._most_of_service = most_of_service
        self._seen: dict[Address, tuple[str, str]] = {}
        self._lines: list[tuple[str, Transition]] = []

    def of(self, name: str) -> list[Transition]:
        """Return what happened to a service."""
        return [line for service, line in self._lines if service == name]

    def look(self, address: Address, shown: Instance, now: Now, why: str = "") -> None:
        """Note what is new about an instance that is there."""
        status, cause = shown.status.value, shown.cause
        was, was_cause = self._seen.get(address, ("", ""))
        self._seen[address] = (status, cause)
        if (was, was_cause) != (status, cause):
            who = shown.registration.service_id
            self._write(address, who, (was, status), why or cause, now)

    def miss(self, address: Address, who: ServiceId, cause: str, now: Now) -> None:
        """Note that an instance is no longer there."""
        was, _cause = self._seen.pop(address)
        self._write(address, who, (was, ""), cause, now)

    def _write(
        self,
        address: Address,
        who: ServiceId,
        change: tuple[str, str],
        cause: str,
        now: Now,
    ) -> None:
        name, host, port = address
        line = Transition(now.position, now.at_ms, who, host, port, *change, cause)
        self._lines.append((name, line))
        if len(self.of(name)) > self._most_of_service:
            self._lines.remove((name, self.of(name)[0]))
        self._lines = self._lines[-self._most :]
