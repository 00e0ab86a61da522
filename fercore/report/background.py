"""A report's sections on what two models rest on: the study, the data, the trainings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fercore.analysis.audit import ALL, Audit, agreement_by_class, audit, near_across
from fercore.analysis.audit import near_duplicates as find_near
from fercore.data import FaceSet
from fercore.data.download import STATEMENT
from fercore.data.votes import Votes
from fercore.errors import RunError
from fercore.glossary import TERMS, titled
from fercore.groups.group import Group
from fercore.labels import CLASSES, USAGES
from fercore.report.parts import Part, Section, Table, Text
from fercore.runs.artifacts import Run
from fercore.runs.words import cut_short, epoch_choice, model_title
from fercore.scoring.predictions import PARTS
from fercore.study.contrasts import PLANNED_PART
from fercore.study.results import study_results
from fercore.study.scored import Scored
from fercore.study.standing import can_be_told, study_shown
from fercore.study.store import StudyStore
from fercore.study.variants import MAIN
from fercore.training.recipes import Recipe
from fercore.wording import UNKNOWN, count, duration, in_percent, n_equals

TERMS_TOLD = (
    "accuracy", "macro F1", "recall", "precision", "F1", "AUC", "confusion matrix", "ROC curve",
    "95 % interval", "p", "beyond chance", "exact McNemar", "Student's t over seeds and images",
    "Fisher's exact test", "Holm's correction", "margin", "ECE", "debiased ECE", "temperature",
    "slice", "seed", "group", "without duplicates", "FER+",
)  # fmt: skip


def study_section() -> Section:
    """What the study of the paper's pair answers, question by question."""
    title, study = "Does the LSTM lose? The study's answers", study_shown()
    if not can_be_told(study):
        return Section("study", title, [Text("The study has not run yet.")])
    store = StudyStore(study.name)
    try:
        results = study_results(study, store, PLANNED_PART)
        images = Scored(store, PLANNED_PART).labels
    except RunError as error:
        return Section("study", title, [Text(f"This cannot be told. {error}")])
    on = f"On {PARTS[PLANNED_PART]}, {n_equals(len(images))}"
    stands = (
        f"{on}. The questions, the tests and the margin of ±1 point were "
        "committed before the first training that answers them (docs/protocol.md)."
    )
    if study.name != MAIN:
        stands = (
            f"{on}, by the study '{study.name}', which had been seen before "
            f"the plan: descriptive. The planned one, '{MAIN}', is not scored yet."
        )
    parts: list[Part] = [Text(stands, strong=results.verdict)]
    parts += [Text(one.answer, strong=one.question) for one in results.answers]
    return Section("study", title, parts)


def data_section(run: Run, faces: FaceSet | None, votes: Votes | None) -> Section:
    """The images and labels that the models were scored on: counts, not estimates."""
    counts = run.info["dataset"]["counts"]
    rows = [[usage, *map(count, counts[usage]), count(sum(counts[usage]))] for usage in USAGES]
    parts: list[Part] = [
        Text("These are counts of all images of a kind, so they have no interval."),
        Table(["images", *CLASSES, ALL], rows, f"{run.dataset}, images by label."),
    ]
    if run.dataset == "FER2013":
        parts.insert(0, Text(STATEMENT))
    if faces is None:
        parts.append(Text("The images are not on this machine, so copies are counted no further."))
    else:
        parts += _copies(audit(faces, votes), find_near(faces))
    if not run.elsewhere:
        every, clean = (len(run.stored_predictions(part)) for part in ("private", "clean"))
        parts.append(
            Text(
                f"Of PrivateTest's {count(every)} images {count(every - clean)} have the very "
                "pixels of one in Training or PublicTest. Without duplicates, these are left out."
            )
        )
    if votes is not None:
        frame = run.stored_frame
        columns = (frame[name].to_numpy() for name in ("label", "usage", "row"))
        labels, usage, own = columns
        parts.append(_agreement(agreement_by_class(labels.astype(int), usage, own, votes)))
    return Section("data", "The data and its faults", parts)


def _copies(found: Audit, near: pd.DataFrame) -> list[Part]:
    across = [[line["usage"], *(count(line[u]) for u in USAGES)]
              for line in found.across.to_dict("records")]  # fmt: skip
    alike = "; ".join(
        f"{count(line['images'])} images of {line['usage']} look like one in {line['other_usage']}"
        for line in near_across(near).to_dict("records")
    )
    return [
        Table(
            ["of", *USAGES],
            across,
            "Images (by row) whose exact pixels occur again in (by column). "
            f"{count(len(found.groups))} groups of pixel-identical images, "
            f"{count(found.conflicting)} of them with conflicting labels; "
            f"{count(len(found.constant))} constant images.",
        ),
        Text(f"Near duplicates, cropped or compressed otherwise: {alike or 'none'}."),
    ]


def _agreement(table: pd.DataFrame) -> Table:
    rows = [
        [f"{line['usage']}, {line['class']}", count(line["n"]), in_percent(line["share"]),
         in_percent(line["majority_share"])]
        for line in table.to_dict("records")
    ]  # fmt: skip
    return Table(
        ["labels", "n", "most votes, ties too, %", "more than half of the votes, %"],
        rows,
        "Labels that FER+'s ten raters share (Barsoum et al., 2016).",
        fold="How far FER+'s raters share the labels",
    )


def protocol_section(models: Mapping[str, Group], versions: Mapping[str, str]) -> Section:
    """How it was done, and by what. versions: of what made the report."""
    rows = _side_by_side([provenance(model) for model in models.values()])
    settings = _side_by_side([_settings(model) for model in models.values()])
    return Section(
        "protocol",
        "Protocol and versions",
        [
            Text(
                "Models that are trained here learn from Training; the epoch, temperatures and "
                "thresholds are chosen on PublicTest; PrivateTest is scored at the end and changes "
                "nothing. Intervals are of 95 %. A group's cross seeds and images, a single run's "
                "hold for new images and that run alone."
            ),
            Table(["", *models], rows),
            Table(["", *models], settings, fold="The recipes, setting by setting"),
            Table(["this report", ""], [[name, of] for name, of in versions.items()]),
        ],
    )


def _side_by_side(columns: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """A row for each name in any of them."""
    names = dict.fromkeys(name for own in columns for name in own)
    return [[name, *(own.get(name, UNKNOWN) for own in columns)] for name in names]


def provenance(model: Group) -> dict[str, str]:
    """Where a model comes from, in words: what its seeds share, and between what they lie."""
    first = model.home.members[0]
    info, imported = first.info, first.imported
    told = {
        "name": model.name,
        "model": model_title(first),
        "dataset": f"{first.dataset}, fingerprint {info['dataset']['fingerprint']}",
    }
    if imported:
        return told | {
            "imported from": f"{imported['file']}, {imported['values']}, "
            f"joined by {imported['joined_by']}",
            "training": "not known here",
        }
    told |= {
        "parameters": count(info["parameters"] or 0),
        "operations an image": f"{(info['flops_per_image'] or 0) / 1e6:.0f} MFLOP",
        "recipe": model.recipe_name,
        "seeds": ", ".join(str(seed) for seed in model.seeds if seed is not None) or UNKNOWN,
        "epoch": epoch_choice(first) if first.trained else "chosen by each member",
        "began with": first.start_from or "fresh weights",
        "trained": _between(run.info["created"][:10] for run in model.members),
        "code": _each(run.info.get("git_commit") or "in no commit" for run in model.members),
    }
    if short := cut_short(first):
        told["cut short"] = f"at {short}"
    if seconds := [run.info["seconds"] for run in model.members if run.info["seconds"]]:
        told["a training took"] = _between(map(duration, sorted(seconds)))
    if hardware := info["hardware"]:
        told["on"] = f"{hardware['processor']}, {hardware['precision']}"
    if first.members:
        told["mean of"] = ", ".join(first.members)
    software = info.get("software") or {}
    return told | ({"with": ", ".join(map(" ".join, software.items()))} if software else {})


def terms_section() -> Section:
    """What the words mean, from the glossary."""
    rows = [[titled(name), TERMS[name].meaning] for name in TERMS_TOLD]
    return Section("terms", "What the words mean", [Table(["", ""], rows, fold="Terms")])


def _settings(model: Group) -> dict[str, str]:
    """Nothing of an imported one: how it was trained is not known here."""
    return {} if model.members[0].imported else recipe_lines(model.recipe)


def recipe_lines(recipe: Recipe) -> dict[str, str]:
    """A recipe's settings in words."""
    told = {k: v for k, v in recipe.to_json().items() if k not in ("name", "summary")}
    return {name.replace("_", " "): _setting(value) for name, value in told.items()}


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {of}" for name, of in value.items()) or UNKNOWN
    if isinstance(value, tuple):
        stages = (
            of if isinstance(of, str) else "{} px for {:g} of the epochs".format(*of)
            for of in value
        )
        return ", ".join(stages) or "–"
    return UNKNOWN if value is None else str(value)


def _between(values: Any) -> str:
    known = list(dict.fromkeys(values))
    return known[0] if len(known) == 1 else f"{known[0]} to {known[-1]}"


def _each(values: Any) -> str:
    return ", ".join(dict.fromkeys(values))
