"""`registry dev`: a local cluster of three durable replicas, in one view."""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.live import Live

from registry.commands.dev_cluster import (
    NODE_IDS,
    PORT_STEP,
    DevCluster,
    MemberState,
    plan,
    taken_ports,
)
from registry.commands.dev_directory import DevDirectory, DevDirectoryError
from registry.commands.dev_view import change_lines, screen
from registry.commands.failures import CommandFailed
from registry.config_check import state_directory

LOOK_EVERY_S = 0.5
DEFAULT_BASE_PORT = 8100
LAST_BASE_PORT = 65_535 - 2 * PORT_STEP - 1
NEXT_BASE = 100
TRIED_AT_MOST = 20
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--fresh", is_flag=True, help="Begin with an empty catalog.")
@click.option(
    "--base-port",
    type=click.IntRange(1, LAST_BASE_PORT),
    default=DEFAULT_BASE_PORT,
    show_default=True,
    help="HTTP at this port, +10 and +20; Raft one above each.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Default: service-registry/dev in the XDG state folder.",
)
def dev(fresh: bool, base_port: int, data_dir: Path | None) -> None:
    """Run three durable replicas on this machine until ctrl-C."""
    members = plan(base_port)
    taken = taken_ports(members)
    if taken:
        lines = [f"the ports are not free; {choose_others(base_port)}", *taken]
        raise CommandFailed("\n  ".join(lines))
    try:
        path = data_dir or state_directory(os.environ) / "dev"
        directory = DevDirectory(path.absolute(), NODE_IDS)
        directory.open(fresh=fresh)
    except (DevDirectoryError, ValueError) as error:
        raise CommandFailed(str(error)) from None
    try:
        all_died = run(DevCluster(members, directory), directory)
    finally:
        directory.close()
    if all_died:
        raise CommandFailed("all replicas have ended")


def choose_others(base_port: int) -> str:
    """Say what to type instead: the next base whose ports are all free."""
    figures = range(base_port + NEXT_BASE, LAST_BASE_PORT, NEXT_BASE)[:TRIED_AT_MOST]
    free = (figure for figure in figures if not taken_ports(plan(figure)))
    option = f"--base-port {next(free, DEFAULT_BASE_PORT)}"
    return f'choose others: make run ARGS="{option}" (registry dev {option})'


def run(cluster: DevCluster, directory: DevDirectory) -> bool:
    """Start and show the cluster until a signal (False) or until all died (True)."""
    with _Stop() as stop, cluster:
        all_died = _watch(cluster, directory, stop.asked)
        if not all_died:
            click.echo("stopping …")
    return all_died


class _Stop:
    """Turns signals into an event; a second one breaks into whatever waits."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def __enter__(self) -> "_Stop":
        self._before = {number: signal.signal(number, self._on) for number in STOPPING}
        return self

    def __exit__(self, *_exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on(self, number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():
            raise KeyboardInterrupt
        self.asked.set()


def _watch(cluster: DevCluster, directory: DevDirectory, stop: threading.Event) -> bool:
    """Show the cluster until asked to stop (False) or until all have ended (True)."""
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        click.echo(f"data and logs: {directory.path}")
        before: tuple[MemberState, ...] = ()
        while not stop.is_set():
            now = cluster.states()
            for line in change_lines(before, now, directory.log_tail):
                click.echo(line)
            sys.stdout.flush()
            if _all_ended(now):
                return True
            before = now
            stop.wait(LOOK_EVERY_S)
        return False
    with Live(console=console, auto_refresh=False) as live:
        while not stop.is_set():
            now = cluster.states()
            size = (console.width, console.height)
            view = screen(now, directory.path, directory.log_tail, size=size)
            live.update(view, refresh=True)
            if _all_ended(now):
                return True
            stop.wait(LOOK_EVERY_S)
    return False


def _all_ended(states: tuple[MemberState, ...]) -> bool:
    return all(state.exit_code is not None for state in states)
