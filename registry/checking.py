"""From the settings of health checks to what makes them."""

import ssl

from registry.config import HealthCheckConfig
from registry.descriptors import for_checks, read_limit
from registry.health.networks import NetworkRules
from registry.health.plan import CheckSettings
from registry.health.probes.prober import TableProber, kept_connections, tls_context
from registry.health.scheduler import MOST_AT_ONCE


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


def tls_of(health: HealthCheckConfig) -> ssl.SSLContext:
    """Return how certificates are looked at. Raises ValueError: the file is no good."""
    return tls_context(verify=health.tls_verify, ca_file=health.tls_ca_file)


def unusable_files(health: HealthCheckConfig) -> list[str]:
    """Return, for people, which files of the settings cannot be used."""
    try:
        tls_of(health)
    except ValueError as error:
        return [str(error)]
    return []


def prober_of(rules: NetworkRules, tls: ssl.SSLContext) -> TableProber:
    """Make what asks the instances, in the running loop."""
    return TableProber(rules, tls=tls, max_kept=kept_connections(read_limit()[0]))


def most_probes() -> int:
    """Return how many probes may be under way at once: each needs a descriptor."""
    return min(MOST_AT_ONCE, max(1, for_checks(read_limit()[0]) // 2))
