"""Disk space held back for the moment when there is none.

With a full disk the log cannot be shortened without a snapshot, and a snapshot needs
room; nor can recovery write the newest segment anew. Whoever needs it releases it and
writes at once; it is taken again when there is room.
"""

import errno
from contextlib import closing

from cluster.ports import Files

RESERVE_NAME = "reserve"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Whether the operation failed for want of space."""
    return error.errno in _NO_SPACE


def take(files: Files, size_bytes: int) -> bool:
    """Hold back ``size_bytes``; False when there is not that much (yet)."""
    try:
        if RESERVE_NAME in files.names():
            with closing(files.open_read(RESERVE_NAME)) as file:
                if file.size() == size_bytes:
                    return True
        files.reserve(RESERVE_NAME, size_bytes)
        files.sync_directory()
    except OSError as error:
        if is_full(error):
            return False
        raise
    return True


def release(files: Files) -> bool:
    """Give the space to whoever writes next; False when none was held back."""
    if RESERVE_NAME not in files.names():
        return False
    files.unlink(RESERVE_NAME)
    files.sync_directory()
    return True
