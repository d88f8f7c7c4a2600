"""What one replica's container stands on: a second container, as a pod's sandbox is.

It holds the network, the address and the disk, and has the tools and the rights that
the replica's must not have. So these outlast the replica: a partition holds while it is
killed and started, and its disk is full or empty while nothing runs.

The disk is a tmpfs of a known size, so that it can be full: a volume of the engine's
would have to be as large as the machine's disk.
"""

import shlex
from collections.abc import Collection
from typing import Any

from testcontainers.core.container import DockerContainer

from tests.chaos.bed import BedFailed
from tests.chaos.beds.container_engine import TOOLS_IMAGE, labels

RUNS_AS = "10001:10001"
HTTP_PORT = 8100
DATA = "/data"
SECRETS = "/run/secrets"
KEY_FILE = f"{SECRETS}/raft.key"
BALLAST = f"{DATA}/ballast"
QUEUE = "7"


def memory_volume(client: Any, run: str, name: str, *, mib: int) -> None:
    """Make a volume of a fixed size in memory; it lasts while a container holds it."""
    options = f"size={mib}m,mode=0700,uid=10001,gid=10001"
    client.volumes.create(
        name,
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": options},
        labels=labels(run),
    )


class Ground:
    """Network, address and disk of one replica, and what befalls them."""

    def __init__(
        self, run: str, node_id: str, *, clients: Any, raft: Any, port: int
    ) -> None:
        """``clients``, ``raft``: the two networks; ``port``: its HTTP, on loopback."""
        self.name = f"{run}-{node_id}-ground"
        self.alias = f"registry-{node_id}"
        """Its name among the replicas alone: a host name would be known to clients."""
        self.volume = f"{run}-{node_id}-data"
        self._raft = raft
        self._has_rules = False
        self._delayer = ""
        """Process id of the one that delays."""
        self._starting = DockerContainer(TOOLS_IMAGE).with_name(self.name)
        self._starting.ports[f"{HTTP_PORT}/tcp"] = ("127.0.0.1", port)  # type: ignore[assignment]
        self._starting.volumes[self.volume] = {"bind": DATA, "mode": "rw"}
        self._starting.volumes[f"{run}-secrets"] = {"bind": SECRETS, "mode": "rw"}
        self._starting.with_kwargs(
            labels=labels(run),
            network=clients.name,
            init=True,
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN", "NET_RAW"],
        )

    def start(self, key: str) -> None:
        """Be there, with the members' key in its place."""
        self._starting.start()
        self._plug()
        write = f"umask 077; printf '%s\\n' {shlex.quote(key)} > {KEY_FILE}"
        self.run("sh", "-c", write, user=RUNS_AS)

    def stop(self) -> None:
        """Be there no more; needed only to close the client's connections."""
        self._starting.stop()

    @property
    def container(self) -> Any:
        """The container itself (docker-py's)."""
        return self._starting.get_wrapped_container()

    @property
    def address(self) -> str:
        """Its address among the replicas; empty while it is unplugged."""
        self.container.reload()
        networks = self.container.attrs["NetworkSettings"]["Networks"]
        return str(networks.get(self._raft.name, {}).get("IPAddress", ""))

    def run(self, *command: str, user: str = "root") -> str:
        """Run a command in it, to its end; return what it said."""
        code, output = self.container.exec_run(list(command), user=user)
        said = str(output.decode(errors="replace"))
        if code:
            raise BedFailed(f"{self.name}: {shlex.join(command)}: {said}")
        return said

    # -- the links

    def cut(self, addresses: Collection[str], *, inbound: bool, outbound: bool) -> None:
        """Lose what comes from those, or goes to them, without a word."""
        rules = [f"INPUT -s {a}" for a in addresses if inbound]
        rules += [f"OUTPUT -d {a}" for a in addresses if outbound]
        # Before any queue: what that lets go looks at no further rule.
        self._iptables([f"-I {rule} -j DROP" for rule in rules])

    def delay(
        self,
        addresses: Collection[str],
        *,
        delay_ms: float,
        jitter_ms: float,
        loss: float,
    ) -> None:
        """Hold back what goes to those, and lose a part of it."""
        self._end_delay()
        times = (f"--delay-ms={delay_ms}", f"--jitter-ms={jitter_ms}", f"--loss={loss}")
        delayer = ("python", "/opt/delay.py", f"--queue={QUEUE}", *times)
        self._delayer = self.run(*delayer).strip()
        queue = f"-j NFQUEUE --queue-num {QUEUE} --queue-bypass"
        self._iptables([f"-A OUTPUT -d {a} {queue}" for a in addresses])

    def unplug(self) -> None:
        """Have no interface to the replicas, and no name there."""
        if self.address:
            self._raft.disconnect(self.container.id, force=True)

    def heal(self) -> None:
        """Undo all that was done to the links."""
        if self._has_rules:
            self._iptables(["-F INPUT", "-F OUTPUT"])
            self._has_rules = False
        self._end_delay()
        if not self.address:
            self._plug()

    def _plug(self) -> None:
        self._raft.connect(self.container.id, aliases=[self.alias])

    def _iptables(self, rules: Collection[str]) -> None:
        if rules:
            self._has_rules = True
            self.run("sh", "-ec", "; ".join(f"iptables -w {rule}" for rule in rules))

    def _end_delay(self) -> None:
        if self._delayer:
            self.run("sh", "-c", f"kill {self._delayer}")
            self._delayer = ""

    # -- the disk

    def fill(self) -> None:
        """Leave no room."""
        # It ends by finding none, which is no failure here.
        fill = f"cat /dev/zero > {BALLAST} 2> /dev/null || true; stat -fc %a {DATA}"
        left = self.run("sh", "-c", fill, user=RUNS_AS).strip()
        if left != "0":
            raise BedFailed(f"{self.name}: {left} blocks are left")

    def mend(self) -> None:
        """Give the room back."""
        self.run("rm", "-f", BALLAST, user=RUNS_AS)

    def wipe(self) -> None:
        """Empty it."""
        self.run("find", DATA, "-mindepth", "1", "-delete", user=RUNS_AS)
