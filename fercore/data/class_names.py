"""What a source's own class names stand for, where they are not the seven expressions' names.

A specification is one line: `1=surprise, contempt=disgust` says what names stand for, `contempt=`
leaves a class out, and `raf-db` is short for that collection's numbers.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from fercore.errors import ConfigError
from fercore.labels import CLASSES, class_index

# The numbers that well-known collections give to the expressions.
COLLECTIONS = {
    "raf-db": "1=surprise,2=fear,3=disgust,4=happy,5=sad,6=angry,7=neutral",
    "affectnet": "0=neutral,1=happy,2=sad,3=surprise,4=fear,5=disgust,6=angry,7=",
    "fer2013": ",".join(f"{number}={name}" for number, name in enumerate(CLASSES)),
}


@dataclass(frozen=True)
class ClassNames:
    """given: label by name, None for a class that is left out. Other names stand for themselves."""

    given: tuple[tuple[str, int | None], ...] = ()

    def index(self, name: str) -> int | None:
        """The label of that name, None where it is left out. Raises `ConfigError` for others."""
        given = dict(self.given)
        return given[_folded(name)] if _folded(name) in given else class_index(name)

    def place(self, folders: Sequence[str]) -> int | None:
        """Which of the folders is a class: the innermost one that names one; None where none is."""
        for place in reversed(range(len(folders))):
            with suppress(ConfigError):
                self.index(folders[place])
                return place
        return None

    def __str__(self) -> str:
        """The specification, the same for the same names."""
        return ",".join(
            f"{name}={'' if label is None else CLASSES[label]}" for name, label in self.given
        )

    @property
    def left_out(self) -> list[str]:
        return [name for name, label in self.given if label is None]

    def not_found(self, left_out: Iterable[str]) -> list[str]:
        """A note on classes that should be left out and are not among those that were, if any."""
        known = {_folded(name) for name in left_out}
        missing = [name for name in self.left_out if name not in known]
        return [f"There is no class called {', '.join(missing)} to leave out."] if missing else []


def class_names(specification: str = "", leave_out: Iterable[str] = ()) -> ClassNames:
    """The names of a specification; those in `leave_out` are left out.

    Raises `ConfigError` where a part of it cannot be understood.
    """
    given: dict[str, int | None] = {}
    parts = [part.strip() for part in re.split(r"[,;\n]", specification) if part.strip()]
    for part in parts:
        if part.lower() in COLLECTIONS:
            given |= dict(class_names(COLLECTIONS[part.lower()]).given)
            continue
        name, equals, expression = part.rpartition("=")
        if not equals or not name.strip():
            raise ConfigError(
                f"'{part}' says not what a class name stands for. Write '1=surprise', 'contempt=' "
                f"to leave a class out, or one of {', '.join(COLLECTIONS)}."
            )
        given[_folded(name)] = class_index(expression) if expression.strip() else None
    words = [word for text in leave_out for word in text.split(",") if word.strip()]
    given |= {_folded(word): None for word in words}
    return ClassNames(tuple(sorted(given.items())))


def advice(unknown: dict[str, int]) -> str:
    """What to do about class names that stand for no expression; with their numbers of images."""
    names = sorted(unknown)
    listed = ", ".join(f"'{name}'" for name in names[:10]) + (" and more" if names[10:] else "")
    images = sum(unknown.values())
    count = f"{images} image{'' if images == 1 else 's'}"
    if set(names) <= set("1234567"):
        return (
            f"The classes are numbers: {listed} ({count}). RAF-DB has such ones, 1 for surprise to "
            "7 for neutral: give --classes raf-db if it is that, else say what they stand for, as "
            "in --classes 1=angry,2=disgust."
        )
    if all(name.isdecimal() for name in names):
        return (
            f"The classes are numbers: {listed} ({count}), which collections give differently. Say "
            "what they stand for: --classes fer2013 (0 is angry), --classes affectnet (0 is "
            "neutral), or as in --classes 0=happy,1=sad,2= where 2 is left out."
        )
    are = "is not one of" if len(names) == 1 else "are not among"
    return (
        f"{listed} {are} the seven expressions ({', '.join(CLASSES)}): {count}. Leave "
        f"{'it' if len(names) == 1 else 'them'} out with --leave-out {','.join(names[:10])}, or "
        f"say what is meant with --classes {names[0]}=disgust. On a page, write '{names[0]}=' or "
        f"'{names[0]}=disgust' under Class names."
    )


def _folded(name: str) -> str:
    return name.strip().lower()
