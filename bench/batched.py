"""How many commands a second three durable replicas commit, each a process.

Run as a module it is one of these processes: it takes part until its input ends, and
the one that comes to lead floods the log and tells how long that took.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import orjson
import uvloop

from bench.figures import Figure, Size, at_least
from bench.members import COMMAND_BYTES, Counter, flood, leads_all, member, until
from cluster.links.settings import Address
from tests.support.process_ports import LOOPBACK, ReservedPorts

PER_S = 40_000
OUTSTANDING = 2_048
END_S = 15.0


def measure(size: Size, folder: Path) -> list[Figure]:
    """Start three processes and wait for what the leader tells."""
    ports = ReservedPorts()
    addresses = {node_id: (LOOPBACK, ports.take()) for node_id in "abc"}
    with ExitStack() as stack:
        stack.callback(ports.close)
        out = folder / "results"
        out.touch()
        for node_id in addresses:
            command = [sys.executable, "-m", "bench.batched", node_id, str(folder)]
            command += [str(size.seconds), orjson.dumps(addresses).decode()]
            process = subprocess.Popen(command, stdin=subprocess.PIPE)
            stack.callback(_end, process)
        deadline_s = time.monotonic() + size.seconds + 3 * END_S
        while not (told := out.read_bytes()):
            if time.monotonic() > deadline_s:
                raise TimeoutError("nobody came to lead")
            time.sleep(0.05)
    result = orjson.loads(told)
    per_s = result["commands"] / result["seconds"]
    return [
        at_least("batched, three processes", per_s, PER_S, "commands/s"),
        Figure("commands per entry", f"{result['commands'] / result['entries']:.0f}"),
        Figure("the leader's CPU per command", f"{result['cpu_us']:.1f} us"),
    ]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.communicate(timeout=END_S)


async def _take_part(
    node_id: str, addresses: dict[str, Address], folder: Path, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    ended = loop.run_in_executor(None, sys.stdin.buffer.read)
    machine = Counter()
    async with member(node_id, addresses, folder / node_id, machine) as replica:
        leading = asyncio.create_task(until(lambda: leads_all(replica)))
        await asyncio.wait({leading, ended}, return_when=asyncio.FIRST_COMPLETED)
        # Whoever comes to lead because the measured leader ends has nothing to do.
        is_first = not (folder / "results").read_bytes()
        if is_first and leading.done() and leading.exception() is None:
            before, applied = replica.counters(), machine.count
            cpu_s, began_s = time.process_time(), time.perf_counter()
            endless = itertools.repeat(bytes(COMMAND_BYTES))
            until_s = began_s + seconds
            commands = itertools.takewhile(
                lambda _: time.perf_counter() < until_s, endless
            )
            await flood(replica, commands, outstanding=OUTSTANDING)
            took_s = time.perf_counter() - began_s
            after = replica.counters()
            done = machine.count - applied
            result = {
                "commands": done,
                "entries": after["batches"] - before["batches"],
                "seconds": took_s,
                "cpu_us": (time.process_time() - cpu_s) / done * 1e6,
            }
            part = folder / f"{node_id}.part"
            part.write_bytes(orjson.dumps(result))
            part.replace(folder / "results")
        leading.cancel()
        await ended


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("node_id")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("addresses", type=orjson.loads)
    given = parser.parse_args()
    addresses = {k: (host, port) for k, (host, port) in given.addresses.items()}
    uvloop.run(_take_part(given.node_id, addresses, given.folder, given.seconds))


if __name__ == "__main__":
    _main()
