"""What a configuration says that is understood and used, but hardly meant so.

Warnings: a replica starts with them, `registry config check` does not pass them.
"""

from collections.abc import Mapping

from registry.config import Config


def find_doubts(config: Config, origins: Mapping[str, str]) -> list[str]:
    """Return one message per doubt; ``origins`` holds the settings that were given."""
    check = config.health_check
    timeout = "health_check.timeout_seconds"
    ca_file = "health_check.tls_ca_file"
    doubts: list[str] = []
    # A default gives way without a word: a shorter interval alone is no contradiction.
    if timeout in origins and check.timeout_seconds > check.interval_seconds:
        doubts.append(
            f"{timeout} ({origins[timeout]}) = {check.timeout_seconds:g} is longer than"
            f" health_check.interval_seconds = {check.interval_seconds:g}: a check ends"
            " when the next one is due"
        )
    if check.tls_ca_file and not check.tls_verify:
        doubts.append(
            f"{ca_file} ({origins.get(ca_file, 'default')}) has no effect while"
            " health_check.tls_verify is false"
        )
    return doubts
