"""What to try next, by what is the case. Texts alone; `why` chooses. Pure."""

ADVICE = (
    ("unreachable from", "the others reach it: look at that replica's network"),
    ("flapping", "it passes and fails in turn: it stays unhealthy until it has passed"
     " for a while; look for overload, or raise check.timeout_seconds"),
    ("or passing check", "it is back when its check passes, which is tried every 5"
     " minutes at least, or with one POST /heartbeat/{id}"),
    ("lease_expired", "send POST /heartbeat/{id} every {beat:.3g} s (a third of its"
     " time to live); one heartbeat brings it back"),
    ("denied", "health_check.allow and health_check.deny forbid that address"),
    ("refused", "is it listening on {address}{beyond}, and can the registry's machines"
     " reach it there?"),
    ("no route", "can the registry's machines reach {address}?"),
    ("timed out", "it did not answer within {timeout:g} s: make the health endpoint"
     " cheaper, or raise check.timeout_seconds (HEALTH_CHECK_TIMEOUT)"),
    ("certificate", "its certificate is not accepted: see health_check.tls_ca_file and"
     " health_check.tls_verify"),
    ("name", "the registry's machines cannot resolve {host}"),
    ("reported unhealthy", "the service itself reported it with a heartbeat: see its"
     " log"),
    ("check_failed", "{path} must answer {expected}: is the path right, and is the"
     " service well?"),
)  # fmt: skip
"""By a word of the cause; the first that is found counts."""


REFUSED = {
    "no_leader": "it may be sent again once there is a leader",
    "not_replicated": "it may be sent again",
    "overloaded": "it may be sent again a little later",
    "outcome_unknown": "it may be sent again, under the same service_id",
    "not_drained": "nothing: it was not drained",
    "unknown_service_id": "register again",
    "service_id_taken": "take another service_id",
    "upgrade_pending": "upgrade the other replicas",
    "disk_low": "make room on that replica's disk",
}
"""By the code of what was refused; else the request must be mended."""
