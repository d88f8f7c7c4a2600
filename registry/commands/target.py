"""Talks to replicas for the command line: a list of addresses, tried in order.

Plain http.client: no proxy of the environment gets between, and no event loop is
needed. Every request made here may be repeated (reads, deregister, register under an id
that we chose), so whenever one replica is out of reach or cannot answer, the next one
is asked the same.
"""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar, cast
from urllib.parse import urlsplit

import click

from registry.commands.failures import CommandFailed, Unavailable, WrongSetting
from registry.config_values import parse_advertise

DEFAULT_URL = "http://localhost:8100"
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 8.0
"""Longer than a replica's own deadline for a request (5 s)."""
ELSEWHERE = "name others with --url or SERVICE_REGISTRY_URL"
MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_URLS = 16
UNAVAILABLE = (502, 503, 504)

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Answer:
    """One replica's answer."""

    status: int
    body: object
    repeated: bool
    """An earlier try may have taken effect already."""

    def field(self, name: str) -> object:
        """Look up a field of an answer that is an object; None if there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None

    def document(self) -> dict[str, object]:
        """Return the problem document of a refusal, or make one."""
        if isinstance(self.body, dict):
            return self.body
        return {"status": self.status, "detail": _problem(self)}


def target_options(command: F) -> F:
    """Add ``--url`` and ``--output`` to a command, which gets text that can be sent."""

    @wraps(command)
    def checked(**values: object) -> object:
        for name, value in values.items():
            for item in value if isinstance(value, tuple) else (value,):
                _demand_text(name, item)
        return command(**values)

    with_output = click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="For people, or for programs.",
    )(cast(F, checked))
    return click.option(
        "--url",
        envvar="SERVICE_REGISTRY_URL",
        default=DEFAULT_URL,
        show_default=True,
        help="Replicas, separated by commas, tried in order. [SERVICE_REGISTRY_URL]",
    )(with_output)


def _demand_text(name: str, value: object) -> None:
    """Refuse what the terminal gave us as bytes that are no characters."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise WrongSetting(f"{name} must be UTF-8 text, not {value!r}") from None


def parse_urls(text: str) -> list[str]:
    """Split the list of addresses; ``host:port`` means http. Raises CommandFailed."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        urls = [parse_advertise(part) for part in parts]
    except ValueError as error:
        raise WrongSetting(f"--url {text!r}: {error}") from None
    if not 1 <= len(urls) <= MAX_URLS:
        raise WrongSetting(f"--url must name 1 to {MAX_URLS} replicas, not {len(urls)}")
    return urls


def ask(
    urls: list[str], method: str, path: str, body: object = None, *, absent: int = 0
) -> Answer:
    """Send one request to the first replica that can answer it.

    Returns an answer with status 2xx, or the one status ``absent``. Raises
    CommandFailed for a refusal, Unavailable when no replica could answer.
    """
    tried: list[dict[str, object]] = []
    repeated = False
    for url in urls:
        try:
            status, content = request(url, method, path, body)
        except (OSError, http.client.HTTPException) as error:
            tried.append({"url": url, "detail": _reason(error)})
            repeated = repeated or not isinstance(error, ConnectionRefusedError)
            continue
        answer = Answer(status, _parsed(content), repeated)
        if status in UNAVAILABLE:
            tried.append(
                {"url": url, "detail": _problem(answer), "problem": answer.document()}
            )
            repeated = repeated or status == 504
        elif status < 300 or status == absent:
            return answer
        else:
            raise CommandFailed(_problem(answer), answer.document())
    raise nobody_answered(urls, tried)


def request(
    url: str,
    method: str,
    path: str,
    body: object = None,
    *,
    timeout_s: float = ANSWER_TIMEOUT_S,
) -> tuple[int, bytes]:
    """Send one request to one replica. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    make = (
        http.client.HTTPSConnection
        if parts.scheme == "https"
        else http.client.HTTPConnection
    )
    connect_timeout_s = min(CONNECT_TIMEOUT_S, timeout_s)
    connection = make(parts.hostname or "", parts.port, timeout=connect_timeout_s)
    try:
        connection.connect()
        connection.sock.settimeout(timeout_s)
        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "User-Agent": "registry-cli"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, parts.path + path, content, headers)
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER_BYTES + 1)
        if len(answer) > MAX_ANSWER_BYTES:
            raise OSError(f"its answer is larger than {MAX_ANSWER_BYTES} bytes")
        return response.status, answer
    finally:
        connection.close()


def nobody_answered(urls: list[str], tried: list[dict[str, object]]) -> Unavailable:
    """Tell what came of each try, and what to do if the address was only ours."""
    detail = "no replica could answer"
    problem: dict[str, object] = {"detail": detail, "tried": tried}
    lines = [detail, *(f"{each['url']}: {each['detail']}" for each in tried)]
    if urls == parse_urls(DEFAULT_URL) and "problem" not in tried[0]:
        problem["hint"] = ELSEWHERE
        lines.append(ELSEWHERE)
    return Unavailable("\n  ".join(lines), problem)


def _parsed(content: bytes) -> object:
    try:
        parsed: object = json.loads(content)
    except ValueError:
        return content[:200].decode("utf-8", "replace")
    return parsed


def _problem(answer: Answer) -> str:
    """Shorten a problem document to a line."""
    detail = answer.field("detail") or answer.field("title")
    code = answer.field("code")
    if not detail:
        return f"answered {answer.status}; is a service registry there?"
    return f"{detail} ({code})" if code else str(detail)


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"does not speak HTTP ({type(error).__name__})"
