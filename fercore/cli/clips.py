"""`fercore predict CLIP`: the expressions in a clip over time, from the command line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import Progress

from fercore.cli.output import print_table
from fercore.cli.predict import Answers
from fercore.errors import ImageError
from fercore.faces.clip_names import MAX_SECONDS, PER_SECOND
from fercore.faces.clips import Clip
from fercore.faces.tracking import followed
from fercore.paths import printable
from fercore.predict.clip_results import (
    Sight,
    all_answers,
    answers,
    clip_records,
    sights,
    spells,
)
from fercore.predict.predictor import Predictor
from fercore.wording import in_percent, number


def look_at_clips(
    clips: Iterable[Path],
    predictor: Predictor,
    faces: str,
    progress: Progress,
    *,
    rate: float | None,
    longest: float | None,
) -> Answers:
    """What a model says of the faces in clips; one that cannot be read does not stop the rest."""
    records, problems, faceless, notes = Answers([], [], [], [])
    for path in clips:
        name = printable(str(path))
        try:
            found, told = _followed(path, name, faces, progress, rate, longest)
        except ImageError as error:
            problems.append(str(error))
            continue
        notes += [f"{name}: {note}" for note in told]
        if not found:
            faceless.append(f"{name}: no face was found.")
        asked = progress.track(answers(predictor, found), description=f"asking {predictor.run_id}")
        records += clip_records(name, found, all_answers(asked), predictor)
    return Answers(records, problems, faceless, notes)


def _followed(
    path: Path, name: str, faces: str, progress: Progress, rate: float | None, longest: float | None
) -> tuple[list[Sight], list[str]]:
    found: list[Sight] = []
    per_second, seconds = rate or PER_SECOND, longest or MAX_SECONDS
    with Clip(path, name, per_second=per_second, longest=seconds) as clip:
        bar = progress.add_task(f"looking at {name}", total=clip.seconds)
        for seen in followed(clip, faces):
            found += sights(seen)
            progress.update(bar, completed=seen.frame.at)
        progress.remove_task(bar)
        return found, clip.notes


def print_clips(records: list[dict[str, Any]]) -> None:
    """When each face is said to show what."""
    several = len({record["clip"] for record in records}) > 1
    rows = []
    for clip in dict.fromkeys(record["clip"] for record in records):
        for spell in spells(record for record in records if record["clip"] == clip):
            said = spell.predicted + (" (unsure)" if spell.unsure else "")
            times = [number(spell.begin), number(spell.end)]
            rows.append([*([clip] if several else []), spell.face, *times, said,
                         in_percent(spell.confidence)])  # fmt: skip
    clip = ["clip"] if several else []
    print_table([*clip, "face", "from, s", "to, s", "expression", "mean %"], rows)
