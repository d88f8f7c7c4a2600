"""`registry dev` over fake replicas, as a process of its own that tests can kill.

Usage: ``python -m tests.support.dev_parent BASE_PORT DATA_DIR``.
"""

import signal
import sys
from pathlib import Path

from registry.commands.dev import run
from registry.commands.dev_cluster import NODE_IDS, DevCluster, plan
from registry.commands.dev_directory import DevDirectory

FAKE_REPLICA = (sys.executable, "-m", "tests.support.fake_replica")

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    directory = DevDirectory(Path(sys.argv[2]), NODE_IDS)
    directory.open(fresh=False)
    members = plan(int(sys.argv[1]))
    sys.exit(run(DevCluster(members, directory, command=FAKE_REPLICA), directory))
