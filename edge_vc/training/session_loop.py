"""A resumable training loop: budget, progress, log, checkpoints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from rich.progress import Progress as Bar

from edge_vc.command_line.steps import stderr_console
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.schedule import Stopwatch, TrainingSession
from edge_vc_runtime.message import printable

LOG_STEPS = 50


class SessionLoop(ABC):
    """One training run, with its log and checkpoint in a folder."""

    noun: ClassVar[str]
    """Name of the run in the progress display."""
    checkpoint: Checkpoint

    def __init__(self) -> None:
        self.step = 0
        self.watch = Stopwatch()
        self.scores: dict[str, float] = {}
        """Scores of the last validation."""

    @abstractmethod
    def train_step(self, progress: float) -> dict[str, float]:
        """Take the next step at this share of the budget; return figures that include ``loss``."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Return the scores on held-out data; empty if there is none."""

    @abstractmethod
    def saved_line(self, scores: dict[str, float]) -> str:
        """Return the text about the scores that follows ``step 3, 0.1 min, saved``."""

    def log(self, figures: dict[str, float]) -> None:
        """Append the figures of a step to the log."""
        self.checkpoint.log(self.step, self.watch.seconds, figures)

    def run(self, session: TrainingSession, saved: Callable[[], None] = lambda: None) -> bool:
        """Train until the run or the session ends; return whether the run is finished.

        ``saved`` is called after every checkpoint.
        """
        self.step, seconds = self.checkpoint.restore()
        self.watch = Stopwatch(seconds)
        kept = began = seconds
        console = stderr_console()
        with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(self.noun, total=1.0)
            while (progress := session.budget.progress(self.step, seconds)) < 1:
                figures = self.train_step(progress)
                self.step += 1
                seconds = self.watch.seconds
                text = f"{self.noun}, step {self.step}, loss {figures['loss']:.3f}"
                bar.update(task, completed=min(progress, 1.0), description=text)
                if self.step % LOG_STEPS == 0:
                    self.log(figures)
                spent = session.is_spent(seconds - began)
                done = session.budget.progress(self.step, seconds) >= 1
                if spent or done or seconds - kept > 60 * session.save_minutes:
                    kept = seconds
                    line = printable(self._save(figures))
                    bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
                    saved()
                if spent:
                    return done
        self.scores = self.scores or self.validate()
        return True

    def _save(self, figures: dict[str, float]) -> str:
        """Save everything; return the line to show."""
        self.checkpoint.save(self.step, self.watch.seconds)
        self.scores = self.validate()
        told = self.saved_line(self.scores)
        self.log(figures | self.scores)
        line = f"step {self.step}, {self.watch.seconds / 60:.1f} min, saved"
        return f"{line}: {told}" if told else line
