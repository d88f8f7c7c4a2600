"""All checkers together."""

from tests.chaos.checkers import CHECKERS, judge
from tests.unit.chaos.made import call, ending, evidence, listing


def test_a_quiet_run_is_good() -> None:
    """Nothing done, nothing broken."""
    assert judge(evidence([ending(replica) for replica in "abc"])) == []


def test_a_finding_names_its_checker_and_its_time() -> None:
    """So that a timeline can show it among the faults."""
    calls = [
        call("register", "contended-0:1", 1, index=4),
        listing("contended-0", "", 2, is_consistent=True),
    ]

    found = judge(evidence(calls, [ending(replica) for replica in "abc"]))

    assert {finding.checker for finding in found} == {
        "linearizable",
        "sessions",
        "writes",
    }
    assert {finding.checker for finding in found} < CHECKERS.keys()
    assert [f.at_s for f in found if f.checker != "writes"] == [2.1, 2.1]
