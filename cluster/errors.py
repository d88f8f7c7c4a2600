"""Why a call on the cluster failed, and what is true after it.

ClusterError
+- Refused             certainly not in the log; a retry is safe
|  +- NoLeader         nobody led until the deadline; retry later
|  +- Overloaded       too much is waiting already; retry later
|  +- DiskLow          too little disk is free; retry when there is more
|  +- SchemaNotAgreed  a member of an older version does not understand it yet
|  +- Stopping         this replica is shutting down; ask another one
|  +- TooLarge         the command exceeds the bound of an entry; never retry
+- OutcomeUnknown      may or may not be in the log; retry only what is idempotent
+- StartRefused        the replica must not run like this; the message says what to mend
   +- ConfigError      a setting is wrong
   +- DiskCorrupt      the disk holds something else than what was synced to it
"""


class ClusterError(Exception):
    """The base of everything that this package raises on purpose."""


class Refused(ClusterError):
    """The command is certainly not in the log; a retry is safe."""


class NoLeader(Refused):
    """Nobody led, or the leader was out of reach, until the deadline."""


class Overloaded(Refused):
    """The bounded queue of waiting commands is full."""


class DiskLow(Refused):
    """Too little disk is free to take writes."""


class Stopping(Refused):
    """This replica is shutting down."""


class SchemaNotAgreed(Refused):
    """Not every member understands the command yet: some must be upgraded first."""


class TooLarge(Refused):
    """The command exceeds what one log entry may hold."""


class OutcomeUnknown(ClusterError):
    """The command may or may not be in the log (deadline passed while it was under
    way).
    """


class StartRefused(ClusterError):
    """The replica must not start, or go on, in this condition."""


class ConfigError(StartRefused):
    """A setting is wrong; the message names it."""


class DiskCorrupt(StartRefused):
    """The disk does not hold what was synced to it (rot, a foreign or damaged file)."""
