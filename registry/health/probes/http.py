"""http: GET a path of the instance; 2xx passes, or the one status that is expected.

aiohttp with our resolver, without proxies, cookies, unpacking and its own redirects.
Connections are kept between checks where there is a place (kept.py). A kept one that
breaks before the first byte of an answer is tried once more by aiohttp on a fresh one:
a peer may close an idle connection at any time.
"""

import asyncio
import time
from functools import lru_cache

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
            )
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
            return await self._ask(target)
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

    async def _ask(self, target: Target) -> ProbeResult:
        now_s = time.monotonic()
        keeps = self._places.may_keep(target.host, target.port, now_s=now_s)
        session = self._keeping if keeps else self._closing
        headers = _HEADERS
        if target.host.isdigit():
            headers = {**headers, "Host": f"{target.host}:{target.port}"}
        first = url = _url(target.host, target.port, target.path)
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(
                url, headers=headers, allow_redirects=False
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


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    # How long, and how many at once, is the caller's to say.
    return aiohttp.ClientSession(
        connector=bounded(connector),
        response_class=BoundedResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        trust_env=False,
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


@lru_cache(maxsize=16_384)
def _url(host: str, port: int, path: str) -> URL:
    """Return the URL to ask. Of a path that is one only scheme and tail are taken."""
    named = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if host.isdigit():
        named = f"{host}{NUMBER_MARK}"
    if not path.startswith("/"):
        given = URL(path, encoded=True)
        tail = given.raw_path_qs or "/"
        return URL(f"{given.scheme}://{named}:{port}{tail}", encoded=True)
    return URL(f"http://{named}:{port}{path}", encoded=True)
