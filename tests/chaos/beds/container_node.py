"""One replica in a container as a careful operator would run it, and its process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testcontainers.core.container import DockerContainer

from tests.chaos.bed import BedFailed
from tests.chaos.beds.container_engine import labels
from tests.chaos.beds.container_ground import DATA, SECRETS, Ground
from tests.support.process_http import Reply, try_ask

END_S = 15.0
"""A graceful stop is promised within 10 s."""
STARVED_CPUS = 0.05
CPU_PERIOD_US = 100_000
NO_QUOTA = -1
MEMORY = "1g"
"""Holds the pages of the data volume as well."""


def harden(container: DockerContainer, **more: Any) -> None:
    """Take from a container all that the image must do without; add what is given."""
    container.with_tmpfs_mount("/tmp", "size=16m")
    container.with_kwargs(
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=MEMORY,
        pids_limit=256,
        **more,
    )


class ContainerNode:
    """One replica: a container that may be down, on a ground that lasts."""

    def __init__(
        self, run: str, ground: Ground, settings: Mapping[str, str], url: str
    ) -> None:
        self.ground = ground
        self.url = url
        self._run = run
        self._settings = dict(settings)
        self._made: DockerContainer | None = None
        self._logs = b""
        """Of containers that were replaced."""

    @property
    def container(self) -> Any:
        """The container itself (docker-py's)."""
        assert self._made is not None
        return self._made.get_wrapped_container()

    @property
    def logs(self) -> bytes:
        """All that the replica has said."""
        return self._logs + (self.container.logs() if self._made is not None else b"")

    def make(self, image: str) -> None:
        """Make the container from an image and start it, in the place of the last."""
        self.remove()
        made = DockerContainer(image).with_envs(**self._settings)
        made.with_name(self.ground.name.removesuffix("-ground"))
        made.volumes[self.ground.volume] = {"bind": DATA, "mode": "rw"}
        made.volumes[f"{self._run}-secrets"] = {"bind": SECRETS, "mode": "ro"}
        harden(
            made,
            labels=labels(self._run),
            network_mode=f"container:{self.ground.container.id}",
        )
        self._made = made.start()

    def remove(self) -> None:
        """Remove the container, if there is one; the ground and the data stay."""
        if self._made is not None:
            self._logs = self.logs
            self._made.stop()
            self._made = None

    def close(self, log: Path) -> None:
        """Keep what it has said, and be there no more, nor the ground."""
        self.remove()
        log.write_bytes(self.logs)
        self.ground.stop()

    # -- the process

    @property
    def status(self) -> str:
        """``running``, ``paused`` or ``exited``."""
        self.container.reload()
        return str(self.container.status)

    @property
    def has_ended(self) -> bool:
        """Whether its process is gone, however it went."""
        return self.status == "exited"

    def kill(self) -> None:
        """SIGKILL, and gone when this returns."""
        if not self.has_ended:
            self.container.kill("SIGKILL")
            self._wait_end()

    def stop(self) -> None:
        """SIGTERM; it must end by itself, and say that all went well."""
        self.resume()
        if self.has_ended:
            return
        self.container.kill("SIGTERM")
        code = self._wait_end()
        if code:
            raise BedFailed(f"{self.url} ended with {code} on SIGTERM")

    def start(self) -> None:
        """Start what is down."""
        if self.has_ended:
            self.container.start()

    def pause(self) -> None:
        """Freeze it."""
        if self.status == "running":
            self.container.pause()

    def resume(self) -> None:
        """Thaw it."""
        if self.status == "paused":
            self.container.unpause()

    def starve(self) -> None:
        """Give it a small part of one processor."""
        self._limit(int(STARVED_CPUS * CPU_PERIOD_US))

    def feed(self) -> None:
        """Give it what it wants."""
        self._limit(NO_QUOTA)

    def _limit(self, quota_us: int) -> None:
        self.container.update(cpu_period=CPU_PERIOD_US, cpu_quota=quota_us)

    def _wait_end(self) -> int:
        try:
            return int(self.container.wait(timeout=END_S)["StatusCode"])
        except OSError as error:  # of requests: it did not end in time
            raise BedFailed(f"{self.url} did not end within {END_S:g} s") from error

    # -- what it says

    def get(self, path: str) -> Reply | None:
        """Ask it; None when there is no answer."""
        return try_ask(self.url, path)

    def state(self) -> dict[str, object]:
        """Return its answer to ``/cluster``; empty when there is none."""
        reply = self.get("/cluster")
        return reply.json if reply is not None and reply.status == 200 else {}

    @property
    def is_ready(self) -> bool:
        """Whether ``/ready`` answers 200."""
        reply = self.get("/ready")
        return reply is not None and reply.status == 200
