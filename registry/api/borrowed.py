"""aiohttp's private names that the fast path rests on, checked when the server starts.

They are no promise of aiohttp's: in a release without one of them every request goes
the ordinary way, and the log says so.
"""

from aiohttp import web

NEEDED = (
    "_buffer_paused",
    "_close",
    "_force_close",
    "_keepalive_timeout",
    "_messages",
    "_next_keepalive_close_time",
    "_payload_parser",
    "_paused",
    "_reading_paused",
    "_request_count",
    "_request_in_progress",
    "_task_handler",
    "_upgraded",
    "_waiter",
)


def missing_names() -> list[str]:
    """Return which of aiohttp's private names this rests on are gone."""
    slots = {s for c in web.RequestHandler.__mro__ for s in getattr(c, "__slots__", ())}
    return [name for name in NEEDED if name not in slots]
