"""What a replica's parts tell of themselves at each scrape: name -> kind and help.

A table beside `metrics.py`, so that a new number is one line and needs no library.
"""

COUNTER = "counter"
GAUGE = "gauge"

SOURCE_METRICS: dict[str, tuple[str, str]] = {
    "registry_raft_batches_total": (COUNTER, "Batches of commands proposed here"),
    "registry_raft_commands_total": (COUNTER, "Commands proposed here"),
    "registry_raft_attempts_total": (COUNTER, "Proposals of batches, retries included"),
    "registry_raft_expired_total": (COUNTER, "Commands that met their deadline"),
    "registry_raft_waiting_commands": (GAUGE, "Commands waiting for the next entry"),
    "registry_raft_duplicates_total": (COUNTER, "Batches applied a second time (I6)"),
    "registry_raft_internal_refusals_total": (COUNTER, "Commands whose handler failed"),
    "registry_raft_syncs_total": (COUNTER, "Syncs of the log to disk"),
    "registry_raft_slow_syncs_total": (COUNTER, "Syncs that took unusually long"),
    "registry_raft_last_sync_seconds": (GAUGE, "How long the last sync took"),
    "registry_raft_elections_won_total": (COUNTER, "Elections won by this replica"),
    "registry_raft_pre_vote_rounds_total": (COUNTER, "Pre-votes asked for"),
    "registry_raft_stale_messages_total": (COUNTER, "Late or foreign frames dropped"),
    "registry_raft_peers_refused_total": (COUNTER, "Hellos of peers refused"),
    "registry_raft_snapshots_made_total": (COUNTER, "Snapshots written"),
    "registry_raft_snapshots_installed_total": (COUNTER, "Snapshots taken from peers"),
    "registry_raft_snapshots_sent_total": (COUNTER, "Snapshots sent to peers"),
    "registry_raft_snapshots_rejected_total": (COUNTER, "Snapshots found damaged"),
    "registry_raft_divergence_checks_total": (COUNTER, "Comparisons of states (I1)"),
    "registry_raft_links_up": (GAUGE, "Links to peers that stand"),
    "registry_raft_links_rejected_total": (COUNTER, "Strangers at the Raft port"),
    "registry_raft_link_bytes_sent_total": (COUNTER, "Bytes sent to peers"),
    "registry_raft_link_bytes_received_total": (COUNTER, "Bytes received from peers"),
    "registry_fast_answers_total": (COUNTER, "Requests answered without aiohttp"),
    "registry_tasks": (GAUGE, "Tasks of the event loop: connections, requests, duties"),
    "registry_leases": (GAUGE, "Leases that can run out, as the leader follows them"),
    "registry_evictions_held": (GAUGE, "Leases held back, as too many ran out at once"),
    "registry_health_checks_scheduled": (GAUGE, "Instances that this leader checks"),
    "registry_health_checks_under_way": (GAUGE, "Probes that wait for their answer"),
    "registry_health_check_lag_seconds": (GAUGE, "How late the latest probe began"),
}


def source_metric(name: str) -> tuple[str, str]:
    """Return kind and help, also of a name that is not in the table."""
    kind = COUNTER if name.endswith("_total") else GAUGE
    return SOURCE_METRICS.get(name) or (kind, "Told by a part of the replica")
