"""A disk that takes no more ends or quiets its replica; nothing is lost, others go on.

Files that may not grow (RLIMIT_FSIZE) stand for a failing disk: that needs no root.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process_cluster import ProcessCluster, process_cluster
from tests.support.process_http import ask
from tests.support.process_load import Load
from tests.support.process_replica import ReplicaProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

EXIT_FATAL = 70


def fail_writes(replica: ReplicaProcess) -> None:
    """From now on no file of the process can grow any further (Linux)."""
    data = Path(replica.settings["SERVICE_REGISTRY_DATA_DIR"])
    newest = max(data.glob("wal-*.log"))
    size = newest.stat().st_size
    resource.prlimit(replica.pid, resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("role", ["leader", "follower"])
def test_a_disk_that_fails_ends_its_replica_alone(
    cluster: ProcessCluster, role: str
) -> None:
    """No retry on that descriptor: it could pass something off as written."""
    leader = cluster.leader()
    broken = leader if role == "leader" else cluster.others(leader)[0]
    survivors = cluster.others(broken)
    with Load([replica.url for replica in survivors]) as load:
        load.wait_acknowledged(100)
        fail_writes(broken)
        assert broken.wait() == EXIT_FATAL
        load.wait_acknowledged(200)

    assert load.failures == []
    reason = broken.logged("Replica must end")[-1]["reason"]
    assert str(reason).startswith("the disk failed: ")
    for replica in survivors:
        load.verify(replica.url)
    broken.start()  # with a disk that works
    cluster.wait_ready()
    load.verify(broken.url)


def test_all_disks_fail_at_once(cluster: ProcessCluster) -> None:
    """Then nothing more is acknowledged, and what was is there after a restart."""
    with Load(cluster.urls, leave_each=3) as load:
        load.wait_acknowledged(200)
        for replica in cluster:
            fail_writes(replica)
        # The third may live on: alone it has nothing to write.
        wait_until(
            lambda: sum(not replica.is_running for replica in cluster) >= 2,
            "the end of a majority",
        )
    for replica in cluster:
        if replica.is_running:
            replica.kill()
        else:
            assert replica.wait() == EXIT_FATAL
    cluster.start()

    for replica in cluster:
        load.verify(replica.url)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a file system of that size (needs root)."""
    folder.mkdir()
    size = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.soak
def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """Root only. Low: its writes are refused and it leads no more; full: it ends.

    With room again it comes back, and knows all that was acknowledged.
    """
    disk = tmp_path / "disk"

    def settings(node_id: str) -> dict[str, str]:
        data = {"SERVICE_REGISTRY_DATA_DIR": str(disk / "a")}
        return data if node_id == "a" else {}

    with small_disk(disk, 200), process_cluster(tmp_path, settings=settings) as cluster:
        full, survivors = cluster["a"], [cluster["b"], cluster["c"]]
        with Load([replica.url for replica in survivors]) as load:
            load.wait_acknowledged(100)
            filler = disk / "filler"
            leave_free(disk, filler, 32 * 1024 * 1024)
            body = {"name": "x", "host": "10.9.9.9", "port": 80}
            wait_until(lambda: b"disk_low" in ask(full.url, "/health").body, "disk_low")
            refused = ask(full.url, "/register", method="POST", body=body)
            assert (refused.status, refused["code"]) == (503, "disk_low")
            assert cluster.leader() is not full
            leave_free(disk, filler, 0)
            assert full.wait(deadline_s=30.0) == EXIT_FATAL
            load.wait_acknowledged(200)
        assert load.failures == []
        filler.unlink()
        full.start()
        cluster.wait_ready()
        load.verify(full.url)


def leave_free(disk: Path, filler: Path, free_bytes: int) -> None:
    """Fill the disk up to so many free bytes."""
    with filler.open("ab") as file:
        while True:
            usage = free_bytes_of(disk) - free_bytes
            if usage <= 0:
                return
            try:
                file.write(bytes(min(usage, 1024 * 1024)))
                file.flush()
            except OSError:
                return


def free_bytes_of(disk: Path) -> int:
    """Return the free bytes of a file system."""
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize
