"""I10: a replica never passes an empty or older catalog off as true."""

import asyncio

import pytest

from registry.discovery import PLAIN, Consistency, Provenance
from registry.errors import IndexNotReached, NoLeader, NotCaughtUp
from tests.support.use_cases import UseCases

CONSISTENT = Consistency(consistent=True)
STALE = Consistency(stale=True)


async def test_a_replica_in_contact_answers_at_once_and_without_age() -> None:
    """The hot path asks nobody."""
    cases = UseCases()

    provenance = await cases.discovery.reach(PLAIN, deadline_s=cases.now_s)

    assert provenance == Provenance()
    assert cases.consensus.barriers == 0


async def test_before_it_has_caught_up_a_replica_refuses() -> None:
    """An empty list from a fresh replica would send its readers nowhere."""
    cases = UseCases()
    cases.consensus.not_caught_up("b, c to found the cluster")

    with pytest.raises(NotCaughtUp, match="b, c to found the cluster"):
        await cases.discovery.reach(PLAIN, deadline_s=cases.now_s)


async def test_stale_reads_what_the_disk_held_and_says_so() -> None:
    """In a disaster an old address is better than none, if the reader knows."""
    cases = UseCases()
    await cases.register()
    cases.consensus.not_caught_up()

    provenance = await cases.discovery.reach(STALE, deadline_s=cases.now_s)

    assert provenance.stale


async def test_before_the_disk_is_read_even_a_stale_answer_is_refused() -> None:
    """It would be invented: empty, whatever the disk holds (I10)."""
    cases = UseCases()
    cases.consensus.not_recovered()

    with pytest.raises(NotCaughtUp, match="data directory"):
        await cases.discovery.reach(STALE, deadline_s=cases.now_s)


@pytest.mark.parametrize(("silent_s", "age_ms"), [(0.9, None), (1.5, 1500)])
async def test_a_silent_leader_shows_as_age_after_a_second(
    silent_s: float, age_ms: int | None
) -> None:
    """Reads outlive the quorum, but tell how old they may be."""
    cases = UseCases()
    cases.consensus.silent_leader(silent_s)

    provenance = await cases.discovery.reach(PLAIN, deadline_s=cases.now_s)

    assert provenance == Provenance(age_ms=age_ms)


async def test_a_consistent_read_passes_a_barrier() -> None:
    """It sees every write acknowledged before it, wherever that was."""
    cases = UseCases()

    await cases.discovery.reach(CONSISTENT, deadline_s=cases.now_s)

    assert cases.consensus.barriers == 1


async def test_a_consistent_read_without_a_leader_fails_at_its_deadline() -> None:
    """It must never fall back to a local answer."""
    cases = UseCases()
    cases.consensus.silent_leader(3.0)

    with pytest.raises(NoLeader):
        await cases.discovery.reach(CONSISTENT, deadline_s=cases.now_s)


async def test_min_index_waits_until_this_replica_has_applied_it() -> None:
    """I7: read your writes, on whichever replica the next request lands."""
    cases = UseCases()
    wanted = Consistency(min_index=2)
    reading = asyncio.create_task(
        cases.discovery.reach(wanted, deadline_s=cases.now_s + 60.0)
    )
    await asyncio.sleep(0)

    await cases.consensus.advance_index()
    await asyncio.sleep(0)
    assert not reading.done()
    await cases.consensus.advance_index()

    assert await reading == Provenance()


async def test_min_index_that_is_not_reached_says_where_the_replica_is() -> None:
    """The client may then ask another replica."""
    cases = UseCases()
    await cases.register()

    with pytest.raises(IndexNotReached, match=r"index 5 .* at 1"):
        await cases.discovery.reach(Consistency(min_index=5), deadline_s=cases.now_s)


async def test_an_election_ends_the_wait_of_a_consistent_read() -> None:
    """Requests wait for the cluster, not the other way round."""
    cases = UseCases()
    cases.consensus.not_caught_up()
    reading = asyncio.create_task(
        cases.discovery.reach(CONSISTENT, deadline_s=cases.now_s + 60.0)
    )
    await asyncio.sleep(0)

    await cases.consensus.elect()

    assert await reading == Provenance()


async def test_counts_are_unknown_before_the_replica_has_caught_up() -> None:
    """`/health` says null rather than 0."""
    cases = UseCases()
    cases.consensus.not_caught_up()

    assert cases.discovery.counts() is None
