"""A follower far behind gets the log through a link that buffers only so much.

The library sends all that is missing at once: the link overflows and ends, and the same
is sent again over the next one.
"""

from cluster.raft.appends import MESSAGE_BYTES, WINDOW_BYTES, Appends
from tests.scenarios.support_stage import Stage

BUFFER_BYTES = WINDOW_BYTES + 2 * MESSAGE_BYTES
COMMAND_BYTES = 256 * 1024
COMMANDS = 2 * BUFFER_BYTES // COMMAND_BYTES
ROUNDS = 20


class AllAtOnce(Appends):
    """As released: no matter how much is unanswered."""

    def _has_room(self, _: str) -> bool:
        return True


async def _play(*lacking: type) -> Stage:
    """B comes back after twice as much was written as a link holds."""
    stage = await Stage.open("abc", lacking=lacking)
    stage.elect("a", "b", "c")
    stage.run()
    stage.isolate("b")
    for number in range(COMMANDS):
        stage["a"].propose(b"%d" % number + bytes(COMMAND_BYTES))
        stage.run(1, among="ac")
    stage.run(2, among="ac")
    assert len(stage["c"].machine.commands) == COMMANDS
    links = stage["a"].links
    links.buffer_bytes = BUFFER_BYTES
    stage.link("a", "b")
    for _ in range(ROUNDS):
        stage.tick("a")
        if ("a", "b") not in stage.wires.linked:
            stage.cut("a", "b")
            stage.link("a", "b")
        stage.deliver("a", "b")
        stage.deliver("b", "a")
    return stage


async def test_a_follower_far_behind_is_sent_what_its_link_can_hold() -> None:
    """Its answers let the next part go, until it has all."""
    stage = await _play()

    assert stage["a"].links.overflowed == []
    assert stage["b"].last == stage["a"].last
    assert stage["b"].machine.commands == stage["a"].machine.commands


async def test_without_the_window_it_never_catches_up() -> None:
    """The defect: each link ends before anything of it has arrived."""
    stage = await _play(AllAtOnce)

    assert len(stage["a"].links.overflowed) >= ROUNDS // 2
    assert stage["b"].last == 2
    assert stage["b"].machine.commands == []
