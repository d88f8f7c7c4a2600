"""What happens around every handler: errors become problems, requests are counted.

The outermost border of the process for one request, hence the one broad ``except``.
"""

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


def edge(observer: RequestObserver, node_id: str) -> Middleware:
    """Return the middleware of this replica."""

    @web.middleware
    async def run(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except RegistryError as error:
            response = problem_response(error)
        except web.HTTPException as error:
            response = problem_response(from_http(error, request.path))
        except web.RequestPayloadError as error:
            response = problem_response(MalformedRequest(str(error)))
        except Exception as error:
            response = problem_response(
                unexpected(error, request.method, request.raw_path)
            )
        response.headers[NODE_HEADER] = node_id
        observer.observe_request(request.method, _route(request), response.status)
        return response

    return run


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical
