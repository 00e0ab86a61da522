"""What a model must have to be good enough: figures of at least or at most so much, in text."""

import math
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fercore.errors import ConfigError
from fercore.labels import CLASSES, class_index
from fercore.scoring.grouped.thresholds import Wish

Bound = Literal["min", "max"]

BY_CLASS = ("precision", "recall", "f1", "auc", "false_alarms")
OVERALL = ("accuracy", "macro_f1", "macro_auc", "coverage", "ece")  # shares, as those by class
OTHERS = ("brier", "log_loss", "latency_ms", "size_mb", "memory_mb", "parameters")
FIGURES = (*OVERALL, *OTHERS, *(f"{name}[CLASS]" for name in BY_CLASS))
_FORM = re.compile(r"\s*(\w+)\s*(?:\[\s*([^\]]+?)\s*\])?\s*=\s*(\S+)\s*")


@dataclass(frozen=True)
class Requirement:
    """A figure of at least ('min') or at most ('max') `wanted`. k: the class it is of, or None."""

    bound: Bound
    metric: str
    k: int | None
    wanted: float

    @property
    def figure(self) -> str:
        """'recall[fear]'."""
        return self.metric if self.k is None else f"{self.metric}[{CLASSES[self.k]}]"

    @property
    def is_share(self) -> bool:
        """Whether it lies between 0 and 1."""
        return self.metric in OVERALL + BY_CLASS

    @property
    def unit(self) -> str:
        """As `wording.quantity` takes it."""
        units = {"latency_ms": "ms", "size_mb": "MB", "memory_mb": "MB", "parameters": "count"}
        return "%" if self.is_share else units.get(self.metric, "")

    @property
    def wish(self) -> Wish | None:
        """What a threshold can be chosen for, if it is that: a class's precision of at least, or
        its false alarms of at most so much.
        """
        if self.k is None:
            return None
        if (self.metric, self.bound) == ("precision", "min"):
            return Wish(self.k, "precision", self.wanted)
        if (self.metric, self.bound) == ("false_alarms", "max"):
            return Wish(self.k, "false_alarms", self.wanted)
        return None

    def allows(self, value: float) -> bool:
        """Whether a value is on the right side; an unknown one, NaN, is not."""
        return value >= self.wanted if self.bound == "min" else value <= self.wanted

    def option(self) -> str:
        """As the command line takes it: "--min 'recall[fear]=0.45'"."""
        return f"--{self.bound} {shlex.quote(f'{self.figure}={self.wanted:g}')}"


def read_requirement(text: str, bound: Bound) -> Requirement:
    """From 'accuracy=0.70' or 'recall[fear]=0.45'. Raises `ConfigError` for anything else."""
    found = _FORM.fullmatch(text)
    try:
        wanted = float(found[3]) if found else math.nan
    except ValueError:
        wanted = math.nan
    if not found or not math.isfinite(wanted):
        raise ConfigError(
            f"'{text}' is no requirement: write FIGURE=NUMBER, such as accuracy=0.70 or "
            "'recall[fear]=0.45'."
        )
    metric, of = found[1].lower(), found[2]
    if metric not in OVERALL + OTHERS + BY_CLASS:
        raise ConfigError(f"There is no figure '{metric}'. Choose one of: {', '.join(FIGURES)}.")
    if (metric in BY_CLASS) != bool(of):
        form = f"'{metric}[fear]'" if metric in BY_CLASS else f"'{metric}'"
        belongs = "of one expression" if metric in BY_CLASS else "of all expressions together"
        raise ConfigError(f"'{text}': {metric} is {belongs}. Write {form}.")
    requirement = Requirement(bound, metric, class_index(of) if of else None, wanted)
    if wanted < 0 or (requirement.is_share and wanted > 1):
        to = "0 to 1, as 0.70 for 70 %" if requirement.is_share else "0 upwards"
        raise ConfigError(f"'{text}': {metric} goes from {to}.")
    return requirement


def read_requirements(path: Path) -> list[Requirement]:
    """From a file of lines as '--min accuracy=0.70'; '#' begins a comment.

    Raises `ConfigError`, naming the line, for any other, and where there is none or no file.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"'{path}' cannot be read as text. Give a file of lines such as '--min accuracy=0.70'."
        ) from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found += _in_line(line)
        except ConfigError as error:
            raise ConfigError(f"{path}, line {number}: {error}") from error
    if not found:
        raise ConfigError(f"'{path}' requires nothing. Write lines such as '--min accuracy=0.70'.")
    return found


def _in_line(line: str) -> list[Requirement]:
    try:
        words = shlex.split(line.replace("--min=", "--min ").replace("--max=", "--max "), True)
    except ValueError:  # a quotation mark is left open
        words = [line]
    bounds: dict[str, Bound] = {"--min": "min", "--max": "max"}
    if len(words) % 2 or any(word not in bounds for word in words[::2]):
        raise ConfigError(
            f"'{line.strip()}' is no requirement: write --min or --max and FIGURE=NUMBER, such as "
            "'--min accuracy=0.70'."
        )
    return [read_requirement(text, bounds[word]) for word, text in zip(words[::2], words[1::2])]
