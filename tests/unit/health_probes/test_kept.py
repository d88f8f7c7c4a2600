"""Connections are kept for a bounded number of instances, the same ones each round."""

from registry.health.probes.kept import KeptPeers


def test_those_beyond_the_bound_close_and_the_others_stay() -> None:
    """Taking turns would keep connections that nobody uses again."""
    kept = KeptPeers(max_peers=2, idle_s=90.0)

    rounds = [
        [kept.may_keep("h", port, now_s=at_s) for port in (1, 2, 3)]
        for at_s in (0.0, 30.0, 60.0)
    ]

    assert rounds == [[True, True, False]] * 3


def test_the_place_of_one_that_is_gone_becomes_free() -> None:
    """After the time in which its connection was closed as idle."""
    kept = KeptPeers(max_peers=1, idle_s=90.0)
    kept.may_keep("h", 1, now_s=0.0)

    assert not kept.may_keep("h", 2, now_s=90.0)
    assert kept.may_keep("h", 2, now_s=91.0)
    assert not kept.may_keep("h", 1, now_s=92.0)


def test_without_places_nothing_is_kept() -> None:
    """And nothing breaks."""
    assert not KeptPeers(max_peers=0, idle_s=1.0).may_keep("h", 1, now_s=5.0)
