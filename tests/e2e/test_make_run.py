"""`make run`, the command that the README begins with, for real."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_dev import family, free_base
from tests.support.process_http import ask, try_ask
from tests.support.process_replica import TOP, environment
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

INSTALLED_AND_READY_S = 300.0
"""On a fresh machine the environment is made first."""


def test_make_run_serves_until_ctrl_c(tmp_path: Path) -> None:
    """From nothing to a cluster by one command, and back to nothing."""
    make = shutil.which("make")
    assert make is not None
    base, data, out = free_base(), tmp_path / "dev", tmp_path / "out"
    settings = {k: v for k, v in environment({}).items() if not k.startswith("MAKE")}
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [make, "run", f"ARGS=--base-port {base} --data-dir {data}"],
            cwd=TOP,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{base}"
    try:
        wait_until(
            lambda: b"ready, " in out.read_bytes() or process.poll() is not None,
            "a ready cluster",
            deadline_s=INSTALLED_AND_READY_S,
        )
        assert process.poll() is None, out.read_text()
        registration = {"name": "made", "host": "h", "port": 1}
        assert ask(url, "/register", method="POST", body=registration).status == 200
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.wait(30.0)

    assert try_ask(url, "/health") is None
    assert not family(data)
