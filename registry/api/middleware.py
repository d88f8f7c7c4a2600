"""What happens around every handler: errors become problems, requests are counted.

The outermost border of the process for one request, hence the one broad ``except``.
"""

from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from registry.api.problems import from_http, problem_response, unexpected
from registry.errors import MalformedRequest, RegistryError

NODE_HEADER = "X-Registry-Node"
UNMATCHED = "unmatched"


class RequestObserver(Protocol):
    """Hears of each answered request; must not block."""

    def observe_request(self, method: str, route: str, status: int) -> None:
        """``route`` is the path's template, or ``unmatched``."""


OnRefused = Callable[[web.Request, RegistryError], None]


def edge(observer: RequestObserver, node_id: str, on_refused: OnRefused) -> Middleware:
    """Return the middleware of this replica; ``on_refused`` hears of every error."""

    @web.middleware
    async def run(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal: RegistryError
        try:
            response = await handler(request)
        except RegistryError as error:
            refusal = error
        except web.HTTPException as error:
            refusal = from_http(error, request.path)
        except web.RequestPayloadError as error:
            refusal = MalformedRequest(str(error))
        except Exception as error:
            refusal = unexpected(error, request.method, request.raw_path)
        else:
            return told(request, response)
        on_refused(request, refusal)
        return told(request, problem_response(refusal))

    def told(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        response.headers[NODE_HEADER] = node_id
        observer.observe_request(request.method, _route(request), response.status)
        return response

    return run


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical
