"""Runs for tests: small, and whole enough for every picture."""

from bench.results import Figure, Made, Outcome, Run, Sample, figure

LATENCY_US = {"p50": 800.0, "p90": 1_500.0, "p99": 4e3, "p99.9": 9e3, "max": 2.2e4}


def sample(side: str = "ours", turn: int = 0, *, requests: int = 1_000) -> Sample:
    """Return a turn of two seconds."""
    return Sample(
        side=side,
        turn=turn,
        requests=requests,
        errors=0,
        seconds=2.0,
        cpu_us_per_request=10.0,
        latency_us=dict(LATENCY_US),
        rate_by_second=(requests / 2, requests / 2),
    )


def outcome(*figures: Figure, turns: int = 3, scenario: str = "discovery") -> Outcome:
    """Return an outcome of two sides."""
    samples = [
        sample(side, turn) for turn in range(turns) for side in ("ours", "raw <bare>")
    ]
    return Outcome(
        scenario=scenario,
        workload="Reads one list.",
        samples=tuple(samples),
        figures=figures,
        absent=("nginx",),
    )


def run(*outcomes: Outcome) -> Run:
    """Return a run on some machine."""
    return Run("2026-11-24T18:00:00+00:00", "a machine, load 1.0", "abc123", outcomes)


def made(*, is_quick: bool = False, cores: int = 2) -> Made:
    """Return how a run was made."""
    return Made(
        arguments=("discovery", "--folder", "/a <b>"),
        is_quick=is_quick,
        cores=cores,
        generator="wrk",
        versions={"nginx": "nginx version: nginx/1.22.1"},
        load_average=3.26,
    )


def growing(count: int, value: float) -> Figure:
    """Return a point of a growth curve."""
    name = f"memory per instance at {count:,} instances"
    return figure(name, [value, value + 0.1], "kB", better="lower")
