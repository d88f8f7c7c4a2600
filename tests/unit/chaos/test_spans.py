"""When a fault was on which replica, and how long nothing was wrong."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.evidence import Fault
from tests.chaos.spans import Spans, anywhere, by_replica, headless, touched
from tests.unit.chaos.made import evidence, fault

SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 10)).map(
        lambda pair: (float(pair[0]), float(sum(pair)))
    )
)


def test_a_fault_lasts_until_its_remedy_is_done() -> None:
    """From the beginning of the verb: what it does may show before it returns."""
    made = evidence(fault("kill", "a", 1.0, 3.0, "start"))

    assert touched(made) == {"a": [(1.0, 3.0)], "b": [], "c": []}


def test_a_fault_without_a_remedy_never_ends() -> None:
    """A replica that was left dead is not untouched."""
    made = evidence(Fault("kill", ("b",), 1.0, 1.1))

    assert touched(made)["b"] == [(1.0, math.inf)]


def test_the_remedy_of_another_fault_ends_nothing() -> None:
    """A replica that was started again and is still cut off is still touched."""
    made = evidence(
        fault("partition", "a", 1.0, 9.0, "heal"), fault("kill", "a", 2.0, 4.0, "start")
    )

    assert touched(made)["a"] == [(1.0, 9.0)]
    assert touched(made, {"kill"})["a"] == [(2.0, 4.0)]


def test_each_fault_has_its_own_remedy() -> None:
    """What ended the first one says nothing of the second."""
    made = evidence(
        fault("kill", "a", 1, 3, "start"), fault("kill", "a", 5, 8, "start")
    )

    assert touched(made)["a"] == [(1, 3), (5, 8)]


def test_only_the_replicas_named_are_untouched_again() -> None:
    """`mend_disk` of one says nothing of another one."""
    made = evidence(
        fault("slow_disk", "a", 1.0, 2.0, "mend_disk"),
        fault("slow_disk", "b", 1.0, 5.0, "mend_disk"),
    )

    assert touched(made)["a"] == [(1.0, 2.0)]
    assert touched(made)["b"] == [(1.0, 5.0)]


def test_a_call_touches_a_span_at_its_edges() -> None:
    """In doubt, a replica was touched."""
    spans = by_replica(evidence(fault("pause", "a", 1.0, 3.0, "resume")))

    assert spans.overlaps("a", 0.5, 1.0)
    assert spans.overlaps("a", 2.0, 2.1)
    assert spans.overlaps("a", 0.0, 9.0)
    assert not spans.overlaps("a", 3.1, 9.0)
    assert not spans.overlaps("b", 0.0, 9.0)


def test_headless_is_without_an_untouched_majority() -> None:
    """Two of three with a fault; one of them is not enough."""
    made = evidence(
        fault("pause", "a", 1.0, 5.0, "resume"), fault("kill", "b", 3.0, 9.0, "start")
    )

    assert headless(made).merged == [(3.0, 5.0)]
    assert anywhere(made).merged == [(1.0, 9.0)]


@given(SPANS, st.integers(0, 60), st.integers(1, 20))
def test_calm_is_counted_outside_of_the_spans(
    spans: list[tuple[float, float]], at: int, seconds: int
) -> None:
    """Second by second, as anybody would count it."""
    left, now = seconds, at
    while left:
        left -= not any(begin <= now < end for begin, end in spans)
        now += 1

    assert Spans(spans).calm_after(float(at), float(seconds)) == now


def test_the_seconds_in_spans_are_counted_once() -> None:
    """Of the time that is asked for; the spans may overlap or never end."""
    spans = Spans([(1.0, 3.0), (2.0, 4.0), (8.0, math.inf)])

    assert spans.seconds(0.0, 10.0) == 5.0
    assert spans.seconds(3.5, 8.0) == 0.5
