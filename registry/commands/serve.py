"""`registry serve`: runs one replica in the foreground."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click
import structlog

from registry import logs
from registry.commands.configuration import config_option, load_or_fail
from registry.config import Loaded
from registry.descriptors import raise_limit

STOP_GRACE_S = 15.0
FLUSH_LOGS_WITHIN_S = 2.0


@click.command()
@config_option
@click.option("--exit-with-parent", type=int, metavar="FD", hidden=True)
def serve(config_file: Path | None, exit_with_parent: int | None) -> None:
    """Run one replica until SIGTERM or ctrl-C."""
    loaded = load_or_fail(config_file)
    config = loaded.config
    logs.configure(
        level=config.log_level,
        log_format=config.log_format,
        node_id=config.cluster.node_id,
        stream=sys.stdout,
    )
    try:
        raise SystemExit(_run(loaded, exit_with_parent))
    finally:
        logs.flush(FLUSH_LOGS_WITHIN_S)


def _run(loaded: Loaded, exit_with_parent: int | None) -> int:
    log = structlog.get_logger()
    for warning in loaded.warnings:
        log.warning("Configuration has an unknown name", warning=warning)
    refusal = raise_limit()
    if refusal:
        log.warning("Limit of open files cannot be raised", reason=refusal)
    if exit_with_parent is not None:
        watch_parent(exit_with_parent, _end_this_process)
    # Late: `registry --help` and the client commands need nothing of the server.
    from registry import node

    return node.serve(loaded.config)


def watch_parent(descriptor: int, when_gone: Callable[[], None]) -> threading.Thread:
    """Call ``when_gone`` once the other end of the pipe is closed.

    The parent holds that end and never writes: the kernel closes it however the parent
    ends, SIGKILL included, on every system.
    """

    def wait() -> None:
        while os.read(descriptor, 1):
            continue
        when_gone()

    thread = threading.Thread(target=wait, name="exit-with-parent", daemon=True)
    thread.start()
    return thread


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    # A stop that hangs must not leave an orphan behind.
    time.sleep(STOP_GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)
