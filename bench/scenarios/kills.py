"""Whether those that remain acknowledge writes again."""

import http.client
import time
from collections.abc import Mapping, Sequence

from tests.support.process_http import ask

ASK_EVERY_S = 0.005
ATTEMPT_S = 1.0
DEADLINE_S = 20.0


def first_write_s(urls: Sequence[str], path: str, body: Mapping[str, object]) -> float:
    """Ask in turn until one acknowledges; return when it did, by the monotonic clock.

    Raises:
        TimeoutError: Nobody did.
    """
    until_s = time.monotonic() + DEADLINE_S
    attempt = 0
    while time.monotonic() < until_s:
        url = urls[attempt % len(urls)]
        attempt += 1
        try:
            reply = ask(url, path, method="POST", body=body, timeout_s=ATTEMPT_S)
        except (OSError, http.client.HTTPException):
            reply = None
        if reply is not None and reply.status == 200:
            return time.monotonic()
        time.sleep(ASK_EVERY_S)
    raise TimeoutError(f"no write within {DEADLINE_S} s after the kill")
