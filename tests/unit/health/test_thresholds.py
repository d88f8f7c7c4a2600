"""The judgement of one instance: thresholds, pace, flapping."""

import itertools

from registry.health.plan import Plan
from registry.health.thresholds import Action, Judgement
from registry.model import Status
from registry.ports import ProbeResult
from tests.unit.health.world import BROKEN, PASSED, REFUSED

OURS = ProbeResult(passed=False, cause="no descriptor left", is_ours=True)
HEALTHY, UNHEALTHY, STARTING = Status.HEALTHY, Status.UNHEALTHY, Status.STARTING


def _plan(*, failures: int = 3, successes: int = 1, lease_s: float = 300.0) -> Plan:
    return Plan("http", "h", 80, "/", 30.0, 5.0, failures, successes, 0, lease_s)


def _delays(
    judgement: Judgement, result: ProbeResult, count: int, at_s: float = 1e6
) -> list[float]:
    delays = []
    for _ in range(count):
        step = judgement.observe(result, at_s)
        at_s += step.delay_s
        delays.append(step.delay_s)
    return delays


def test_failures_in_a_row_make_it_suspect() -> None:
    """The seed's rule; the cause says what was seen, and the threshold."""
    judgement = Judgement(_plan(), HEALTHY)

    steps = [judgement.observe(BROKEN, 30.0 * n) for n in range(3)]

    assert [s.action for s in steps] == [Action.NOTHING, Action.NOTHING, Action.SUSPECT]
    assert steps[-1].cause == "check_failed: 503 (3 of 3)"


def test_one_success_restarts_the_count() -> None:
    """In a row, or it means nothing."""
    judgement = Judgement(_plan(), HEALTHY)
    results = [BROKEN, BROKEN, PASSED, BROKEN, BROKEN]

    actions = {judgement.observe(r, 0.0).action for r in results}

    assert actions == {Action.NOTHING}


def test_a_suspect_is_asked_for_with_each_probe_until_it_was_asked() -> None:
    """A question that got lost is put again by the next probe."""
    judgement = Judgement(_plan(), HEALTHY)
    for n in range(3):
        judgement.observe(BROKEN, 30.0 * n)

    assert judgement.observe(BROKEN, 90.0).action is Action.SUSPECT
    judgement.asked(90.0)
    assert judgement.observe(BROKEN, 120.0).action is Action.NOTHING
    assert judgement.observe(BROKEN, 150.0).action is Action.NOTHING
    assert judgement.observe(BROKEN, 180.0).action is Action.SUSPECT


def test_a_short_lease_is_asked_for_more_often() -> None:
    """While the leader cannot reach it, the others' answers are its proof of life."""
    judgement = Judgement(_plan(lease_s=65.0), HEALTHY)
    for n in range(3):
        judgement.observe(BROKEN, 30.0 * n)
    judgement.asked(60.0)

    assert judgement.observe(BROKEN, 90.0).action is Action.SUSPECT


def test_a_late_probe_asks_before_the_lease_is_over() -> None:
    """With thousands that hang, probes come late: failures in a row would take longer
    than the lease, and the others' answers are its only proof of life.
    """
    judgement = Judgement(_plan(lease_s=113.0), HEALTHY)
    judgement.observe(PASSED, 0.0)

    step = judgement.observe(BROKEN, 55.0)

    assert step.action is Action.SUSPECT
    assert step.cause == "check_failed: 503 (1 of 3)"


def test_at_its_pace_nobody_is_asked_before_all_failures() -> None:
    """A lease lasts a whole verdict, each probe taking all of its time-out."""
    judgement = Judgement(_plan(lease_s=103.0), HEALTHY)
    judgement.observe(PASSED, 0.0)

    steps = [judgement.observe(BROKEN, 30.0 * n + 5.0) for n in (1, 2, 3)]

    assert [s.action for s in steps] == [Action.NOTHING, Action.NOTHING, Action.SUSPECT]


def test_a_permanent_one_is_never_asked_about_early() -> None:
    """It has no lease that could run out."""
    judgement = Judgement(_plan(lease_s=0.0), HEALTHY)

    assert judgement.observe(BROKEN, 1e6).action is Action.NOTHING


def test_what_says_nothing_of_the_instance_counts_nothing() -> None:
    """Descriptors that ran out here are no failures in a row there."""
    judgement = Judgement(_plan(), HEALTHY)
    results = [BROKEN, BROKEN, OURS, OURS, BROKEN]

    steps = [judgement.observe(r, 10.0 * n) for n, r in enumerate(results)]

    actions = [s.action for s in steps]
    assert actions == [Action.NOTHING] * 4 + [Action.SUSPECT]
    assert steps[2].delay_s == 10.0


def test_the_others_are_asked_about_what_we_cannot_probe() -> None:
    """Before its lease is over, and each time again."""
    judgement = Judgement(_plan(lease_s=103.0), HEALTHY)
    judgement.observe(PASSED, 0.0)
    actions = [judgement.observe(OURS, 10.0 * n).action for n in range(1, 8)]

    assert actions == [Action.NOTHING] * 6 + [Action.SUSPECT]


def test_successes_in_a_row_turn_it_healthy() -> None:
    """A second apart: an instance that is wanted back should not wait an interval."""
    judgement = Judgement(_plan(successes=2), UNHEALTHY)

    first = judgement.observe(PASSED, 0.0)
    second = judgement.observe(PASSED, 1.0)

    assert (first.action, first.delay_s) == (Action.NOTHING, 1.0)
    assert (second.action, second.cause) == (Action.PASS, "check_passed")


def test_a_starting_one_takes_the_same_paths() -> None:
    """The strict choice: not listed before the first success."""
    assert Judgement(_plan(), STARTING).observe(PASSED, 0.0).action is Action.PASS
    failing = Judgement(_plan(failures=1), STARTING)
    assert failing.observe(BROKEN, 0.0).action is Action.SUSPECT


def test_what_expired_comes_back_by_passing_whatever_its_status() -> None:
    """Only its SetStatus ends the expiry."""
    judgement = Judgement(_plan(), HEALTHY, is_expired=True)

    assert judgement.observe(PASSED, 0.0).action is Action.PASS


def test_refused_is_asked_again_soon_until_it_is_enough() -> None:
    """It was told at once; but a leader cut off must not ask each second for ever."""
    judgement = Judgement(_plan(), HEALTHY)

    assert _delays(judgement, REFUSED, 5) == [1.0, 1.0, 30.0, 30.0, 30.0]


def test_a_bad_status_keeps_the_interval() -> None:
    """Who answers badly, or late, is busy enough."""
    judgement = Judgement(_plan(), HEALTHY)

    assert _delays(judgement, BROKEN, 4) == [30.0] * 4


def test_an_unhealthy_one_is_probed_with_back_off_up_to_the_interval() -> None:
    """Quick to come back, cheap while it does not."""
    judgement = Judgement(_plan(), HEALTHY)
    assert judgement.follow(UNHEALTHY, is_expired=False, now_s=0.0)

    assert judgement.soon_s == 1.0
    assert _delays(judgement, REFUSED, 6) == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_an_expired_one_backs_off_to_five_minutes() -> None:
    """It is probably gone for good, and kept for an hour."""
    judgement = Judgement(_plan(), HEALTHY)
    judgement.follow(UNHEALTHY, is_expired=True, now_s=0.0)

    assert _delays(judgement, REFUSED, 10)[-3:] == [256.0, 300.0, 300.0]


def test_with_its_expiry_the_back_off_begins_anew() -> None:
    """However long it was unhealthy before, it may be back any moment."""
    judgement = Judgement(_plan(), UNHEALTHY)
    _delays(judgement, BROKEN, 40)
    judgement.follow(UNHEALTHY, is_expired=True, now_s=1e6)
    judgement.follow(UNHEALTHY, is_expired=True, now_s=1e6)

    assert _delays(judgement, BROKEN, 4) == [2.0, 4.0, 8.0, 16.0]


def test_after_a_leader_change_an_unhealthy_one_keeps_the_slow_pace() -> None:
    """Its back-off was the former leader's; it does not begin again."""
    judgement = Judgement(_plan(), UNHEALTHY)

    assert _delays(judgement, REFUSED, 2) == [30.0, 30.0]


def test_a_new_registration_is_probed_each_second_until_its_first_success() -> None:
    """For one interval at most; the first success finds its own phase."""
    judgement = Judgement.of_new(_plan(), HEALTHY, now_s=0.0)
    delays = [judgement.observe(BROKEN, float(n)).delay_s for n in range(31)]

    assert delays == [1.0] * 30 + [30.0]
    fresh = Judgement.of_new(_plan(), HEALTHY, now_s=0.0)
    assert fresh.observe(PASSED, 1.0).is_first
    assert not fresh.observe(PASSED, 20.0).is_first
    assert fresh.observe(BROKEN, 21.0).delay_s == 30.0


def test_counts_restart_when_the_status_is_changed_elsewhere() -> None:
    """Registering or a heartbeat asserts something: what was counted is past."""
    judgement = Judgement(_plan(), UNHEALTHY)
    judgement.observe(BROKEN, 0.0)
    judgement.follow(HEALTHY, is_expired=False, now_s=1.0)

    assert judgement.failures == 0


def _flapping() -> Judgement:
    judgement = Judgement(_plan(), HEALTHY)
    turns = itertools.cycle((UNHEALTHY, HEALTHY))
    for n in range(5):
        judgement.follow(next(turns), is_expired=False, now_s=10.0 * n)
    return judgement


def test_flapping_holds_it_until_it_passed_for_an_interval() -> None:
    """Who comes and goes is worse than who is gone; the cause says what is missing."""
    judgement = _flapping()

    step = judgement.observe(PASSED, 50.0)
    assert step.action is Action.HOLD
    assert step.cause == "flapping: 5 changes in 150 s; must pass for 30 s"
    assert 80.0 <= _passed_s(judgement, 50.0 + step.delay_s) <= 81.0


def _passed_s(judgement: Judgement, at_s: float) -> float:
    while (step := judgement.observe(PASSED, at_s)).action is not Action.PASS:
        at_s += step.delay_s
    return at_s


def test_a_failure_restarts_the_interval_of_a_flapping_one() -> None:
    """A whole interval without one."""
    judgement = _flapping()
    judgement.observe(PASSED, 50.0)
    judgement.observe(BROKEN, 60.0)

    judgement.observe(PASSED, 70.0)

    assert judgement.observe(PASSED, 90.0).action is Action.HOLD
    assert judgement.observe(PASSED, 100.0).action is Action.PASS


def test_changes_of_long_ago_are_no_flapping() -> None:
    """Five intervals are looked at."""
    assert _flapping().observe(PASSED, 500.0).action is Action.PASS


def test_registering_anew_counts_as_a_change_and_keeps_the_others() -> None:
    """A service that crashes in a loop registers each time."""
    judgement = Judgement(_plan(), HEALTHY)
    for n in range(3):
        judgement.follow(UNHEALTHY, is_expired=False, now_s=20.0 * n)
        judgement = Judgement.of_new(
            _plan(), HEALTHY, now_s=20.0 * n + 10, former=judgement
        )
    judgement.follow(UNHEALTHY, is_expired=False, now_s=60.0)

    step = judgement.observe(PASSED, 61.0)

    assert step.action is Action.HOLD
    assert step.cause.startswith("flapping: 7 changes")
