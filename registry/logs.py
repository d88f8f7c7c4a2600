"""Logs: one JSON line per event with the seed's fields; on a terminal, for reading.

``timestamp`` (RFC 3339, UTC), ``level``, ``service``, ``message``, ``node_id``, then
the event's own fields. Everything goes through here: structlog loggers of this project,
and the standard logging of libraries.

Logging must never be what breaks or stops a replica, so nothing here raises or waits: a
field that cannot be rendered is replaced by its type, a line that cannot be written is
dropped (``log_writer``). Fields, their number and tracebacks are bounded, as names and
notes come from clients.

Usage: ``log = structlog.get_logger()``; ``log.info("Constant message", key=value)``.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict

from registry.log_writer import LineWriter, writing_to

SERVICE = "service-registry"
MAX_TEXT_CHARS = 2048
MAX_TRACEBACK_CHARS = 8192
MAX_ITEMS = 32
MAX_DEPTH = 4
_RESERVED = ("timestamp", "level", "service", "message", "node_id")
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_QUIET_LIBRARIES = ("aiohttp.access", "asyncio")

_writers: list[LineWriter] = []
"""The one of this process, once configured."""


def configure(
    *, level: str = "info", log_format: str = "auto", node_id: str = "", stream: TextIO
) -> None:
    """Send all logs of this process to ``stream``. Called once, at start.

    ``log_format`` auto means console on a terminal, else json.
    """
    threshold = _LEVELS.get(level, logging.INFO)
    console = log_format == "console" or (log_format == "auto" and _is_terminal(stream))
    renderer = LineRenderer(
        console=console, colors=_is_terminal(stream), node_id=node_id
    )
    writer = LineWriter(writing_to(stream), dropped=renderer.loss)
    _writers[:] = [writer]
    sink = LineSink(renderer, writer.put)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            sink,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_no_logger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, LibraryHandler):
            root.removeHandler(handler)
    library_handler = LibraryHandler(sink)
    # The root's level does not count for a library's logger that has its own.
    library_handler.setLevel(threshold)
    root.addHandler(library_handler)
    root.setLevel(threshold)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def flush(timeout_s: float) -> bool:
    """Wait until every line so far is written; False if ``timeout_s`` was too short.

    For the end of the process: the writing thread ends with it.
    """
    return all(writer.flush(timeout_s) for writer in _writers)


class LineSink:
    """The last structlog processor: renders an event, hands it on, ends the chain."""

    def __init__(self, renderer: "LineRenderer", put: Callable[[str], None]) -> None:
        self._renderer = renderer
        self._put = put

    def __call__(self, logger: object, method: str, event: EventDict) -> str:
        """Write one event; always drop it afterwards, as there is nothing behind us."""
        self.write(event)
        raise structlog.DropEvent

    def write(self, event: EventDict) -> None:
        """Write one event; never raises."""
        try:
            self._put(self._renderer.render(event))
        except Exception:
            # Nothing is left to tell it to.
            return


class LineRenderer:
    """Makes the line of an event."""

    def __init__(
        self, *, console: bool, colors: bool = False, node_id: str = ""
    ) -> None:
        self._node_id = node_id
        self._console = (
            structlog.dev.ConsoleRenderer(
                colors=colors,
                exception_formatter=structlog.dev.plain_traceback,
                pad_event_to=40,
            )
            if console
            else None
        )

    def loss(self, count: int) -> str:
        """Render the line that tells of lines dropped."""
        event = {"event": "Log lines dropped", "level": "warning", "lines": count}
        return self.render(event)

    def render(self, event: EventDict) -> str:
        """Render one event as a line without its end; never raises."""
        fields = dict(event)
        message = fields.pop("event", "")
        level = str(fields.pop("level", "info"))
        exception = _exception_text(fields.pop("exc_info", None))
        line: dict[str, object] = {
            "timestamp": _timestamp(),
            "level": level,
            "service": SERVICE,
            "message": bounded(message),
        }
        if self._node_id:
            line["node_id"] = self._node_id
        for key, value in list(fields.items())[:MAX_ITEMS]:
            name = str(key)[:128]
            # A client's field must not pass for one of ours.
            line[f"{name}_" if name in _RESERVED else name] = bounded(value)
        if exception:
            line["exception"] = exception
        if self._console is not None:
            return self._for_people(line)
        return orjson.dumps(line).decode()

    def _for_people(self, line: dict[str, object]) -> str:
        assert self._console is not None
        shown = {k: v for k, v in line.items() if k not in ("service", "message")}
        shown["event"] = _one_line(str(line["message"]))
        for key, value in shown.items():
            if isinstance(value, str) and key != "exception":
                shown[key] = _one_line(value)
        return str(self._console(None, "", shown))


class LibraryHandler(logging.Handler):
    """Carries what libraries log by the standard module into our lines."""

    def __init__(self, sink: LineSink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises, whatever its arguments are."""
        try:
            message = record.getMessage()
        except Exception:
            message = str(record.msg)
        event: EventDict = {
            "event": message,
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.exc_info:
            event["exc_info"] = record.exc_info
        self._sink.write(event)


def bounded(value: object, depth: int = 0) -> object:
    """Return ``value`` as JSON types of bounded size; else its text."""
    try:
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if -(2**63) <= value < 2**64 else str(value)[:MAX_TEXT_CHARS]
        if isinstance(value, str):
            return _text(value)
        if depth < MAX_DEPTH and isinstance(value, Mapping):
            items = list(value.items())[:MAX_ITEMS]
            return {str(k)[:128]: bounded(v, depth + 1) for k, v in items}
        if depth < MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [bounded(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>"
        return _text(str(value))
    except Exception:
        return f"<{type(value).__name__}>"


def _text(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text)} characters)"
    # Lone surrogates (undecodable names) are no UTF-8 and would lose the whole line.
    return text.encode("utf-8", "backslashreplace").decode()


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _timestamp() -> str:
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def _exception_text(exc_info: object) -> str:
    error: BaseException | None = None
    if isinstance(exc_info, BaseException):
        error = exc_info
    elif isinstance(exc_info, tuple) and len(exc_info) == 3:
        error = exc_info[1] if isinstance(exc_info[1], BaseException) else None
    elif exc_info:
        error = sys.exc_info()[1]
    if error is None:
        return ""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:
        return f"<{type(error).__name__}>"
    # The end says what happened; the beginning is the event loop's.
    return _text(text[-MAX_TRACEBACK_CHARS:], MAX_TRACEBACK_CHARS)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def _no_logger(*_args: object) -> None:
    """Return the logger behind the processors: none, as LineSink writes."""
