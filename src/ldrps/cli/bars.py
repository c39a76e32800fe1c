"""What people see while pictures are restored, and what they are told at the end."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from ldrps.cli.terminal import say, tell
from ldrps.printable import printable
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.tick import Tick

_NAMED = 20  # failures with their reasons; more would push the summary off the screen


@dataclass
class Tally:
    """How many pictures came out how. `unchanged`: of those that are done; `others`: files that are no pictures."""

    done: int = 0
    unchanged: int = 0
    finished: int = 0
    failed: list[tuple[Job, str]] = field(default_factory=list)
    seconds: float = 0.0
    others: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.state == "done":
            self.done += 1
            self.unchanged += outcome.unchanged
            self.seconds += outcome.seconds
        elif outcome.state == "finished":
            self.finished += 1
        else:
            self.failed.append((outcome.job, outcome.reason))

    def skipped(self) -> str:
        """How many were finished before."""
        return f"{self.finished} skipped, finished before (--force does them again)"

    def summary(self) -> list[str]:
        """A line of figures, then the failures with their reasons, a line each."""
        parts = [f"{self.done} done" + f" ({self.unchanged} unchanged)" * (self.unchanged > 0)]
        parts += [self.skipped()] * (self.finished > 0)
        parts += [f"{len(self.failed)} failed"]
        parts += [f"{self.others} passed over, no pictures"] * (self.others > 0)
        parts += [f"{self.seconds / self.done:.2f} s a picture"] if self.done else []
        named = [reason for _, reason in self.failed[:_NAMED]]
        more = len(self.failed) - len(named)
        return [", ".join(parts), *named, *[f"and {more} more"] * (more > 0)]


class Words(TextColumn):
    """A column of words, names of pictures among them."""

    def render(self, task: Task) -> Text:
        return Text(printable(self.text_format.format(task=task)), style=self.style, justify=self.justify)


class Bars(Progress):
    """Bars on stderr, if that is a terminal, which go when they are done."""

    def __init__(self, *columns: ProgressColumn) -> None:
        console = Console(stderr=True)
        super().__init__(
            *columns,
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=sys.stdout.isatty(),  # else the paths in a pipe would end up among the bars
        )

    def say(self, text: str, style: str) -> None:
        """A line for people above the bars; without bars on stderr all the same."""
        self.console.print(printable(text), style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)


class Display:
    """Bars on a terminal: one for all pictures, where there are several, and one for each that is at work.

    Paths of what was written go to stdout, failures to stderr, with bars or without.

    Args:
        total: how many pictures; None where it cannot be known.
    """

    def __init__(self, total: int | None) -> None:
        self.tally = Tally()
        self._total = total
        self._bars = Bars(
            Words("{task.description}"), BarColumn(), Words("{task.fields[state]}"), TimeRemainingColumn()
        )
        self._overall: TaskID | None = None
        self._at_work: dict[Job, TaskID] = {}

    def __enter__(self) -> Display:
        self._bars.start()
        if self._total != 1:
            self._overall = self._bars.add_task("all pictures", state="", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def tick(self, job: Job, tick: Tick) -> None:
        """Show a step of a picture."""
        if job not in self._at_work:
            self._at_work[job] = self._bars.add_task(job.source.name, state="")
        loss = "" if tick.loss is None else f"  loss {tick.loss:.4f}"
        state = f"round {tick.round}  step {tick.number}/{tick.total}{loss}"
        self._bars.update(self._at_work[job], completed=tick.number, total=tick.total, state=state)

    def outcome(self, outcome: Outcome) -> None:
        """Count and show what became of a picture."""
        self.tally.add(outcome)
        if outcome.job in self._at_work:
            self._bars.remove_task(self._at_work.pop(outcome.job))
        if outcome.state == "failed":
            self._bars.say(f"ldrps: {outcome.reason}", "red")
        elif outcome.state == "done":
            tell(*map(str, outcome.written))
            words = ", ".join([outcome.words] * bool(outcome.words) + ["unchanged"] * outcome.unchanged)
            if self._bars.console.is_terminal and words:
                self._bars.say(f"  {words}", "dim")
            elif outcome.unheeded:
                say(f"{outcome.job.source}: {'; '.join(outcome.unheeded)}")
        if self._overall is None:
            return
        # What was finished before took no time: it is taken off the total, so that the time left is right.
        total = None if self._total is None else self._total - self.tally.finished
        settled, failed = self.tally.done + len(self.tally.failed), len(self.tally.failed)
        state = f"{settled}" + (f"/{total}" if total is not None else "") + (f", {failed} failed" if failed else "")
        self._bars.update(self._overall, completed=settled, total=total, state=state)

    def summarise(self, folder: bool, *, is_whole: bool) -> None:
        """Tell how it went: for a folder, and for pictures that were named one by one if some failed.

        `is_whole` says whether it came to its end; if not, and nothing was done, the error says enough.
        """
        failed = self.tally.failed
        if self.tally.finished and not folder:
            say(self.tally.skipped())
        if folder and (is_whole or self.tally.done or self.tally.finished or failed):
            say(*self.tally.summary())
        elif failed and not folder and self._total != 1:
            names = ", ".join(str(job.source) for job, _ in failed)
            say(f"{len(failed)} of {self._total} pictures failed: {names}")
