"""Every bound of the catalog, by name: what the API checks and the machine enforces.

The API refuses what is too long or too many before it is proposed; inside the log, data
is trusted. Only the bounds on *counts* are the machine's to keep, since only the log
knows the order in which things arrive: they stand in ``Limits``.

Changing a number here changes what replicas answer to the same command, so it needs all
replicas upgraded together, as a new schema does (I1).

Patterns are for ``re.fullmatch``. Lengths are in characters, except where named bytes.
"""

from dataclasses import dataclass

MAX_NAME_LENGTH = 255
NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9._:~-]{0,254}"
"""No slash and no leading dot: a name is one segment of a path."""

MAX_SERVICE_ID_LENGTH = 128
SERVICE_ID_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9._:~-]{0,127}"

MAX_HOST_LENGTH = 253
HOST_PATTERN = r"[A-Za-z0-9._:%\[\]-]{1,253}"
"""The characters of names (underscores too, as compose makes them) and addresses;
nothing that could change the meaning of a URL that it is put into. What of it is a
host, `registry/api/addresses.py` knows."""

MIN_PORT = 1
MAX_PORT = 65_535

MAX_HEALTH_ENDPOINT_LENGTH = 2_048

MAX_TAGS = 64
MAX_TAG_LENGTH = 128
MAX_TAGS_BYTES = 4_096
"""Of all tags together, as UTF-8 JSON."""

MAX_METADATA_KEYS = 64
MAX_METADATA_KEY_LENGTH = 128
MAX_METADATA_STRING_LENGTH = 1_024
MAX_METADATA_BYTES = 8_192
"""Of all keys and values together, as UTF-8 JSON."""
MIN_METADATA_INTEGER = -(2**63)
MAX_METADATA_INTEGER = 2**64 - 1
"""What msgpack can carry: signed below zero, unsigned above. A fraction keeps to the
same range, since JSON does not tell a whole number beyond it from one."""

MAX_ZONE_LENGTH = 128
MAX_VERSION_LENGTH = 128

MIN_WEIGHT = 0
MAX_WEIGHT = 65_535

MIN_TTL_SECONDS = 1.0
MAX_TTL_SECONDS = 2_592_000.0
"""Thirty days; 0 beside this range means permanent."""

MAX_CAUSE_LENGTH = 256

MAX_REGISTRATIONS_PER_INSTANCE = 64
MAX_REGISTRATIONS = 1_000_000
MAX_SERVICES = 100_000
MAX_BYTES = 2 * 1024**3
"""Of all registrations together, as their commands were long in the log."""
MAX_GONE = 100_000
MAX_GONE_BYTES = 256 * 1024**2
MAX_ENDED = 20_000
MAX_ENDED_BYTES = 64 * 1024**2
"""Registrations that were deregistered, replaced or displaced, for who asks."""
GONE_FOR_S = 86_400.0
"""How long the leader lets gone registrations be remembered, in lease time: a day."""

MAX_CLEARED = 100
"""Registrations of other services that one exclusive Register ends at its address: some
milliseconds. The rest goes with the next."""

MAX_DRAINS = 10_000
MAX_REASON_LENGTH = 200
MAX_HISTORY = 100_000
MAX_HISTORY_OF_SERVICE = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds on counts that the machine keeps; the same on every replica.

    An argument only so that tests can reach them: the product uses ``LIMITS``.
    """

    registrations: int = MAX_REGISTRATIONS
    registrations_per_instance: int = MAX_REGISTRATIONS_PER_INSTANCE
    services: int = MAX_SERVICES
    bytes: int = MAX_BYTES
    gone: int = MAX_GONE
    gone_bytes: int = MAX_GONE_BYTES
    ended: int = MAX_ENDED
    ended_bytes: int = MAX_ENDED_BYTES
    cleared: int = MAX_CLEARED
    drains: int = MAX_DRAINS
    history: int = MAX_HISTORY
    history_of_service: int = MAX_HISTORY_OF_SERVICE


LIMITS = Limits()
