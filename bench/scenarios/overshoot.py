"""How late leases end: a thousand that run out, among ten thousand that do not."""

from bench import figures, leases
from bench.results import Outcome
from bench.scenarios import measured
from bench.scenarios.elsewhere import NO_CLUSTER, left_out
from bench.scenarios.stage import Stage

NAME = "overshoot"
TURNS = 3
WORKLOAD = (
    "The keeper and the pulse of a leader, without a log or HTTP: 100,000 leases of "
    "which none is due, then 1,000 leases of a second that end among 10,000 others."
)


def run(stage: Stage) -> Outcome:
    """Measure as `python -m bench leases` does, in turns."""
    if (outcome := left_out(stage, NAME, WORKLOAD, NO_CLUSTER)) is not None:
        return outcome
    size = figures.QUICK if stage.quick else figures.FULL
    found = []
    for turn in range(size.turns if stage.quick else TURNS):
        stage.tell(f"turn {turn + 1}")
        found.append(leases.measure(size, stage.folder))
    return measured.outcome(NAME, WORKLOAD, found)
