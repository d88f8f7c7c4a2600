"""Which leases run out when, as a keeper sees them while it leads.

    sound --a third of its time left--> at risk --over--> due --> ended
      ^------------- renewed ------------'         `-- held (correlated expiry)

Only leases that live by heartbeats alone are ever at risk or held: the others have
their checks, and second opinions. Each lease is looked at when its state could change.
"""

from registry.catalog.records import Lease
from registry.catalog.views import Catalog
from registry.health.plan import CheckSettings, lease_s
from registry.leases.stamps import Stamps
from registry.leases.table import AT_RISK_SHARE, Deadlines, Share
from registry.model import ServiceId


class LeaseWatch:
    """Every lease of the catalog that can run out, entered by ``enter``."""

    def __init__(
        self, catalog: Catalog, stamps: Stamps, settings: CheckSettings
    ) -> None:
        self._catalog = catalog
        self._stamps = stamps
        self._settings = settings
        self._looks: Deadlines[ServiceId] = Deadlines()
        self._heartbeat_only: set[ServiceId] = set()
        self._at_risk: dict[ServiceId, None] = {}
        self.is_holding = False

    def __len__(self) -> int:
        return len(self._looks)

    def enter(self, service_id: ServiceId, now_s: float) -> None:
        """Watch a lease that is new or changed; one that is due is soon found."""
        if self._look(service_id, now_s):
            self._looks.put(service_id, now_s)

    def again(self, service_id: ServiceId, at_s: float) -> None:
        """Look at one again that could not be ended now."""
        self._looks.put(service_id, at_s)

    def next_s(self) -> float | None:
        """Return when one must be looked at next."""
        return self._looks.next_s()

    def take_due(self, now_s: float, most: int) -> list[ServiceId]:
        """Look at most at ``most`` leases; return those that have run out."""
        return self.still_due(self._looks.pop_due(now_s, most), now_s)

    def still_due(self, service_ids: list[ServiceId], now_s: float) -> list[ServiceId]:
        """Look again; the others go back among those that are watched."""
        return [item for item in service_ids if self._look(item, now_s)]

    def lasted_s(self, lease: Lease) -> float | None:
        """Return how long it lasts without a proof of life; None: for good."""
        if lease.expired:
            return self._settings.deregister_after_s or None
        return lease_s(lease.registration, self._settings) or None

    def is_heartbeat_only(self, service_id: ServiceId) -> bool:
        """Whether nothing but heartbeats keeps it."""
        return service_id in self._heartbeat_only

    def share(self) -> Share:
        """Return how many of those that live by heartbeats alone are at risk.

        As they were last looked at: since then some may have been renewed.
        """
        return Share(len(self._at_risk), len(self._heartbeat_only))

    def at_risk(self) -> list[ServiceId]:
        """Return what was at risk when it was last looked at; a copy."""
        return list(self._at_risk)

    def refresh(self, service_id: ServiceId, now_s: float) -> None:
        """Look whether one is still at risk; what is due stays where it is."""
        self._look(service_id, now_s)

    def _ends_s(self, lease: Lease, lasts_s: float) -> float:
        return self._stamps.at(lease.renewed_at >> 8) + lasts_s

    def _look(self, service_id: ServiceId, now_s: float) -> bool:
        """Note how a lease stands and when to look again; True if it is due."""
        lease = self._catalog.lease(service_id)
        if lease is None:
            self._forget(service_id)
            return False
        has_check = lease.expired or lease.registration.probed is not None
        lasts_s = lease.registration.ttl_seconds
        if has_check:
            lasts_s = self.lasted_s(lease) or 0.0
        if not lasts_s:  # For good.
            self._forget(service_id)
            return False
        ends_s = self._ends_s(lease, lasts_s)
        if has_check:
            self._heartbeat_only.discard(service_id)
            self._at_risk.pop(service_id, None)
            look_at_s = ends_s
        else:
            self._heartbeat_only.add(service_id)
            look_at_s = ends_s - lasts_s * AT_RISK_SHARE
            if look_at_s > now_s:
                self._at_risk.pop(service_id, None)
            else:
                self._at_risk[service_id] = None
                look_at_s = ends_s
                if self.is_holding and ends_s <= now_s:
                    look_at_s = ends_s + lasts_s
        if look_at_s <= now_s:
            return True
        self._looks.put(service_id, look_at_s)
        return False

    def _forget(self, service_id: ServiceId) -> None:
        self._looks.drop(service_id)
        self._heartbeat_only.discard(service_id)
        self._at_risk.pop(service_id, None)
