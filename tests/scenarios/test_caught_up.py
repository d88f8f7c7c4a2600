"""Caught up is judged by terms: a write may be answered just as its leader goes.

B, far behind, proposes. What it lacks, the commit of its write, and C's request for a
vote arrive before B's next turn, in which it applies and answers: nobody leads then.
"""

from cluster.raft import wire
from cluster.raft.contact import Contact
from tests.scenarios.support_actor import Attempt
from tests.scenarios.support_stage import Stage


class ByWhoLeads(Contact):
    """Without the repair: the applied entry must be of who leads at this moment."""

    def _is_caught_up(self) -> bool:
        core = self._core
        return (
            core.leader is not None
            and core.applied_term == core.raftCurrentTerm
            and super()._is_caught_up()
        )


async def _play(*lacking: type) -> tuple[Stage, Attempt]:
    """Return the stage right after the turn in which B answered."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.isolate("b")
    stage.elect("a", "c")
    stage["a"].propose(b"x")
    stage.run(among="ac")
    stage.link("a", "b")
    stage.link("b", "c")
    stage.tick("a")
    stage.clear()  # the entries are lost
    stage.tick("a")
    stage.deliver("a", "b")  # B hears who leads, and that it lacks something
    attempt = stage["b"].propose(b"y")
    stage.tick("b", 0.0)
    stage.deliver("b", "a")
    stage.run(3, among="ac")
    assert stage["b"].last == 1
    stage.step_down("a")
    stage.elect("c", "a")
    request = wire.RequestVote(stage["c"].term, stage["c"].last - 1, 1)
    stage["c"].node.gateway.put("b", request)  # what it asked everybody
    appends, requests = (stage.wires.queues[source, "b"] for source in "ac")
    while appends:
        stage["b"].receive("a", appends.popleft())
    stage["b"].receive("c", requests.pop())
    stage["b"].tick()
    return stage, attempt


async def test_who_answers_has_caught_up() -> None:
    """Whatever became of the leader since (I10)."""
    stage, attempt = await _play()

    assert attempt.acknowledged()
    assert stage["b"].core.leader is None
    assert stage["b"].node.contact.caught_up


async def test_judged_by_who_leads_it_answers_and_denies_that_it_could() -> None:
    """The defect: an acknowledged write beside a state that is called outdated."""
    stage, attempt = await _play(ByWhoLeads)

    assert attempt.acknowledged()
    assert stage["b"].machine.commands == [b"x", b"y"]
    assert not stage["b"].node.contact.caught_up
