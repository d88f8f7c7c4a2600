"""The last writes that this replica refused: the answer to "why won't it register?".

What was refused is in no log, so each replica keeps its own; `why` asks all of them.
Everything in an entry comes from strangers and is cut to its bound.
"""

from collections import deque
from itertools import islice

import msgspec

KEPT = 1_000
MAX_SUBJECT_LENGTH = 255
MAX_DETAIL_LENGTH = 300


class Refusal(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One write that was answered with an error."""

    at_ms: int
    peer: str
    """The address that asked; a proxy's, if there is one."""
    request: str
    """Method and route, as ``POST /register``."""
    name: str = ""
    """Of the service, as far as the request was understood."""
    service_id: str = ""
    host: str = ""
    """Of the instance, or the one to drain."""
    code: str
    detail: str


class Refusals:
    """Keeps the newest ``KEPT``; older ones make room."""

    def __init__(self) -> None:
        self._kept: deque[Refusal] = deque(maxlen=KEPT)

    def __len__(self) -> int:
        return len(self._kept)

    def note(self, refusal: Refusal) -> None:
        """Keep one, cut to its bounds."""
        self._kept.append(
            msgspec.structs.replace(
                refusal,
                name=refusal.name[:MAX_SUBJECT_LENGTH],
                service_id=refusal.service_id[:MAX_SUBJECT_LENGTH],
                host=refusal.host[:MAX_SUBJECT_LENGTH],
                detail=refusal.detail[:MAX_DETAIL_LENGTH],
            )
        )

    def latest(self, subject: str = "", limit: int = KEPT) -> list[Refusal]:
        """Return the newest first; with a subject, of that name, id or host only."""
        of_subject = (
            refusal
            for refusal in reversed(self._kept)
            if not subject
            or subject in (refusal.name, refusal.service_id, refusal.host)
        )
        return list(islice(of_subject, limit))
