"""A model card in Markdown, after the hub's template (Mitchell et al., 2019; huggingface.co).

What people wrote is escaped; the front matter is YAML in which every value is JSON.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from fercore import __version__
from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS
from fercore.analysis.from_weights import CLEAN, robustness
from fercore.analysis.marks import marks
from fercore.data.download import STATEMENT
from fercore.errors import RunError
from fercore.groups.group import Group, group_of
from fercore.groups.tables import slices
from fercore.labels import CLASSES, NOT_FOR, USAGES
from fercore.report.background import provenance, recipe_lines
from fercore.report.calibrated import (
    CALIBRATION_COLUMNS,
    COVERAGE,
    ECE_TOLD,
    calibration_rows,
)
from fercore.report.templates import environment
from fercore.runs.artifacts import Run
from fercore.runs.origin import votes_of
from fercore.runs.parts import part_names
from fercore.scoring.grouped.evaluation import class_table, evaluate
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.labelling import LABELS
from fercore.scoring.predictions import PARTS
from fercore.scoring.statistics import LEVEL
from fercore.wording import (
    UNKNOWN,
    bounds_of,
    breakable,
    count,
    in_p,
    number,
    with_interval,
)

_TAGS = ["facial-expression-recognition", "fer2013", "image-classification"]
_SHOWN = (1, 3, 5)  # strengths of the corruptions
_ABOVE = ("name", "model", "dataset")  # what the card says elsewhere
Rows = list[list[str]]


def card(model: Run | Group) -> str:
    """The model card of a run: trained, imported, or the mean of others; or of a group of seeds,
    whose figures are means over them and whose intervals hold for new seeds and images.

    Raises `RunError` where it cannot be read, or was scored on no image.
    """
    group = (model if isinstance(model, Group) else group_of(model)).home.labelled(None)
    parts = [part for part in PARTS if any(len(run.predictions(part)) for run in group.members)]
    if not parts:
        raise RunError(f"{group.name} was scored on no image: there is nothing to tell of it.")
    told, run = group.predictions(parts[0]), group.run
    counts = run.info["dataset"]["counts"]
    text = environment().get_template("card.md").render(
        front=_front_matter(group, parts),
        name=group.name,
        group=None if group.single else group,
        told=told,
        run=run,
        title=group.title,
        version=__version__,
        not_for=NOT_FOR,
        about_data=STATEMENT if run.dataset == "FER2013" else "",
        classes=list(CLASSES),
        data_rows=[
            [usage, *map(str, counts[usage]), str(sum(counts[usage]))] for usage in USAGES
        ],
        made=_made(group),
        chosen=run.info["selected_on"] == "PublicTest" and "public" in parts,
        fitted="public" in parts,
        attributes=_attributes(told),
        part=PARTS[parts[0]],
        scores=_scores(group, parts),
        of_classes=_of_classes(told),
        of_slices=_of_slices(group, parts[0]),
        test="Fisher's exact test" if group.single else "Student's t over seeds and images",
        level=LEVEL,
        calibration=[] if told.labels_only else calibration_rows("", group, told),
        calibration_columns=CALIBRATION_COLUMNS,
        ece=ECE_TOLD,
        coverage=number(100 * COVERAGE, 0),
        robustness=_robustness(run),
        strengths=[str(strength) for strength in _SHOWN],
    )  # fmt: skip
    return breakable(text)


def _front_matter(group: Group, parts: list[str]) -> dict[str, str]:
    results = []
    run = group.run
    for part in parts:
        scores = evaluate(group.predictions(part))
        over = "" if group.single else f", mean over {scores['seeds']} seeds"
        metrics = [
            {
                "type": kind,
                "value": round(scores[name], 4),
                "name": breakable(
                    f"{title}, n = {count(scores['n'])}{over}, % with 95 % interval: "
                    f"{with_interval(scores[name], scores[f'{name}_interval'])}"
                ),
            }
            for kind, name, title in (
                ("accuracy", "accuracy", "Accuracy"), ("f1", "macro_f1", "Macro F1"),
            )
        ]  # fmt: skip
        dataset = {"name": run.dataset, "type": "image-classification", "split": PARTS[part]}
        results.append({"task": {"type": "image-classification"}, "dataset": dataset} | {
            "metrics": metrics
        })  # fmt: skip
    front: dict[str, Any] = {
        "license": "mit" if run.shipped and not run.imported else "other",
        "library_name": "fercore",
        "pipeline_tag": "image-classification",
        "tags": _TAGS,
        "metrics": ["accuracy", "f1"],
        "model-index": [{"name": group.name, "results": results}],
    }
    return {name: json.dumps(value, ensure_ascii=True) for name, value in front.items()}


def _made(group: Group) -> dict[str, str]:
    """How it was made, as far as it is known: what its seeds share, and between what they lie."""
    lines = {
        name[0].upper() + name[1:]: value
        for name, value in provenance(group).items()
        if name not in _ABOVE and value != UNKNOWN
    }
    if group.run.imported:
        return lines
    settings = ", ".join(f"{name} {value}" for name, value in recipe_lines(group.recipe).items())
    return lines | {"Settings": settings}


def _scores(group: Group, parts: list[str]) -> Rows:
    """A line for each part and each kind of labels there is, one's own verdicts apart."""
    kinds = ["dataset", "ferplus", "agreed"] if votes_of(group.run) else ["dataset"]
    rows = []
    for kind in kinds:
        scored = group.against(kind)
        for part in parts:
            with suppress(RunError):  # no image has such a label
                scores = evaluate(scored.predictions(part))
                rows.append([PARTS[part], LABELS[kind], count(scores["n"]), *_headline(scores)])
    others = dict.fromkeys(name for run in group.members for name in part_names(run))
    return rows + [_on_another_set(group, name) for name in others]


def _on_another_set(group: Group, name: str) -> list[str]:
    try:
        scores = evaluate(group.on(name).predictions(name))
    except RunError:
        return [name, "cannot be read", *[UNKNOWN] * 3]
    return [name, LABELS["dataset"], count(scores["n"]), *_headline(scores)]


def _headline(scores: Mapping[str, Any]) -> list[str]:
    return [
        with_interval(scores[name], scores[f"{name}_interval"]) for name in ("accuracy", "macro_f1")
    ]


def _of_classes(told: GroupPredictions) -> Rows:
    return [
        [line["class"], count(line["support"])]
        + [
            with_interval(line[name], bounds_of(line, name))
            for name in ("recall", "precision", "f1")
        ]
        for line in class_table(told).to_dict("records")
    ]


def _of_slices(group: Group, part: str) -> Rows:
    """The slices, by anything but the label, that differ from the other images beyond chance."""
    table = slices(group, part)
    table = table[(table["p_holm"] < LEVEL) & (table["property"] != "class")]
    return [
        [f"{line['property']}: {line['slice']}", count(line["n"]),
         with_interval(line["accuracy"], bounds_of(line, "accuracy")),
         in_p(line["p_holm"])]
        for line in table.to_dict("records")
    ]  # fmt: skip


def _attributes(told: GroupPredictions) -> list[str]:
    """What is known of the people in some of the images, and whether a model guessed it."""
    return [
        f"{mark.name} (guessed by a model)" if mark.guessed else mark.name
        for mark in marks("attributes")
        if np.isin(told.pixels, mark.table["pixels"]).any()
    ]


def _robustness(run: Run) -> Rows:
    """A run's accuracy under each corruption; nothing where it was not measured."""
    table = robustness(run)
    if table is None:
        return []
    cells = {
        (line["kind"], line["strength"]): with_interval(
            line["accuracy"], bounds_of(line, "accuracy")
        )
        for line in table.to_dict("records")
    }
    n = count(int(table["n"].iloc[0]))
    untouched = ["untouched", n, cells[CLEAN, 0], *[""] * (len(_SHOWN) - 1)]
    assert set(_SHOWN) <= set(STRENGTHS)
    return [untouched, *([kind, n, *(cells[kind, s] for s in _SHOWN)] for kind in CORRUPTIONS)]
