"""The closed loop by wrk: in C, so it costs less than the servers it measures.

What it sends is a Lua file, written for each run; one thread, because one core is its.
Each process of it knows one server: a load on three is three of them.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.load.meter import CpuMeter
from bench.load.spec import Load, Result
from bench.load.stream import DIGITS, NUMBER

DEADLINE_S = 30.0
"""For it to end, beyond its own time."""
LOOK_S = 0.02
SAID = "bench: "
REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'bench: {"requests":%d,"us":%d,"status":%d,"other":%d}\\n',
    summary.requests, summary.duration, e.status,
    e.connect + e.read + e.write + e.timeout))
end
"""


class _Summary(msgspec.Struct, forbid_unknown_fields=True):
    """What our Lua writes at the end; ``requests`` counts refusals as well."""

    requests: int
    us: int
    status: int
    other: int


def is_here() -> bool:
    """Whether it can be started."""
    return shutil.which("wrk") is not None


def run_wrk(load: Load, folder: Path) -> Result:
    """Run one for each server at a time; ``folder`` takes the Lua."""
    count = len(load.urls)
    began: list[subprocess.Popen[str]] = []
    try:
        for index, url in enumerate(load.urls):
            part = msgspec.structs.replace(load, stream=load.stream.part(index, count))
            script = folder / f"load-{os.getpid()}-{index}.lua"
            script.write_bytes(lua(part))
            connections = max(1, load.connections // count)
            began.append(_start(url, script, connections, load.seconds))
        watched_s = _watch(began, time.monotonic() + load.seconds + DEADLINE_S)
        ended = [process.communicate(timeout=DEADLINE_S)[0] for process in began]
    finally:
        for process in began:
            if process.poll() is None:
                process.kill()
                process.wait()
    found = [_summary(text) for text in ended]
    seconds = max(s.us for s in found) / 1e6
    return Result(
        requests=sum(s.requests - s.status for s in found),
        errors=sum(s.status + s.other for s in found),
        seconds=seconds,
        latency_us={},
        rate_by_second=(),
        generator="wrk",
        wanted_s=watched_s,
    )


def _watch(processes: Sequence[subprocess.Popen[str]], until_s: float) -> float:
    """Wait for their end; return how long they ran or waited for a core, in all.

    That is told only of what still runs, so it may lack the last ``LOOK_S``.

    Raises:
        RuntimeError: They did not end in time.
    """
    meters = [CpuMeter([process.pid]) for process in processes]
    wanted_s = [0.0] * len(processes)
    while any(process.poll() is None for process in processes):
        if time.monotonic() > until_s:
            raise RuntimeError("wrk did not end in time")
        for number, meter in enumerate(meters):
            wanted_s[number] = max(wanted_s[number], meter.wanted_s() or 0.0)
        time.sleep(LOOK_S)
    return sum(wanted_s)


def _start(
    url: str, script: Path, connections: int, seconds: float
) -> subprocess.Popen[str]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    return subprocess.Popen(
        [*command, "-s", str(script), url],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _summary(text: str) -> _Summary:
    for line in text.splitlines():
        if line.startswith(SAID):
            return msgspec.json.decode(line[len(SAID) :], type=_Summary)
    raise RuntimeError(f"wrk did not say what it found: {text!r}")


def lua(load: Load) -> bytes:
    """Return the file that makes wrk send what the stream says."""
    if load.stream.is_constant:
        return (_constant(load.stream.requests[0]) + REPORT).encode()
    rows = [
        "{" + ",".join(_quoted(piece) for piece in whole.split(NUMBER)) + "}"
        for whole in load.stream.requests
    ]
    has_number = any(NUMBER in whole for whole in load.stream.requests)
    head = (
        f"local parts = {{{','.join(rows)}}}\nlocal n = #parts\n"
        f"local i, number = 0, {load.stream.first - load.stream.step}\n"
    )
    one = (
        f"  number = number + {load.stream.step}\n"
        f"  return table.concat(parts[i], string.format('%0{DIGITS}.0f', number))\n"
        if has_number
        else "  return parts[i][1]\n"
    )
    body = f"request = function()\n  i = i % n + 1\n{one}end\n"
    return (head + body + REPORT).encode()


def _constant(whole: bytes) -> str:
    """Return a request in wrk's own words: it then calls no Lua for each one."""
    head, _, body = whole.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    method, path, _ = line.split(b" ")
    said = f"wrk.method = {_quoted(method)}\nwrk.path = {_quoted(path)}\n"
    for field in fields:
        name, _, value = field.partition(b": ")
        if name != b"Content-Length":  # it adds its own
            said += f"wrk.headers[{_quoted(name)}] = {_quoted(value)}\n"
    return said + (f"wrk.body = {_quoted(body)}\n" if body else "")


def _quoted(data: bytes) -> str:
    """Return a Lua string: of what ASCII needs, JSON escapes the same way."""
    return json.dumps(data.decode("ascii"))
