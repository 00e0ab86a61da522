"""`fercore predict CLIP`: the expressions in a clip over time, from the command line."""

from pathlib import Path
from typing import Any

from rich.progress import Progress

from fercore.cli.output import print_table
from fercore.faces.clip_names import MAX_SECONDS, PER_SECOND
from fercore.faces.clips import Clip
from fercore.faces.tracking import followed
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


def look_at_clip(
    predictor: Predictor,
    faces: str,
    progress: Progress,
    rate: float | None,
    longest: float | None,
    path: Path,
    name: str,
) -> tuple[list[dict[str, Any]], list[str]]:
    """What a model says of the faces in a clip, and notes on it. Raises `ImageError`."""
    found: list[Sight] = []
    per_second = PER_SECOND if rate is None else rate
    seconds = MAX_SECONDS if longest is None else longest
    with Clip(path, name, per_second=per_second, longest=seconds) as clip:
        bar = progress.add_task(f"looking at {name}", total=clip.seconds)
        for seen in followed(clip, faces):
            found += sights(seen)
            progress.update(bar, completed=seen.frame.at)
        progress.remove_task(bar)
    asked = progress.track(answers(predictor, found), description=f"asking {predictor.run_id}")
    return clip_records(name, found, all_answers(asked), predictor), clip.notes


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
