"""One run: clients at work, faults from a seed, and in the end the judgement.

What it leaves in its folder: the evidence (written while it happens), the page, and a
timeline if anything is wrong.
"""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from tests.chaos.bed import Bed
from tests.chaos.checkers import CHECKERS, judge
from tests.chaos.evidence import Evidence, Recorder, Run, Stuck
from tests.chaos.figures import figures
from tests.chaos.findings import Finding, gathered
from tests.chaos.nemesis import Nemesis, Step
from tests.chaos.page import page
from tests.chaos.recorded import NeverReady, Recorded
from tests.chaos.timeline import timeline
from tests.chaos.workload import Workload
from tests.chaos.workload.endings import record_endings
from tests.support.background import Background

TTL_S = 3.0
EVIDENCE = "evidence.jsonl"
PAGE = "page.html"
TIMELINE = "timeline.txt"
CALM_WRITES = 100
"""Acknowledged before the first fault, and again after the last."""
RECOVERY = "recovery"
"""The checker that is this module: the cluster comes back after every episode."""
TELL_EACH_S = 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen, what is wrong with it, and how fast it was."""

    evidence: Evidence
    findings: list[Finding]
    figures: list[Figure]

    @property
    def missed(self) -> list[Figure]:
        """What did not reach what is demanded of it."""
        return [figure for figure in self.figures if figure.met is False]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is."""

    elapsed_s: float
    episode: str
    episodes: int
    acknowledged: int
    reads: int


Progress = Callable[[Standing], None]


def cluster_settings(ttl_s: float = TTL_S) -> dict[str, str]:
    """Return the settings of the replicas under which the workload's promises hold."""
    return {
        "HEALTH_CHECK_INTERVAL": "0.5",
        "HEALTH_CHECK_TIMEOUT": "0.4",
        "HEALTH_CHECK_FAILURES": "2",
        "SERVICE_TTL": f"{ttl_s:g}",
    }


def run_chaos(
    bed: Bed,
    *,
    seed: int,
    seconds: float,
    folder: Path,
    progress: Progress | None = None,
    ttl_s: float = TTL_S,
    steps: Iterable[Step] | None = None,
) -> Outcome:
    """Let faults befall the bed for so many seconds, under load; judge what was seen.

    ``steps`` are done instead of what the seed says, as long as the time lasts.

    Raises:
        BedFailed: a fault could not be done, so the run says nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EVIDENCE).unlink(missing_ok=True)  # of an earlier run
    _say(f"chaos: seed {seed} on {bed.name} ({' '.join(bed.node_ids)})")
    recorder = Recorder(folder / EVIDENCE)
    try:
        began_s = time.monotonic()
        recorder.add(Run(bed.name, seed, bed.node_ids, ttl_s, began_s))
        recorded = Recorded(bed, recorder)
        nemesis = Nemesis(recorded, seed=seed, ttl_s=ttl_s, steps=steps)
        _happen(recorded, recorder, nemesis, seconds, progress or _silent)
    finally:
        recorder.close()
    return conclude(recorder.evidence, folder, seconds=seconds)


def conclude(evidence: Evidence, folder: Path, *, seconds: float) -> Outcome:
    """Judge what was seen, write the page and, if anything is wrong, the timeline."""
    stuck = [Finding(RECOVERY, s.at_s, s.text) for s in evidence.of(Stuck)]
    findings = gathered([*stuck, *judge(evidence)])
    outcome = Outcome(evidence, findings, figures(evidence))
    _write_out(outcome, folder, seconds=seconds)
    return outcome


def _happen(
    bed: Recorded,
    recorder: Recorder,
    nemesis: Nemesis,
    seconds: float,
    progress: Progress,
) -> None:
    run = recorder.evidence.run
    bed.wait_ready()
    workload = Workload(bed, recorder, seed=run.seed, ttl_s=run.ttl_s)
    with workload, _Telling(workload, nemesis, run.began_s, progress):
        try:
            workload.wait_acknowledged(CALM_WRITES)
            nemesis.run(seconds)
            nemesis.rest()
            workload.wait_acknowledged(CALM_WRITES)
            workload.stop_asking()
            bed.wait_ready()
        except (NeverReady, AssertionError) as error:  # the latter of waiting
            recorder.add(Stuck(time.monotonic(), f"after {nemesis.episode}: {error}"))
        record_endings(bed, recorder, services=workload.services)


class _Telling(Background):
    """Tells how far the run is, a few times a second."""

    def __init__(
        self,
        workload: Workload,
        nemesis: Nemesis,
        began_s: float,
        progress: Progress,
    ) -> None:
        super().__init__("telling")
        self._workload = workload
        self._nemesis = nemesis
        self._began_s = began_s
        self._progress = progress

    def run(self) -> None:
        """Do it, until it is over."""
        while not self.is_over:
            self._progress(
                Standing(
                    elapsed_s=time.monotonic() - self._began_s,
                    episode=self._nemesis.episode,
                    episodes=self._nemesis.episodes,
                    acknowledged=self._workload.acknowledged,
                    reads=self._workload.reads,
                )
            )
            self.pause(TELL_EACH_S)


def command(run: Run, *, seconds: float) -> str:
    """Return what repeats a run."""
    return (
        f"make chaos MINUTES={seconds / 60:.3g} SEED={run.seed}"
        f' ARGS="--bed {run.bed} --size {len(run.nodes)}"'
    )


def _write_out(outcome: Outcome, folder: Path, *, seconds: float) -> None:
    evidence, findings = outcome.evidence, outcome.findings
    again = command(evidence.run, seconds=seconds)
    lines = timeline(evidence, findings)
    names = (RECOVERY, *CHECKERS)
    text = page(
        evidence, findings, outcome.figures, checkers=names, command=again, story=lines
    )
    (folder / PAGE).write_text(text, encoding="utf-8")
    if findings:
        (folder / TIMELINE).write_text("\n".join(lines) + "\n", encoding="utf-8")
        _say("\n".join(lines))
        _say(f"again: {again}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _silent(_: Standing) -> None:
    """Tell nobody."""
