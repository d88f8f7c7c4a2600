"""The instances of one host, picked out of all there are."""

import asyncio

from registry.catalog.addresses import canonical_host
from registry.catalog.commands import Key

SLICE = 2_000
"""How many keys are looked at in one turn of the loop: about a millisecond."""


async def keys_of_host(host: str, keys: list[Key]) -> list[Key]:
    """Return the keys at a host, in any spelling; in slices, so that others get on."""
    wanted = canonical_host(host)
    found: list[Key] = []
    for start in range(0, len(keys), SLICE):
        part = keys[start : start + SLICE]
        found += [key for key in part if canonical_host(key[1]) == wanted]
        await asyncio.sleep(0)
    return found
