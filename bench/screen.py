"""What a terminal shows while a run goes on: a table that fills, and what is under way.

Where there is no terminal each step is a line, and the table comes at the end.
"""

from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bench.report import limit, named, spread, verdict
from bench.results import Outcome, number

STYLES = {"aim": "green", "floor": "yellow", "missed": "bold red", "": ""}
WIDTH = 140
"""Of a table that goes into a file."""


class Screen:
    """Shows outcomes as they come. Used with ``with``."""

    def __init__(self) -> None:
        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=WIDTH)
        self._console = console
        self._table = make_table()
        self._spinner = Spinner("dots", "")
        self._live = Live(
            self._view(), console=console, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()
        if self._table.row_count:
            self._console.print(self._table)

    def tell(self, line: str) -> None:
        """Say what is under way now."""
        if self._console.is_terminal:
            self._spinner.update(text=Text(line, overflow="ellipsis", no_wrap=True))
        else:
            self._console.print(Text(line))

    def add(self, outcome: Outcome) -> None:
        """Put the figures of a scenario into the table."""
        add_rows(self._table, outcome)
        self._live.update(self._view())

    def _view(self) -> RenderableType:
        return Group(self._table, self._spinner)


def make_table() -> Table:
    """Return an empty table of figures."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario", no_wrap=True)
    table.add_column("figure")
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("turns", style="dim", no_wrap=True)
    table.add_column("aim", no_wrap=True)
    table.add_column("floor", no_wrap=True)
    table.add_column("", no_wrap=True)
    return table


def add_rows(table: Table, outcome: Outcome) -> None:
    """Add a row for each figure, and one that names the peers that were not here."""
    scenario = outcome.scenario
    for figure in outcome.figures:
        table.add_row(
            Text(scenario),
            Text(named(figure)),
            Text(f"{number(figure.value)} {figure.unit}"),
            Text(spread(figure)),
            Text(limit(figure.aim, figure)),
            Text(limit(figure.floor, figure)),
            Text(verdict(figure), style=STYLES[figure.verdict]),
        )
        scenario = ""
    if outcome.absent:
        names = ", ".join(outcome.absent)
        table.add_row(Text(scenario), Text(f"not here: {names}", style="dim"))
