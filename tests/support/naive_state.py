"""What the naive catalog is made of: one list of registrations, scanned for the rest.

See ``naive_catalog``, which owns the rules; here is how little there is to keep.
"""

from msgspec.structs import replace

from registry.catalog.bounds import LIMITS, Limits
from registry.catalog.gone import Gone
from registry.model import Drain, Instance, Registration, Status, Transition
from tests.support.naive_memory import Address, Diary, Entry, Graves, Now, gone_now


class NaiveState:
    """Registrations, oldest generation first, and what is known of their addresses."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._entries: list[Entry] = []
        self._addresses: list[Address] = []
        self._status: dict[Address, tuple[Status, str]] = {}
        self._since: dict[Address, int] = {}
        self._touched: dict[str, int] = {}
        self._gone = Graves(most=limits.gone, most_bytes=limits.gone_bytes)
        self._ended = Graves(most=limits.ended, most_bytes=limits.ended_bytes)
        self._drains: list[tuple[Address, Drain]] = []
        self._diary = Diary(
            most=limits.history, most_of_service=limits.history_of_service
        )
        self._now = Now(0, 0)
        self.last_removal = 0

    def names(self) -> list[str]:
        """Return the names of services that have an instance."""
        return sorted({address[0] for address in self._addresses})

    def index_of(self, name: str) -> int:
        """Return the index that a reader of this service is shown."""
        return self._touched[name] if name in self.names() else self.last_removal

    def instances(self, name: str) -> list[Instance]:
        """Return the service's instances in the order in which they appeared."""
        return [self._instance(a) for a in self._addresses if a[0] == name]

    def registration(self, service_id: str) -> Registration | None:
        """Return the registration with this id."""
        entry = self._find(service_id)
        return None if entry is None else entry.registration

    def renewed_at(self, service_id: str) -> int | None:
        """Return the position of its last renewal, or of its expiry."""
        entry = self._find(service_id)
        return None if entry is None else entry.renewed_at

    def expired(self) -> list[str]:
        """Return the ids of those that ran out and are kept."""
        return [entry.service_id for entry in self._entries if entry.expired]

    def count(self) -> int:
        """Return the number of registrations."""
        return len(self._entries)

    def gone(self) -> list[Gone]:
        """Return those that a heartbeat could bring back, oldest first."""
        return self._gone.all

    def ended(self) -> list[Gone]:
        """Return those that ended otherwise, oldest first."""
        return self._ended.all

    def drains(self) -> list[tuple[Address, Drain]]:
        """Return the drains, oldest first."""
        return self._drains

    def history(self, name: str) -> list[Transition]:
        """Return what happened to a service, oldest first."""
        return self._diary.of(name)

    def _enter(self, entry: Entry, status: tuple[Status, str]) -> None:
        """Make ``entry`` the newest registration; who had its id before it goes."""
        self._gone.dig_up(entry.service_id)
        address = entry.address
        former, others = self._find(entry.service_id), self._behind(address)
        if former is not None:
            self._entries.remove(former)
        if (
            former not in others
            and len(others) == self._limits.registrations_per_instance
        ):
            displaced = "displaced: too many registrations behind the address"
            self._entries.remove(others[0])
            gone = gone_now(others[0], self._status[address][0], displaced, self._now)
            self._ended.bury(gone)
        self._entries.append(entry)
        if address not in self._addresses:
            self._addresses.append(address)
            self._note_leaving(address, 0)
        if self._status.get(address) != status:
            self._since[address] = self._now.at_ms
        self._status[address] = status
        self._look(address)
        if former is not None:
            self._sweep(former, "registered elsewhere")

    def _drop(self, entry: Entry, cause: str) -> Gone:
        """Take a registration out; return what may be remembered of it."""
        status = self._status[entry.address][0]
        self._entries.remove(entry)
        self._touched[entry.registration.name] = self._now.position // 256
        self._sweep(entry, cause)
        return gone_now(entry, status, cause, self._now)

    def _sweep(self, former: Entry, cause: str) -> None:
        """Take an instance off the list that nobody stands behind any more.

        One that only expired registrations stand behind is unhealthy.
        """
        address = former.address
        behind, status = self._behind(address), self._status[address][0]
        all_expired = bool(behind) and all(entry.expired for entry in behind)
        if all_expired and status is not Status.UNHEALTHY:
            left = "lease_expired: only expired registrations are left"
            self._turn(address, Status.UNHEALTHY, left)
        if behind:
            self._look(address)
        else:
            self._addresses.remove(address)
            self._note_leaving(address, self._now.position)
            del self._status[address]
            self._diary.miss(address, former.service_id, cause, self._now)

    def _note_leaving(self, address: Address, position: int) -> None:
        self._drains = [
            (key, replace(drain, left_at=position if key == address else drain.left_at))
            for key, drain in self._drains
        ]

    def _turn(self, address: Address, status: Status, cause: str) -> None:
        self._status[address] = (status, cause)
        self._since[address] = self._now.at_ms
        self._look(address)

    def _look(self, address: Address, why: str = "") -> None:
        """Note that something about an instance changed, if it is there."""
        if address in self._addresses:
            self._touched[address[0]] = self._now.position // 256
            self._diary.look(address, self._instance(address), self._now, why)

    def _behind(self, address: Address) -> list[Entry]:
        return [entry for entry in self._entries if entry.address == address]

    def _find(self, service_id: str) -> Entry | None:
        for entry in self._entries:
            if entry.service_id == service_id:
                return entry
        return None

    def _drain_of(self, address: Address) -> Drain | None:
        for key, drain in self._drains:
            if key == address:
                return drain
        return None

    def _instance(self, address: Address) -> Instance:
        behind = self._behind(address)
        status, cause = self._status[address]
        since_ms = self._since[address]
        drain = self._drain_of(address)
        if drain is not None:
            cause = f"drained: {drain.reason}" if drain.reason else "drained"
            status, since_ms = Status.DRAINING, drain.at_ms
        return Instance(
            registration=behind[-1].registration,
            status=status,
            cause=cause,
            last_heartbeat_ms=max(entry.heartbeat_ms for entry in behind),
            registrations=len(behind),
            since_ms=since_ms,
        )
