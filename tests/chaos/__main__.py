"""``python -m tests.chaos``: a cluster under faults for minutes, and a page of it."""

import argparse
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.bed import Bed
from tests.chaos.evidence import Evidence
from tests.chaos.moments import began_s, ended_s
from tests.chaos.run import (
    EVIDENCE,
    PAGE,
    Outcome,
    Standing,
    cluster_settings,
    conclude,
    run_chaos,
)

PLAIN_EACH_S = 10.0
"""Without a terminal, a line so often."""


def main(arguments: list[str]) -> int:
    """Run it; 1 if there is any finding, or a demand was missed."""
    asked = _parse(arguments)
    console = Console()
    if asked.judge:
        return _judge_again(console, asked.judge)
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    folder = asked.folder or Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    folder.mkdir(parents=True, exist_ok=True)
    seconds = 60.0 * asked.minutes
    data = Path(tempfile.mkdtemp(prefix="bed-", dir=folder))
    with (
        _bed(asked.bed, data, size=asked.size) as bed,
        shown(console, seconds) as show,
    ):
        outcome = run_chaos(
            bed, seed=seed, seconds=seconds, folder=folder, progress=show
        )
    if outcome.findings:
        console.print(f"data and logs of the replicas: {data}", soft_wrap=True)
    else:
        shutil.rmtree(data)
    return _tell(console, outcome, folder / EVIDENCE)


def _judge_again(console: Console, path: Path) -> int:
    """Judge the evidence of an earlier run, and make its page anew."""
    evidence = Evidence.read(path)
    took_s = ended_s(evidence) - began_s(evidence)
    outcome = conclude(evidence, path.parent, seconds=took_s)
    return _tell(console, outcome, path)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    add = parser.add_argument
    add("--minutes", type=float, default=5.0, help="of faults (default 5)")
    add("--seed", type=int, help="of faults and clients; default: drawn, and printed")
    add("--bed", choices=("processes", "containers"), default="processes")
    add("--size", type=int, choices=(3, 5), default=3, help="replicas (default 3)")
    add("--folder", type=Path, help="for page and evidence; default: a new one")
    add("--judge", type=Path, help="no run: judge the evidence file of an earlier one")
    return parser.parse_args(arguments)


def _bed(name: str, folder: Path, *, size: int) -> AbstractContextManager[Bed]:
    """Return a bed; only the one asked for is imported, as the other needs docker."""

    def settings(_: str) -> Mapping[str, str]:
        return cluster_settings()

    if name == "processes":
        from tests.chaos.beds.processes import process_bed

        return process_bed(folder, size=size, settings=settings)
    from tests.chaos.beds.containers import container_bed

    return container_bed(folder, size=size, settings=settings)


@contextmanager
def shown(console: Console, seconds: float) -> Iterator[Callable[[Standing], None]]:
    """Yield what shows how far it is: a bar, or now and then a line."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("calm", total=seconds)

        def show(standing: Standing) -> None:
            told = _told(standing)
            bar.update(task, completed=standing.elapsed_s, description=told)

        yield show


def _lines(console: Console) -> Callable[[Standing], None]:
    due_s = 0.0

    def show(standing: Standing) -> None:
        nonlocal due_s
        if standing.elapsed_s >= due_s:
            due_s = standing.elapsed_s + PLAIN_EACH_S
            line = f"{standing.elapsed_s:7.0f} s  {_told(standing)}"
            console.print(line, soft_wrap=True)

    return show


def _told(standing: Standing) -> str:
    return (
        f"episode {standing.episodes + 1}: {standing.episode}; "
        f"{standing.acknowledged:,} writes acknowledged, {standing.reads:,} reads; "
        "judged at the end"
    )


def _tell(console: Console, outcome: Outcome, evidence: Path) -> int:
    table = Table("figure", "result", "demanded")
    for figure in outcome.figures:
        style = {None: "", True: "green", False: "bold red"}[figure.met]
        table.add_row(
            figure.name,
            f"[{style}]{figure.value}[/]" if style else figure.value,
            figure.target,
        )
    console.print(table)
    console.print(
        f"seed {outcome.evidence.run.seed}: {len(outcome.findings)} findings, "
        f"{len(outcome.missed)} demands missed; look at {evidence.with_name(PAGE)}, "
        f"evidence in {evidence}",
        soft_wrap=True,
    )
    return 1 if outcome.findings or outcome.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
