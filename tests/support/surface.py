"""What an HTTP surface over use cases stands on, for all who open one."""

from registry.api.app import ApiDependencies
from tests.support.use_cases import UseCases


def dependencies(
    cases: UseCases,
    *,
    request_deadline_s: float = 5.0,
    body_within_s: float = 10.0,
    keep_alive_s: float = 75.0,
) -> ApiDependencies:
    """Return it, as the composition root would for a replica called a."""
    return ApiDependencies(
        node_id="a",
        registrar=cases.registrar,
        drains=cases.drains,
        discovery=cases.discovery,
        refusals=cases.refusals,
        why=cases.why,
        metrics=cases.metrics,
        clock=cases.clock,
        view=cases.consensus.view,
        troubles=lambda: cases.troubles,
        request_deadline_s=request_deadline_s,
        body_within_s=body_within_s,
        keep_alive_s=keep_alive_s,
    )
