"""A model card in Markdown, after the hub's template (Mitchell et al., 2019; huggingface.co).

What people wrote is escaped; the front matter is YAML in which every value is JSON.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fercore import __version__
from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS
from fercore.analysis.from_weights import CLEAN, robustness
from fercore.analysis.relabelling import against
from fercore.data.download import STATEMENT
from fercore.errors import ConfigError, RunError
from fercore.files import replacing, writing_to
from fercore.groups.group import group_of
from fercore.groups.tables import slices
from fercore.labels import CLASSES, NOT_FOR, USAGES
from fercore.report.background import recipe_lines
from fercore.report.compared import COVERAGE, calibration_rows
from fercore.report.templates import environment
from fercore.runs.artifacts import Run
from fercore.runs.origin import votes_of
from fercore.runs.parts import part_names
from fercore.runs.words import cut_short, epoch_choice, model_title, run_title, seed_title
from fercore.scoring.evaluation import class_table, evaluate
from fercore.scoring.labelling import LABELS
from fercore.scoring.predictions import PARTS
from fercore.scoring.statistics import LEVEL
from fercore.wording import UNKNOWN, breakable, count, duration, in_p, number, with_interval

_TAGS = ["facial-expression-recognition", "fer2013", "image-classification"]
_SHOWN = (1, 3, 5)  # strengths of the corruptions
Rows = list[list[str]]


def write_card(run: Run, path: Path) -> None:
    """Write it whole or not at all. Raises `ConfigError` where nothing can be written there."""
    text = card(run)
    with writing_to(path.parent.absolute(), f"{path} is not written", ConfigError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def card(run: Run) -> str:
    """The model card of a run: trained, imported, or the mean of others.

    Raises `RunError` where it cannot be read, or was scored on no image.
    """
    parts = [part for part in PARTS if len(run.stored_predictions(part))]
    if not parts:
        raise RunError(f"{run.run_id} was scored on no image: there is nothing to tell of it.")
    told = group_of(run).predictions(parts[0])
    labels_only = all(table.labels_only for table in told.tables)
    text = environment().get_template("card.md").render(
        front=_front_matter(run, parts),
        run=run,
        title=run_title(run),
        model=model_title(run),
        seed=seed_title(run),
        version=__version__,
        not_for=NOT_FOR,
        about_data=STATEMENT if run.dataset == "FER2013" else "",
        classes=list(CLASSES),
        data_rows=[
            [usage, *map(str, of), str(sum(of))]
            for usage, of in ((usage, run.info["dataset"]["counts"][usage]) for usage in USAGES)
        ],
        made=_made(run),
        part=PARTS[parts[0]],
        n=len(told),
        scores=_scores(run, parts),
        of_classes=_of_classes(run, parts[0]),
        of_slices=_of_slices(run, parts[0]),
        level=LEVEL,
        calibration=[] if labels_only else calibration_rows("", group_of(run), told),
        coverage=number(100 * COVERAGE, 0),
        robustness=_robustness(run),
        strengths=[str(strength) for strength in _SHOWN],
    )  # fmt: skip
    return breakable(text)


def _front_matter(run: Run, parts: list[str]) -> dict[str, str]:
    results = []
    for part in parts:
        scores = evaluate(run.stored_predictions(part))
        metrics = [
            {
                "type": kind,
                "value": round(scores[name], 4),
                "name": breakable(
                    f"{title}, n = {scores['n']}, % with 95 % interval: "
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
        "model-index": [{"name": run.run_id, "results": results}],
    }
    return {name: json.dumps(value, ensure_ascii=True) for name, value in front.items()}


def _made(run: Run) -> dict[str, str]:
    """How it was made, as far as it is known."""
    info, imported = run.info, run.imported
    if imported:
        return {
            "Answers from": f"{imported['file']}: {imported['values']}, joined to the images by "
            f"{imported['joined_by']}",
            "Training": "not known here, nor on what it was chosen",
        }
    lines = {
        "Recipe": run.recipe.name,
        "Epoch": epoch_choice(run) if run.trained else "chosen by each member",
        "Began with": run.start_from or "fresh weights",
        "Parameters": count(info["parameters"] or 0),
        "Operations an image": f"{(info['flops_per_image'] or 0) / 1e6:.0f} MFLOP",
        "Trained": info["created"][:10],
        "Code": f"commit {info.get('git_commit') or 'unknown'}",
    }
    if run.members:
        lines["Mean of"] = ", ".join(run.members)
    if short := cut_short(run):
        lines["Cut short"] = f"at {short}"
    if info["seconds"]:
        lines["Took"] = duration(info["seconds"])
    if hardware := info["hardware"]:
        lines["On"] = f"{hardware['processor']}, {hardware['precision']}"
    settings = ", ".join(f"{name} {value}" for name, value in recipe_lines(run.recipe).items())
    return lines | {"Settings": settings}


def _scores(run: Run, parts: list[str]) -> Rows:
    """A line for each part and each kind of labels there is, one's own verdicts apart."""
    kinds = ["dataset", "ferplus", "agreed"] if votes_of(run) else ["dataset"]
    rows = []
    for kind in kinds:
        scored = against(run, kind)
        for part in parts:
            table = scored.predictions(part)
            if not len(table):
                continue
            scores = evaluate(table)
            rows.append([PARTS[part], LABELS[kind], str(scores["n"]), *_headline(scores)])
    return rows + [_on_another_set(run, name) for name in part_names(run)]


def _on_another_set(run: Run, name: str) -> list[str]:
    try:
        scores = evaluate(run.on(name).stored_predictions(name))
    except RunError:
        return [name, "cannot be read", *[UNKNOWN] * 3]
    return [name, LABELS["dataset"], str(scores["n"]), *_headline(scores)]


def _headline(scores: Mapping[str, Any]) -> list[str]:
    return [
        with_interval(scores[name], scores[f"{name}_interval"]) for name in ("accuracy", "macro_f1")
    ]


def _of_classes(run: Run, part: str) -> Rows:
    return [
        [line["class"], str(line["support"])]
        + [
            with_interval(line[name], (line[f"{name}_low"], line[f"{name}_high"]))
            for name in ("recall", "precision", "f1")
        ]
        for line in class_table(run.stored_predictions(part)).to_dict("records")
    ]


def _of_slices(run: Run, part: str) -> Rows:
    """The slices, by anything but the label, that differ from the other images beyond chance."""
    table = slices(run, part)
    table = table[(table["p_holm"] < LEVEL) & (table["property"] != "class")]
    return [
        [f"{line['property']}: {line['slice']}", str(line["n"]),
         with_interval(line["accuracy"], (line["accuracy_low"], line["accuracy_high"])),
         in_p(line["p_holm"])]
        for line in table.to_dict("records")
    ]  # fmt: skip


def _robustness(run: Run) -> Rows:
    """Accuracy under each corruption; nothing where it was not measured."""
    table = robustness(run)
    if table is None:
        return []
    cells = {
        (line["kind"], line["strength"]): with_interval(
            line["accuracy"], (line["accuracy_low"], line["accuracy_high"])
        )
        for line in table.to_dict("records")
    }
    n = str(table["n"].iloc[0])
    untouched = ["untouched", n, cells[CLEAN, 0], *[""] * (len(_SHOWN) - 1)]
    assert set(_SHOWN) <= set(STRENGTHS)
    return [untouched, *([kind, n, *(cells[kind, s] for s in _SHOWN)] for kind in CORRUPTIONS)]
