"""From the settings of health checks to what makes them."""

from cluster.errors import StartRefused
from registry.config import HealthCheckConfig
from registry.descriptors import read_limit
from registry.health.networks import NetworkRules
from registry.health.plan import CheckSettings
from registry.health.probes.prober import TableProber, kept_connections, tls_context


def settings_of(health: HealthCheckConfig) -> CheckSettings:
    """Return what holds for checks that wish nothing else."""
    return CheckSettings(
        interval_s=health.interval_seconds,
        timeout_s=health.timeout_seconds,
        failures=health.failure_threshold,
        successes=health.success_threshold,
        deregister_after_s=health.deregister_after_seconds,
    )


def rules_of(health: HealthCheckConfig) -> NetworkRules:
    """Return which addresses may be asked."""
    return NetworkRules(allow=health.allow, deny=health.deny)


def prober_of(health: HealthCheckConfig, rules: NetworkRules) -> TableProber:
    """Make what asks the instances, in the running loop. Raises StartRefused."""
    try:
        tls = tls_context(verify=health.tls_verify, ca_file=health.tls_ca_file)
    except ValueError as error:
        raise StartRefused(str(error)) from error
    return TableProber(rules, tls=tls, max_kept=kept_connections(read_limit()[0]))
