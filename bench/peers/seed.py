"""The seed: the API that this registry took over, in Rust with actix-web, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.peer import Peer, Server, Setting
from bench.peers.processes import ports, process, program, wait_answers
from bench.peers.url import by_url, is_url
from bench.peers.words import AloneWords

NAME = "seed"
PROGRAM = "actix-twin"
PERMANENT_S = "36000"
"""It hides what sends no heartbeats; within a run it should not."""


@contextmanager
def seed(setting: Setting) -> Iterator[Peer]:
    """Run it with one worker: one core, like each of the others."""
    named = setting.named.get(NAME, "")
    if is_url(named):
        with by_url(NAME, named)(setting) as peer:
            yield peer
        return
    command = [program(setting, NAME, on_path=PROGRAM)]
    folder = setting.own_folder(NAME)
    with ports(1) as (port,):
        settings = {
            "PORT": str(port),
            "WORKERS": "1",
            "SERVICE_TTL": PERMANENT_S,
            "HEALTH_CHECK_INTERVAL": PERMANENT_S,
        }
        with process(NAME, command, folder, setting.cores, settings) as pid:
            url = wait_answers(NAME, pid, port, "/health", folder)
            yield Peer(NAME, (Server(url, (pid,)),), AloneWords())
