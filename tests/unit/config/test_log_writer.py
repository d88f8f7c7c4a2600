"""Log lines on their way out: in order, bounded, and never waited for."""

import threading

from registry.log_writer import LineWriter

WAIT_S = 10.0
TELL = "{} lost".format


class Stream:
    """Takes lines, each batch once it is allowed to."""

    def __init__(self, *, blocked: bool = False) -> None:
        self.lines: list[str] = []
        self.is_called = threading.Event()
        self.may_go_on = threading.Event()
        if not blocked:
            self.may_go_on.set()

    def write(self, data: bytes) -> None:
        """Take a batch of lines."""
        self.is_called.set()
        assert self.may_go_on.wait(WAIT_S)
        self.lines += data.decode().splitlines()


def blocked_writer(stream: Stream, **bounds: int) -> LineWriter:
    """Make a writer whose thread is stuck in writing the line ``first``."""
    writer = LineWriter(stream.write, dropped=TELL, **bounds)
    writer.put("first")
    assert stream.is_called.wait(WAIT_S)
    return writer


def test_lines_come_out_in_their_order() -> None:
    """Whatever the sizes of the batches are."""
    stream = Stream()
    writer = LineWriter(stream.write, dropped=TELL)
    lines = [f"line {n}" for n in range(2_000)]

    for line in lines:
        writer.put(line)

    assert writer.flush(WAIT_S)
    assert stream.lines == lines


def test_a_blocked_stream_stops_nobody_and_the_loss_is_told_once() -> None:
    """A stuck log shipper must not stop the event loop, nor fill the memory."""
    stream = Stream(blocked=True)
    writer = blocked_writer(stream, max_lines=4)
    for n in range(100):
        writer.put(f"line {n}")

    assert not writer.flush(0)
    stream.may_go_on.set()

    assert writer.flush(WAIT_S)
    writer.put("after")
    assert writer.flush(WAIT_S)
    assert stream.lines == [
        "first", "line 0", "line 1", "line 2", "97 lost", "after",
    ]  # fmt: skip


def test_bytes_are_bounded_too() -> None:
    """Few lines can be large; the one being written counts."""
    stream = Stream(blocked=True)
    writer = blocked_writer(stream, max_bytes=30)

    writer.put("x" * 23)
    writer.put("y")
    stream.may_go_on.set()

    assert writer.flush(WAIT_S)
    assert stream.lines == ["first", "x" * 23, "1 lost"]


def test_a_line_that_could_never_fit_is_written_when_nothing_else_is() -> None:
    """Else its loss, and all lines behind it, would wait for a next one for ever."""
    stream = Stream()
    writer = LineWriter(stream.write, dropped=TELL, max_bytes=1)

    writer.put("large")

    assert writer.flush(WAIT_S)
    assert stream.lines == ["large"]


def test_a_broken_stream_is_no_failure() -> None:
    """The reader of our stdout may have gone away."""
    failures: list[bytes] = []

    def broken(data: bytes) -> None:
        failures.append(data)
        raise BrokenPipeError

    writer = LineWriter(broken, dropped=TELL)
    writer.put("x")
    assert writer.flush(WAIT_S)
    writer.put("y")

    assert writer.flush(WAIT_S)
    assert failures == [b"x\n", b"y\n"]


def test_what_is_no_utf8_does_not_cost_the_line() -> None:
    """Lone surrogates come from undecodable names."""
    stream = Stream()
    writer = LineWriter(stream.write, dropped=TELL)

    writer.put("a\udcffb")

    assert writer.flush(WAIT_S)
    assert stream.lines == [r"a\udcffb"]
