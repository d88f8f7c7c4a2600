"""HTTP to the replicas: each request is sent once, and answered or not."""

from dataclasses import dataclass

import aiohttp
from aiohttp.typedefs import LooseHeaders

READ_S = 2.0
WRITE_S = 8.0
"""The registry itself waits for 5 s, and then says what it knows."""
BEAT_S = 0.5
"""How long who beats waits, before it turns to another replica."""
_TIMEOUTS = {
    seconds: aiohttp.ClientTimeout(total=seconds)
    for seconds in (READ_S, WRITE_S, BEAT_S)
}
_JSON: LooseHeaders = {"Content-Type": "application/json"}


class Broken(aiohttp.ClientError):
    """The connection ended before the answer; its cause says how.

    The request may have been carried out.
    """


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read whole."""

    status: int
    index: int
    """``X-Registry-Index``; 0 where there is none."""
    body: bytes


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending GET and DELETE again when a connection breaks.

    A DELETE that was carried out, and then sent again unseen, would be answered with
    404: the record would say that there was nothing to remove.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # Nothing was sent, and aiohttp does not try again.
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Broken from error


def open_session() -> aiohttp.ClientSession:
    """Return what all clients of a run send through; connections are kept."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, resolver=aiohttp.ThreadedResolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_once,),
    )


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    deadline_s: float,
    body: bytes | None = None,
) -> Answer:
    """Send one request. Raises ClientError or TimeoutError when there is no answer."""
    async with session.request(
        method,
        url,
        data=body,
        headers=_JSON if body is not None else None,
        timeout=_TIMEOUTS[deadline_s],
    ) as answer:
        index = int(answer.headers.get("X-Registry-Index", 0))
        return Answer(answer.status, index, await answer.read())
