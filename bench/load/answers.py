"""Where an answer ends and what it says: as little of HTTP as a load needs."""

HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
REMEMBERED = 256
"""Heads whose meaning is known; a second or a change makes new ones."""
CHUNKED = -1

_known: dict[bytes, tuple[int, bool]] = {}


def finished(data: bytes) -> bool | None:
    """Return whether an answer is a success, or None while it is not whole.

    ``data`` is all that came since the request was sent, and only one was sent. What
    ends with its connection is not known here, and never whole.
    """
    end = data.find(HEAD_END)
    if end < 0:
        return None
    head = data[:end]
    meaning = _known.get(head)
    if meaning is None:
        if len(_known) >= REMEMBERED:
            _known.clear()
        meaning = _known[head] = _read(head)
    length, is_success = meaning
    if length == CHUNKED:
        return is_success if data.endswith(LAST_CHUNK) else None
    return is_success if len(data) - end - len(HEAD_END) >= length else None


def _read(head: bytes) -> tuple[int, bool]:
    status, *lines = head.split(b"\r\n")
    fields = dict(line.lower().split(b":", 1) for line in lines if b":" in line)
    is_success = status.split(b" ", 2)[1].startswith(b"2")
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return CHUNKED, is_success
    return int(fields.get(b"content-length", b"0")), is_success
