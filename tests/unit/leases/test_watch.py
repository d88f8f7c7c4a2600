"""Which leases are at risk, due or held, by the catalog and the stamps alone."""

from registry.health.plan import CheckSettings
from registry.leases.stamps import Stamps
from registry.leases.table import Share
from registry.leases.watch import LeaseWatch
from registry.model import ServiceId
from tests.support.catalog_driver import CatalogDriver

TTL_S = 300.0
"""Of what the driver registers, unless told otherwise."""


class Watched:
    """A catalog, the times at which its entries were applied, and the watch."""

    def __init__(self, *ids: str) -> None:
        self.log = CatalogDriver()
        self.stamps = Stamps()
        self.watch = LeaseWatch(self.log.catalog, self.stamps, CheckSettings())
        for number, service_id in enumerate(ids):
            self.log.register(service_id, port=8500 + number)
            self.stamps.note(self.log.index, 0.0)
            self.watch.enter(ServiceId(service_id), 0.0)

    def renew(self, service_id: str, at_s: float) -> None:
        """Take a heartbeat."""
        self.log.renew(service_id)
        self.stamps.note(self.log.index, at_s)

    def refresh(self, now_s: float) -> None:
        """Look at all that are at risk."""
        for service_id in self.watch.at_risk():
            self.watch.refresh(service_id, now_s)


def test_a_lease_is_at_risk_with_a_third_of_its_time_left() -> None:
    """Not before, and it is looked at just then."""
    world = Watched("a")
    assert world.watch.next_s() == TTL_S * 2 / 3
    assert world.watch.take_due(199.9, 9) == []
    assert world.watch.share() == Share(0, 1)
    assert world.watch.take_due(200.0, 9) == []
    assert world.watch.share() == Share(1, 1)
    assert world.watch.take_due(TTL_S, 9) == ["a"]


def test_a_renewal_is_seen_when_it_is_looked_at() -> None:
    """Until then it counts as at risk: the share is never too small."""
    world = Watched("a", "b")
    world.watch.take_due(200.0, 9)
    world.renew("a", 201.0)
    assert world.watch.share() == Share(2, 2)
    world.refresh(202.0)
    assert world.watch.share() == Share(1, 2)
    assert world.watch.take_due(TTL_S, 9) == ["b"]


def test_what_is_due_and_only_looked_at_again_is_not_lost() -> None:
    """It is still taken, and once."""
    world = Watched("a")
    world.watch.take_due(200.0, 9)
    world.refresh(TTL_S + 1.0)
    assert world.watch.take_due(TTL_S + 1.0, 9) == ["a"]
    assert world.watch.take_due(TTL_S + 1.0, 9) == []


def test_a_held_lease_is_due_one_more_time_to_live_later() -> None:
    """And at once when the hold is over."""
    world = Watched("a", "b")
    world.watch.is_holding = True
    assert world.watch.take_due(200.0, 9) == []
    assert world.watch.take_due(TTL_S, 9) == []
    assert world.watch.take_due(2 * TTL_S - 0.1, 9) == []
    world.watch.is_holding = False
    world.watch.enter(ServiceId("a"), TTL_S + 1.0)
    assert world.watch.take_due(TTL_S + 1.0, 9) == ["a"]
    assert world.watch.take_due(2 * TTL_S, 9) == ["b"]


def test_what_is_gone_is_forgotten_when_it_is_entered_again() -> None:
    """It neither counts as alive nor as at risk."""
    world = Watched("a", "b")
    world.watch.take_due(200.0, 9)
    world.log.deregister("a")
    world.watch.enter(ServiceId("a"), 201.0)
    assert world.watch.share() == Share(1, 1)
    assert len(world.watch) == 1
