"""`python -m bench.load`: one load, as its first line says; tells the result as JSON.

It says that it is ready and begins when told ``go``: so neither its start nor that of
others beside it falls into what is measured.
"""

import gc
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import msgspec

from bench.load import wrk
from bench.load.closed import run_closed
from bench.load.cores import pin_self
from bench.load.meter import CpuMeter
from bench.load.open import run_open
from bench.load.spec import Load, Result

READY = "ready\n"
GO = "go\n"


def main() -> None:
    """Read the load, wait for the word, run it, tell the result."""
    signal.signal(signal.SIGTERM, _end)  # so that it ends what it started
    load = msgspec.json.decode(sys.stdin.readline(), type=Load)
    pin_self(load.core)
    gc.freeze()
    gc.disable()
    sys.stdout.write(READY)
    sys.stdout.flush()
    if sys.stdin.readline() != GO:
        return  # who started it has ended
    meter = CpuMeter([os.getpid()])
    result = _run(load)
    own_s = meter.wanted_s() or 0.0
    result = msgspec.structs.replace(result, wanted_s=own_s + result.wanted_s)
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")


def _run(load: Load) -> Result:
    if load.rate_per_s is not None:
        return run_open(load)
    if wrk.is_here():
        with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
            return wrk.run_wrk(load, Path(folder))
    return run_closed(load)


def _end(*_: object) -> NoReturn:
    sys.exit(1)


if __name__ == "__main__":
    main()
