"""A small service as a process of its own, for those that are to be killed.

Run as a module it serves one `SmallService` until its standard input ends, which it
does with the test however that ends.
"""

import asyncio
import signal
import subprocess
import sys
from typing import Self

from tests.support.process_replica import TOP
from tests.support.small_service import LOOPBACK, SmallService

END_S = 10.0


class SmallServiceProcess:
    """Runs while the `with` lasts, or until it is killed."""

    def __init__(self) -> None:
        self.host = LOOPBACK
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(END_S)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def kill(self) -> None:
        """SIGKILL: the kernel closes its port, whoever connects is refused."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(END_S)


async def _serve() -> None:
    service = SmallService()
    await service.open()
    sys.stdout.write(f"{service.port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    service.close()


if __name__ == "__main__":
    asyncio.run(_serve())
