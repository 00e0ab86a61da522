"""How the progress of a training or a download is shown on a terminal."""

from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fercore.jobs.getting import Download
from fercore.wording import count, duration


class Bar:
    """A bar that is on the screen for the time of a `with`."""

    _bar: Progress

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


class TrainingBar(Bar):
    """A bar with epoch, loss, accuracy, speed and the time left; nothing where no one looks on."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, numbers="")

    def show(self, message: str, at: dict[str, Any]) -> None:
        """`at`: the fields of a `Progress`, or {} before there are any."""
        if not at:
            self._bar.update(self._task, description=message)
            return
        self._bar.update(
            self._task,
            description=f"epoch {at['epoch']}/{at['epochs']}",
            total=at["epochs"] * at["steps"],
            completed=(at["epoch"] - 1) * at["steps"] + at["step"],
            numbers=f"loss {at['loss']:.3f}  accuracy {at['accuracy']:.1%}  "
            f"{count(round(at['images_per_second']))} images/s  "
            f"{duration(at['seconds_left'])} left",
        )


class DownloadBar(Bar):
    """A bar with what has come of how much, and the time left; nothing where no one looks on."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            BarColumn(), TextColumn("{task.description}"), console=console,
            disable=not console.is_terminal, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None)

    def show(self, at: Download) -> None:
        known = at.share is not None
        self._bar.update(
            self._task, description=at.message, total=1.0 if known else None, completed=at.share
        )


class WaitLine:
    """A line whenever the number of trainings ahead of this one changes."""

    def __init__(self, console: Console) -> None:
        self._console, self._ahead = console, 0

    def __call__(self, ahead: int) -> None:
        if ahead != self._ahead:
            self._console.print(f"Waiting: {ahead} before this one on this machine.")
        self._ahead = ahead
