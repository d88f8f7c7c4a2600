"""What `--url` changes: the cluster is somebody's, somewhere.

What kills, fills or does not need it is left out; what remains is told, and not judged:
our aims and floors are of replicas on cores of their own beside their load.
"""

from bench import results
from bench.peers.url import split
from bench.results import Outcome
from bench.scenarios.sides import OURS
from bench.scenarios.stage import Scenario, Stage

OWN_CLUSTER = "a cluster of its own, which it needs: left out with --url"
NO_CLUSTER = "any use of a cluster by it: left out with --url"


def left_out(
    stage: Stage, name: str, workload: str, why: str = OWN_CLUSTER
) -> Outcome | None:
    """Return what is told of a scenario that cannot use a given cluster, if one is."""
    if stage.url is None:
        return None
    return not_measured(name, workload, why)


def not_measured(name: str, workload: str, why: str = NO_CLUSTER) -> Outcome:
    """Return an outcome that only says why there is none."""
    return Outcome(name, workload, samples=(), figures=(), absent=(why,))


def unjudged(run: Scenario) -> Scenario:
    """Return the scenario, whose figures are not judged where there is a URL."""

    def running(stage: Stage) -> Outcome:
        if stage.url is None:
            return run(stage)
        split(OURS, stage.url)  # NotHere, before anything is registered
        return results.unjudged(run(stage))

    return running
