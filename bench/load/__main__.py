"""`python -m bench.load`: one load, as its first line says; tells the result as JSON.

It says that it is ready and begins when told ``go``: so neither its start nor that of
others beside it falls into what is measured.
"""

import gc
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from bench import stopping
from bench.load import wrk
from bench.load.closed import run_closed
from bench.load.cores import pin_self
from bench.load.meter import CpuMeter
from bench.load.open import run_open
from bench.load.spec import Load, Result

READY = "ready\n"
GO = "go\n"


def main() -> int:
    """Read the load, wait for the word, run it, tell the result."""
    load = msgspec.json.decode(sys.stdin.readline(), type=Load)
    pin_self(load.core)
    gc.freeze()
    gc.disable()
    sys.stdout.write(READY)
    sys.stdout.flush()
    if sys.stdin.readline() != GO:
        return 0  # who started it has ended
    meter = CpuMeter([os.getpid()])
    result = _run(load)
    own_s = meter.wanted_s() or 0.0
    result = msgspec.structs.replace(result, wanted_s=own_s + result.wanted_s)
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
    return 0


def _run(load: Load) -> Result:
    if load.rate_per_s is not None:
        return run_open(load)
    if wrk.is_here():
        with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
            return wrk.run_wrk(load, Path(folder))
    return run_closed(load)


if __name__ == "__main__":
    sys.exit(stopping.in_order(main))  # so that it ends what it started
