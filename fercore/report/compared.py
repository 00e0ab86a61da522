"""A report's sections on what two models say of the same images. Without torch."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fercore.analysis.marks import guessed_in_words
from fercore.figures.classes import class_difference_figure, class_figure, metric_title
from fercore.figures.confusion import confusion_figure, difference_figure
from fercore.figures.curves import curves_figure
from fercore.figures.slices import slices_figure
from fercore.groups.group import Group
from fercore.groups.verdict import caveats, paper_in_words, power_in_words, subject, verdict
from fercore.labels import CLASSES
from fercore.report.parts import Part, Section, Table, Text, drawing
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.grouped.comparison import compare
from fercore.scoring.grouped.evaluation import (
    cell_differences,
    class_differences,
    class_table,
    class_values,
    comparison_table,
    evaluate,
    mean_confusion,
)
from fercore.scoring.grouped.intervals import share_of
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.grouped.slices import slice_differences, slices
from fercore.scoring.matrices import wrong_cells
from fercore.scoring.slices import slice_title
from fercore.scoring.statistics import LEVEL, Interval
from fercore.wording import (
    UNKNOWN,
    bounds_of,
    count,
    in_p,
    in_points,
    points_interval,
    with_interval,
)

Said = Mapping[str, GroupPredictions]  # by 'A' and 'B', on the same images
Line = Mapping[Hashable, Any]
_MOST_CONFUSED = 10


def verdict_section(a: Group, b: Group, said: Said, part: str) -> Section:
    """Who is right more often, and each model's headline figures."""
    result = compare(said["A"], said["B"])
    claim, evidence = verdict(result)
    paper = "" if a.labelling else paper_in_words(a, b)
    told = [subject(a, b), *caveats({"A": a, "B": b}, part), power_in_words(result), paper]
    rows = []
    for key, group in said.items():
        scores = evaluate(group)
        figures = [
            with_interval(scores[name], scores[f"{name}_interval"])
            for name in ("accuracy", "macro_f1")
        ]
        rows.append([key, str(group.seeds), count(len(group)), *figures])
    table = Table(["model", "seeds", "n", "accuracy %", "macro F1 %"], rows)
    left_out = [sentence for group in said.values() for sentence in group.left_out]
    texts = [Text(evidence, strong=claim), *map(Text, [*filter(None, told), *left_out])]
    return Section("verdict", "The verdict", [*texts[:1], table, *texts[1:]])


def confusion_section(said: Said) -> Section:
    """What is taken for what."""
    counts = {key: mean_confusion(group) for key, group in said.items()}
    cells = cell_differences(said["A"], said["B"])
    marked = (cells["p_holm"] < LEVEL).to_numpy().reshape(len(CLASSES), len(CLASSES))
    matrices = [
        drawing(confusion_figure(own, title=f"{key}: count, and share of the label"), half=True,
                height=430)
        for key, own in counts.items()
    ]  # fmt: skip
    difference = difference_figure(
        counts["A"], counts["B"], title="A − B: images, and points of the label's share",
        marked=marked,
    )  # fmt: skip
    return Section(
        "confusions",
        "What is taken for what",
        [
            Text("Rows are labels, columns what the model said. ★ marks a difference beyond "
                 f"chance (p below {LEVEL} after Holm's correction for the 49 cells)."),
            *matrices,
            drawing(difference, height=480),
            _confused(said, cells),
        ],
    )  # fmt: skip


def _confused(said: Said, cells: pd.DataFrame) -> Table:
    """The wrong cells in which the two together put most images."""
    together = np.sum([mean_confusion(group) for group in said.values()], axis=0)
    wrong = wrong_cells(together)[["label", "predicted"]].map(CLASSES.index)
    rows = []
    for true, other in wrong.head(_MOST_CONFUSED).to_numpy():
        shares = (_cell_share(group, true, other) for group in said.values())
        corrected = cells["p_holm"].iloc[true * len(CLASSES) + other]
        n = count(int((said["A"].labels == true).sum()))
        told = [with_interval(share, bounds) for share, bounds in shares]
        rows.append([f"{CLASSES[true]} → {CLASSES[other]}", n, *told, in_p(corrected)])
    return Table(
        ["label → said", "n", "A %", "B %", "corrected p"],
        rows,
        "The most frequent confusions: the share of the label's n images, with 95 % interval.",
    )


def _cell_share(group: GroupPredictions, true: int, other: int) -> tuple[float, Interval]:
    """Of the images of one class, the share taken for another; NaN without any."""
    there = group.predicted[:, group.labels == true] == other
    if not there.size:
        return float("nan"), Interval(0.0, 1.0)
    share = share_of(there, np.ones_like(there))
    return share.value, share.interval


def class_section(said: Said) -> Section:
    """Each expression's precision, recall and F1."""
    tables = {key: class_table(group) for key, group in said.items()}
    seeds = {key: class_values(group) for key, group in said.items() if not group.single}
    gaps = class_differences(said["A"], said["B"])
    compared = comparison_table(said["A"], said["B"])
    others = [metric for metric in CLASS_METRICS if metric not in ("f1", "auc")]
    folded = [
        metric_table(compared, metric, fold=f"{metric_title(metric)} of each expression")
        for metric in others
    ]
    return Section(
        "classes",
        "Each expression",
        [
            drawing(class_figure(tables, "f1", seeds), half=True, height=420),
            drawing(class_difference_figure(gaps, "f1"), half=True, height=420),
            metric_table(compared, "f1", "p is corrected for the number of classes (Holm)."),
            *folded,
        ],
    )


def metric_table(
    compared: pd.DataFrame, metric: str, caption: str = "", *, fold: str = ""
) -> Table:
    """One metric of each class, from `comparison_table`."""
    title = metric_title(metric)
    rows = [
        [
            line["class"],
            count(line["support"]),
            *(with_interval(line[m], bounds_of(line, m)) for m in "ab"),
            *_difference(line),
        ]
        for line in compared[compared["metric"] == metric].to_dict("records")
    ]
    columns = ["class", "n", f"A {title} %", f"B {title} %", "A − B, points", "corrected p"]
    return Table(columns, rows, caption, fold)


def curve_section(said: Said) -> Section:
    """ROC curves and the areas under them."""
    title = "ROC curves"
    if only := labels_only(said):
        return Section("curves", title, [Text(f"{only} No curve can be drawn of that.")])
    compared = comparison_table(said["A"], said["B"])
    figure = curves_figure(dict(said), "roc")
    caption = "Area under each expression's ROC curve; n counts the expression's own images."
    return Section("curves", title, [drawing(figure), metric_table(compared, "auc", caption)])


def labels_only(said: Said) -> str:
    """Which of the two say a class and not how sure they are, a sentence; '' where neither does."""
    of = [key for key, group in said.items() if group.labels_only]
    verb = "say" if len(of) > 1 else "says"
    return f"{' and '.join(of)} {verb} a class of each image, and not how sure." if of else ""


def slice_section(said: Said, properties: pd.DataFrame, *, measured: bool) -> Section:
    """Where the images are hard."""
    tables = {key: slices(group, properties) for key, group in said.items()}
    gaps = slice_differences(said["A"], said["B"], properties)
    parts: list[Part] = []
    if not measured:
        parts.append(
            Text("The images are not on this machine: nothing is told by light and sharpness.")
        )
    if not len(gaps):
        return Section("slices", "Slices", [*parts, Text("Nothing tells some images from others.")])
    everyone = {key: float(group.correct.mean()) for key, group in said.items()}
    beyond = [f"{int((table['p_holm'] < LEVEL).sum())} of {key}" for key, table in tables.items()]
    parts += [
        drawing(slices_figure(tables, everyone)),
        Text(
            f"Of {len(gaps)} slices, {' and '.join(beyond)} differ from the images outside of them "
            f"beyond chance, and A − B does so on {int((gaps['p_holm'] < LEVEL).sum())} (p below "
            f"{LEVEL} after Holm's correction for the number of slices). "
            + guessed_in_words(said["A"].pixels)
        ),
        Table(
            ["slice", "n", "A %", "B %", "A − B, points", "corrected p"],
            _slice_rows(tables, gaps),
            "Accuracy on each slice, with 95 % interval.",
            fold="Every slice",
        ),
    ]
    return Section("slices", "Slices: where the images are hard", parts)


def _slice_rows(tables: Mapping[str, pd.DataFrame], gaps: pd.DataFrame) -> list[list[str]]:
    known = {key: table.set_index(["property", "slice"]) for key, table in tables.items()}
    rows = []
    for gap in gaps.to_dict("records"):
        at = gap["property"], gap["slice"]
        told = []
        for table in known.values():
            line = table.loc[at]
            bounds = bounds_of(line, "accuracy")
            told.append(with_interval(line["accuracy"], bounds))
        rows.append([slice_title(*at), count(gap["n"]), *told, *_difference(gap)])
    return rows


def _difference(line: Line) -> list[str]:
    """A − B with its interval, and p; dashes for unknown ones."""
    if np.isnan(line["difference"]):
        return [UNKNOWN, UNKNOWN]
    bounds = points_interval(bounds_of(line, "difference"))
    return [f"{in_points(line['difference'])} {bounds}", in_p(line["p_holm"])]
