"""Who is asked while nothing is wrong does what it is asked, and never breaks."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checkers.calls import NOT_THERE, place
from tests.chaos.checkers.lifetimes import LIVED
from tests.chaos.evidence import DONE, UNKNOWN, Call, Evidence
from tests.chaos.findings import Finding
from tests.chaos.spans import Spans, anywhere, headless, touched

NAME = "availability"
BROKEN = frozenset({"internal_error", "internal_refusal", "http_500"})
"""Nothing that befalls a replica may lead to these."""
CALM_S = 1.0
"""How long all must have been well before a call."""
PATIENCE_S = 1.5
"""Who gave up before that (the heartbeats) does not say that nothing would come."""
HASTY = "TimeoutError"
LONG_S = 30.0
"""Runs shorter than that may leave a kind of call out."""
EACH_S = 10.0
"""In so much time in which it can, each replica does each kind of call once."""
PLAIN = "plain read"
KINDS = ("write", "consistent read", "min_index read", PLAIN)


def check_availability(evidence: Evidence) -> list[Finding]:
    """Demand answers where none of the faults can be to blame."""
    return [*_broken(evidence), *_unwilling(evidence), *_idle(evidence)]


def _kind(call: Call) -> str:
    if call.op != "list":
        return "write"
    if call.is_consistent:
        return "consistent read"
    return "min_index read" if call.min_index else PLAIN


def _broken(evidence: Evidence) -> Iterator[Finding]:
    """Find answers that say that something is wrong with the replica itself."""
    for call in evidence.of(Call):
        if call.code in BROKEN:
            text = f"{call.replica} answered {_words(call)} with {call.code}"
            yield Finding(NAME, call.returned_s, f"{text} ({place(call)})")


def _unwilling(evidence: Evidence) -> Iterator[Finding]:
    """Find what was not done while nothing was wrong anywhere, nor just before.

    Plain reads are demanded of any replica that is well, whatever befalls the others:
    `answers` does that.
    """
    unrest = Spans(
        (begin_s, end_s + CALM_S) for begin_s, end_s in anywhere(evidence).merged
    )
    for call in evidence.of(Call):
        if call.outcome == DONE or call.code == NOT_THERE or _kind(call) == PLAIN:
            continue
        is_hasty = call.returned_s - call.invoked_s < PATIENCE_S
        if call.outcome == UNKNOWN and call.code == HASTY and is_hasty:
            continue
        if not unrest.overlaps(call.invoked_s, call.returned_s):
            answer = call.code or call.outcome
            text = f"{_words(call)} failed while all was well: {answer}"
            yield Finding(NAME, call.returned_s, f"{text} ({place(call)})")


def _idle(evidence: Evidence) -> Iterator[Finding]:
    """Find replicas that did next to nothing of a kind in a run that is long enough.

    Of the time only that counts in which the replica and a majority were well.
    """
    asked = [c for c in evidence.of(Call) if c.service not in LIVED]
    if not asked:
        return
    begin_s = min(call.invoked_s for call in asked)
    end_s = max(call.returned_s for call in asked)
    if end_s - begin_s < LONG_S:
        return
    done = Counter((c.replica, _kind(c)) for c in evidence.of(Call) if _is_done(c))
    lost = headless(evidence).merged
    for replica, spans in sorted(touched(evidence).items()):
        ill = Spans([*spans, *lost])
        well_s = end_s - begin_s - ill.seconds(begin_s, end_s)
        for kind in KINDS:
            count, least = done[replica, kind], int(well_s / EACH_S)
            if count < least:
                text = (
                    f"{replica} was well for {well_s:.0f} of {end_s - begin_s:.0f} "
                    f"seconds, and did {kind}s: {count}, not even {least}"
                )
                yield Finding(NAME, 0.0, text)


def _is_done(call: Call) -> bool:
    """Whether it was done; of writes, those that went into the log."""
    return call.outcome == DONE and call.op != "heartbeat"


def _words(call: Call) -> str:
    if call.op == "list":
        return f"a {_kind(call)} of {call.service}"
    return f"{call.op} {call.service_id}"
