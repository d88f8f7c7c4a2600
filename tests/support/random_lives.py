"""Lives of connections at random: what a client sends when, and what else happens."""

from hypothesis import strategies as st

from tests.support.http_bytes import cut
from tests.support.lives import Act, Course, Stop, hold, release
from tests.support.random_requests import fixed, hot, whole

PAUSES_S = (0.0, 0.0, 0.001, 0.02, 0.5, 3.0, 9.0, 9.99, 10.01, 15.0)

_pieces = st.builds(
    lambda data, place: cut(data, [place]), hot | hot | fixed, st.integers(1, 200)
)
_chunks = whole.map(lambda chunks: chunks[:1])


def _moved(steps: list[tuple[float, list[Act]]]) -> Course:
    """Return the acts at their times; what hangs is let go in the end."""
    now_s, course = 0.0, list[tuple[float, Act]]()
    for pause_s, acts in steps:
        for act in acts:
            now_s += pause_s
            course.append((round(now_s, 3), act))
    return [*course, (round(now_s, 3) + 0.5, release)]


_others: st.SearchStrategy[list[Act]] = st.sampled_from(([hold], [release], [release]))
_stops: st.SearchStrategy[list[Act]] = st.builds(lambda: [Stop()])
_acts = st.one_of(_chunks, _chunks, _pieces, _others)
_steps = st.lists(st.tuples(st.sampled_from(PAUSES_S), _acts), min_size=1, max_size=6)
courses = st.builds(
    lambda steps, pause_s, end: _moved([*steps, *[(pause_s, acts) for acts in end]]),
    _steps,
    # In the very instant of a request it is a matter of turns how much is answered.
    st.sampled_from(PAUSES_S[2:]),
    st.lists(_stops, max_size=1),
)
