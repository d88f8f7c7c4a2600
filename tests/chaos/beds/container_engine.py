"""The docker engine as the tests use it: images, and labels on all that they make.

What a run makes carries its label and the time; so whatever a run that was cut off has
left is found, and taken away by a later one.
"""

import functools
import gc
import os
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

from docker import errors  # type: ignore[import-untyped]
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import DockerClient

from tests.chaos.bed import BedFailed

TOP = Path(__file__).parents[3]
TOOLS = TOP / "tests" / "chaos" / "tools"
IMAGE = "service-registry:test"
TOOLS_IMAGE = "service-registry-tools:test"
LABEL = "service-registry.test"
_MADE = f"{LABEL}.made"
_MARK = f"--label={LABEL}=image"
LEFT_BEHIND_S = 7200.0
"""Longer than any run, of which there are some of an hour."""
BUILD_S = 900.0


def connect() -> Any:
    """Return a client of the engine (docker-py's). Raises BedFailed without one."""
    # Its image comes from a registry that not every machine reaches; `reap` does it.
    testcontainers_config.ryuk_disabled = True
    try:
        client = DockerClient().client
        client.ping()
    except errors.DockerException as error:
        raise BedFailed(f"no docker engine answers: {error}") from error
    return client


def is_there() -> bool:
    """Whether an engine answers."""
    with warnings.catch_warnings():
        # docker-py leaves a socket open that could not connect.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            connect().close()
        except BedFailed:
            return False
        finally:
            gc.collect()
    return True


def labels(run: str, *, made_s: float | None = None) -> dict[str, str]:
    """Return what all that belongs to a run is labelled with; by default made now."""
    return {LABEL: run, _MADE: str(int(made_s or time.time()))}


@functools.cache
def build_images() -> None:
    """Build the registry's image, as a user would, and that of the tools; once."""
    _command("make", "--no-print-directory", "image", f"IMAGE={IMAGE}", f"ARGS={_MARK}")
    build(TOOLS_IMAGE, TOOLS)


def build(tag: str, context: Path) -> None:
    """Build an image of a folder with a Dockerfile."""
    _command("docker", "build", "--tag", tag, _MARK, str(context))


def _command(*command: str) -> None:
    done = subprocess.run(
        command,
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUILD_S,
        check=False,
        env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "IMAGE")},
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace")[-4000:]
        raise BedFailed(f"{command[0]} failed ({done.returncode}):\n{said}")


def names(client: Any, run: str) -> list[str]:
    """Return what there is of a run: containers, networks and volumes."""
    return sorted(str(thing.name) for thing in _things(client, f"{LABEL}={run}"))


def remove_run(client: Any, run: str) -> None:
    """Remove all that a run has made."""
    for thing in _things(client, f"{LABEL}={run}"):
        _remove(thing)


def reap(client: Any) -> None:
    """Remove what runs that were cut off have left, and images that were replaced."""
    for thing in _things(client, _MADE):
        found = thing.attrs.get("Labels") or thing.attrs["Config"]["Labels"]
        if time.time() - float(found[_MADE]) > LEFT_BEHIND_S:
            _remove(thing)
    client.images.prune(filters={"dangling": True, "label": [f"{LABEL}=image"]})


def _things(client: Any, label: str) -> list[Any]:
    """Return containers first: what they use can be removed after them alone."""
    chosen = {"label": label}
    return [
        *client.containers.list(all=True, filters=chosen, ignore_removed=True),
        *client.networks.list(filters=chosen),
        *client.volumes.list(filters=chosen),
    ]


def _remove(thing: Any) -> None:
    how = {"force": True, "v": True} if hasattr(thing, "kill") else {}
    try:
        thing.remove(**how)
    except errors.NotFound:
        return  # another run was faster
    except errors.APIError as error:
        raise BedFailed(f"{thing.name} cannot be removed: {error}") from error
