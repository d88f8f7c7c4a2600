"""http: GET a path of the instance; 2xx passes, or the one status that is expected.

aiohttp with our resolver, without proxies, cookies, unpacking and its own redirects.
Connections are kept between checks where there is a place (kept.py), for a few uses.
What goes wrong on a kept one before an answer says little: a peer may close it at any
time, and what lies between may have forgotten it, so that nothing comes back at all.
The target is then asked on a fresh one, and only that one's failure counts:

    kept --half of the time-out without an answer, or broken--> fresh --> its result
       |                                                          |
       +--answer after all (one that is slow)--> its result <-----+
"""

import asyncio
import time
from functools import lru_cache
from types import SimpleNamespace

import aiohttp
from yarl import URL

from registry.health.probes.answers import BoundedResponse, bounded
from registry.health.probes.causes import connect_failed, failed
from registry.health.probes.kept import KeptPeers
from registry.health.probes.kind import Tools
from registry.health.probes.resolver import NUMBER_MARK
from registry.ports import ProbeResult, Target

USER_AGENT = "service-registry-health-check"
MAX_BODY_BYTES = 64 * 1024
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*"}


class HttpProbe:
    """Asks over two sessions: one keeps connections. Made in a running loop."""

    def __init__(self, tools: Tools) -> None:
        self._places = KeptPeers(max_peers=tools.max_kept, idle_s=tools.keep_s)
        self._keeping = _session(
            aiohttp.TCPConnector(
                resolver=tools.resolver,
                use_dns_cache=False,
                ssl=tools.tls,
                keepalive_timeout=tools.keep_s,
                limit=0,
            ),
            _telling_of_fresh_ones(),
        )
        self._closing = _session(
            aiohttp.TCPConnector(
                resolver=tools.resolver,
                use_dns_cache=False,
                ssl=tools.tls,
                force_close=True,
                limit=0,
            )
        )

    async def probe(self, target: Target) -> ProbeResult:
        """Pass if the status is as wished and the body ends within its bound."""
        try:
            now_s = time.monotonic()
            if self._places.may_keep(target.host, target.port, now_s=now_s):
                return await self._ask_kept(target)
            return await self._ask(target, self._closing)
        except aiohttp.ClientConnectorCertificateError as error:
            reason = getattr(error.certificate_error, "verify_message", "")
            return failed(f"bad certificate: {reason or 'not valid'}")
        except aiohttp.ClientConnectorSSLError:
            return failed("TLS handshake failed")
        except aiohttp.ClientConnectorError as error:
            return connect_failed(error.os_error)
        except aiohttp.ServerDisconnectedError:
            return failed("closed without an answer")
        except aiohttp.ClientPayloadError:
            return failed("answer broke off")
        except aiohttp.InvalidURL:
            return failed("not a usable address")
        except (aiohttp.ClientResponseError, aiohttp.http.HttpProcessingError):
            return failed("not HTTP")

    async def close(self) -> None:
        """Close all kept connections."""
        await self._keeping.close()
        await self._closing.close()
        # TLS connections are only closed by the loop's next turns.
        await asyncio.sleep(0)

    async def _ask_kept(self, target: Target) -> ProbeResult:
        """Ask on a kept connection, or make one to keep; if need be on a fresh one.

        The kept one is not given up meanwhile: a target that is slow, but within its
        time-out, would fail if it had to begin anew.
        """
        is_fresh = asyncio.Event()
        kept = asyncio.create_task(self._ask(target, self._keeping, is_fresh))
        asked = [kept]
        try:
            await asyncio.wait(asked, timeout=target.timeout_s / 2)
            if not is_fresh.is_set() and not _has_answered(kept):
                fresh = asyncio.create_task(self._ask(target, self._closing))
                asked.append(fresh)
                await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                if fresh.done() or not _has_answered(kept):
                    return await fresh
            return await kept
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _ask(
        self,
        target: Target,
        session: aiohttp.ClientSession,
        is_fresh: asyncio.Event | None = None,
    ) -> ProbeResult:
        """Ask once; ``is_fresh`` is set if a connection is made for it."""
        headers = _HEADERS
        if number := _number(target.host):
            headers = {**headers, "Host": f"{number}:{target.port}"}
        first = url = _url(target.host, target.port, target.path)
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(
                url,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=is_fresh,
            ) as response:
                status = response.status
                if _is_wished(status, target.expected_status):
                    if not await _ends_in_bounds(response):
                        response.close()
                        return failed("body over 64 KiB")
                    return ProbeResult(passed=True, cause=str(status))
                if status not in _REDIRECTS or target.expected_status:
                    return failed(str(status))
                location = response.headers.get("Location", "")
            try:
                url = url.join(URL(location))
            except ValueError:
                return failed(f"{status} with a bad Location")
            if not location or url.scheme not in ("http", "https"):
                return failed(f"{status} with a bad Location")
            if _place(url) != _place(first) or url.user:
                return failed("redirect to another host")
        return failed(f"more than {MAX_REDIRECTS} redirects")


def _is_wished(status: int, expected_status: int) -> bool:
    return status == expected_status if expected_status else 200 <= status < 300


def _has_answered(task: asyncio.Task[ProbeResult]) -> bool:
    broken = aiohttp.ClientConnectionError
    return task.done() and not isinstance(task.exception(), broken)


def _telling_of_fresh_ones() -> aiohttp.TraceConfig:
    """Set the event of a request for which a connection is made."""

    async def set_event(
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _made: aiohttp.TraceConnectionCreateStartParams,
    ) -> None:
        context.trace_request_ctx.set()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(set_event)
    return trace


def _session(
    connector: aiohttp.TCPConnector, *traces: aiohttp.TraceConfig
) -> aiohttp.ClientSession:
    # How long, and how many at once, is the caller's to say.
    return aiohttp.ClientSession(
        connector=bounded(connector),
        response_class=BoundedResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        trust_env=False,
        trace_configs=list(traces),
        auto_decompress=False,
    )


async def _ends_in_bounds(response: aiohttp.ClientResponse) -> bool:
    """Read the body and throw it away; False once it exceeds its bound."""
    size_bytes = 0
    while chunk := await response.content.readany():
        size_bytes += len(chunk)
        if size_bytes > MAX_BODY_BYTES:
            return False
    return True


def _place(url: URL) -> tuple[str, int | None]:
    return (url.raw_host or "").lower(), url.port


def _number(host: str) -> str:
    """Return a name that is digits alone, without the dot of the root; else nothing."""
    bare = host.removesuffix(".")
    return bare if bare.isdigit() else ""


@lru_cache(maxsize=16_384)
def _url(host: str, port: int, path: str) -> URL:
    """Return the URL to ask. Of a path that is one only scheme and tail are taken."""
    named = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if number := _number(host):
        named = f"{number}{NUMBER_MARK}"
    if not path.startswith("/"):
        given = URL(path, encoded=True)
        tail = given.raw_path_qs or "/"
        return URL(f"{given.scheme}://{named}:{port}{tail}", encoded=True)
    return URL(f"http://{named}:{port}{path}", encoded=True)
