"""How a state that was replaced is let go: a little at a time."""

from registry.catalog.state import State


def discard(state: State, count: int) -> bool:
    """Let go of about ``count`` entries of each map; True once nothing is left.

    Freeing 100,000 registrations at once would hold up the event loop for a tenth of
    a second. Nothing holds afterwards.
    """
    for _ in range(count):
        if state.leases:
            state.leases.popitem()
        if state.slots:
            key, _slot = state.slots.popitem()
            state.services[key[0]].shown.pop(key)
            state.services[key[0]].view = None
        elif state.services:
            state.services.popitem()
        for entries in (state.gone.entries, state.ended.entries, state.drains):
            if entries:
                entries.popitem()
    for part in (state.addresses, state.history, state.names):
        part.discard(count)
    return not any(
        (
            state.leases,
            state.services,
            state.gone.entries,
            state.ended.entries,
            state.drains,
            len(state.addresses),
            len(state.history),
            len(state.names),
        )
    )
