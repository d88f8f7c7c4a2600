"""The shape of a log entry, as PySyncObj keeps it: its first byte says what it is."""

REGULAR = b"\x00"
"""One of our envelopes follows (see ``ledger``)."""

NO_OP = b"\x01"
"""The entry with which a leader begins its term, and the base of every log."""

LogEntry = tuple[bytes, int, int]
"""(command, index, term)."""
