"""From a plan to the one probe to be made. (``plan`` is pure, ports are not.)"""

from registry.health.plan import Plan
from registry.ports import Target


def target_of(plan: Plan) -> Target:
    """Return what the prober is given."""
    return Target(
        kind=plan.kind,
        host=plan.host,
        port=plan.port,
        path=plan.path,
        timeout_s=plan.timeout_s,
        expected_status=plan.expected_status,
    )
