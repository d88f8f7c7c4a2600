"""The scenarios, one file each: what load they put on what, and what they compare.

Each module has ``run(stage) -> Outcome``. To add one: a file here, a line in the table,
and a section in bench/README.md. They are imported when they are run, so that what is
not asked for needs none of its libraries.
"""

from importlib import import_module

from bench.scenarios.elsewhere import unjudged
from bench.scenarios.stage import Scenario

SCENARIOS: dict[str, str] = {
    "discovery": "bench.scenarios.discovery",
    "traceparent": "bench.scenarios.traceparent",
    "many": "bench.scenarios.many_services",
    "changing": "bench.scenarios.changing",
    "consistent": "bench.scenarios.consistent",
    "latency": "bench.scenarios.latency",
    "heartbeats": "bench.scenarios.heartbeats",
    "registrations": "bench.scenarios.registrations",
    "platform": "bench.scenarios.platform_day",
    "flood": "bench.scenarios.flood",
    "failover": "bench.scenarios.failover",
    "recovery": "bench.scenarios.recovery",
    "growth": "bench.scenarios.growth",
    "overshoot": "bench.scenarios.overshoot",
}
"""By name, in the order in which they run."""
USUAL = ("discovery", "traceparent", "latency", "heartbeats", "registrations")
"""What runs when nothing is named: about five minutes in all."""


def scenario(name: str) -> Scenario:
    """Return the scenario with this name. KeyError if there is none."""
    run: Scenario = import_module(SCENARIOS[name]).run
    return unjudged(run)
