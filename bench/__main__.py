"""`python -m bench [NAME …]`: measures, shows a table, writes JSON and an HTML report.

.venv/bin/python -m bench                the usual scenarios, about five minutes
.venv/bin/python -m bench NAME …         some scenarios or measurements
.venv/bin/python -m bench --all          all of them, about half an hour
.venv/bin/python -m bench compare A.json B.json    what changed beyond noise
.venv/bin/python -m bench report A.json  the HTML report of a run
.venv/bin/python -m bench gate           what must hold on any machine; 1 if not

`make bench ARGS="…"` is the same, and makes the venv first.

What a figure means and how it is measured: bench/README.md.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from bench import (
    batched,
    callbacks,
    checked,
    checks,
    commit,
    compare,
    figures,
    http,
    leases,
    probes,
    report,
    restart,
    results,
    running,
    stall,
    stopping,
)
from bench.peers.peer import NotHere
from bench.plots import PlotsMissing
from bench.scenarios import SCENARIOS, USUAL

MEASUREMENTS: dict[str, figures.Measure] = {
    "commit": commit.measure,
    "batched": batched.measure,
    "restart": restart.measure,
    "stall": stall.measure,
    "callbacks": callbacks.measure,
    "http": http.measure,
    "probes": probes.measure,
    "checks": checks.measure,
    "checked": checked.measure,
    "leases": leases.measure,
}
COMMANDS = ("compare", "report", "gate")
STOPPING = "stopping: what was started is ended, what was finished is kept …"


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2; the usage fills a screen, and is told by ``--help``."""
        self.exit(2, f"{message}; see --help\n")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in COMMANDS:
        return _command(given)
    choice = _choice(given)
    try:
        running.run(choice, MEASUREMENTS)
    except NotHere as missing:
        print(f"nothing to measure: {missing}")
        return 2
    return 0


def _command(given: list[str]) -> int:
    parser = Parser(prog=running.COMMAND)
    commands = parser.add_subparsers(dest="command", required=True)
    comparing = commands.add_parser(
        "compare",
        description=compare.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    comparing.add_argument("runs", nargs=2, type=Path, metavar="RUN.json")
    reporting = commands.add_parser("report", description=report.__doc__)
    reporting.add_argument("run", type=Path, metavar="RUN.json")
    reporting.add_argument(
        "--html", type=Path, metavar="FILE", help="instead of beside RUN.json"
    )
    commands.add_parser(
        "gate",
        description="Judge what is steady on any machine; 1 if a floor is missed.",
    )
    chosen = parser.parse_args(given)
    if chosen.command == "compare":
        return compare.main(chosen.runs)
    if chosen.command == "report":
        return _report(chosen.run, chosen.html or chosen.run.with_suffix(".html"))
    from bench import gate  # starts servers, which nothing else here needs

    return gate.main()


def _report(path: Path, html: Path) -> int:
    try:
        report.write(results.load(path), html)
    except (OSError, msgspec.DecodeError, PlotsMissing) as error:
        print(f"no report: {error}")
        return 2
    print(f"report: {html}")
    return 0


def _choice(given: list[str]) -> running.Choice:
    parser = Parser(
        prog=running.COMMAND,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(_all())}")
    add("--all", action="store_true", help="every scenario and every measurement")
    add("--quick", action="store_true", help="tiny numbers, to see that it runs")
    add(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where data is written: the disk to be measured",
    )
    add(
        "--url",
        metavar="URL[,URL]",
        help="a cluster that runs, instead of one that is started here",
    )
    add(
        "--peer",
        action="append",
        default=[],
        type=_peer,
        metavar="NAME=URL",
        help="a peer that runs, or NAME=PROGRAM; may be given several times",
    )
    add("--consul", metavar="URL", help="the same as --peer consul=URL")
    add("--json", type=Path, metavar="FILE", help="where the results are written")
    add("--html", type=Path, metavar="FILE", help="where the report is written")
    chosen = parser.parse_args(given)
    unknown = [name for name in chosen.names if name not in _all()]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}")
    if chosen.folder is not None and not chosen.folder.is_dir():
        parser.error(f"{chosen.folder} is no folder")
    for path in (chosen.json, chosen.html):
        if path is not None and (reason := _unwritable(path)):
            parser.error(reason)
    if chosen.all and chosen.names:
        parser.error("--all and names exclude each other")
    peers = dict(chosen.peer)
    if chosen.consul:
        peers["consul"] = chosen.consul
    return running.Choice(
        names=tuple(chosen.names or (_all() if chosen.all else USUAL)),
        quick=chosen.quick,
        folder=chosen.folder,
        peers=peers,
        url=chosen.url,
        json=chosen.json,
        html=chosen.html,
        arguments=tuple(given),
    )


def _unwritable(path: Path) -> str:
    """Say why a file cannot be written, before half an hour is spent on it."""
    if not path.parent.is_dir():
        return f"{path}: there is no folder {path.parent}"
    if path.is_dir():
        return f"{path} is a folder"
    return "" if os.access(path.parent, os.W_OK) else f"{path} cannot be written"


def _all() -> tuple[str, ...]:
    return (*SCENARIOS, *MEASUREMENTS)


def _peer(text: str) -> tuple[str, str]:
    name, is_given, where = text.partition("=")
    if not (name and is_given and where):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL")
    return name, where


if __name__ == "__main__":
    sys.exit(stopping.in_order(main, STOPPING))
