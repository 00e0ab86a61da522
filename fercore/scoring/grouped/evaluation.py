"""What the pages show of one or two groups: means over seeds, with intervals that cross seeds and
images.

Every figure is a mean over images of scores (S, N): itself, or for F1, precision and AUC its
influence (see `influence`). Seeds and images are drawn anew; what is conditional is what the seeds
of a group share. Of one run each function gives what `scoring.evaluation` gives, which speaks of
that run alone. All raise `RunError` where there are no images. Without torch.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring import evaluation, influence, metrics
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.grouped.comparison import accuracy_interval, compare
from fercore.scoring.grouped.intervals import share_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import Estimate, Scores, group_difference, group_mean
from fercore.scoring.matrices import wrong_cells
from fercore.scoring.predictions import check_paired, image_count
from fercore.scoring.statistics import Interval, holm, holm_of_known

_K = len(CLASSES)
_UNKNOWN = Interval(float("nan"), float("nan"))


def evaluate(group: GroupPredictions) -> dict[str, Any]:
    """The headline metrics of one part, as `evaluation.evaluate` has them, and seeds,
    accuracy_by_seed, macro_f1_by_seed. `confusion` holds mean counts.
    """
    image_count(group)
    overall = [evaluation.overall_scores(table) for table in group.tables]
    by_seed: dict[str, Any] = {"seeds": group.seeds}
    for name in ("accuracy", "macro_f1"):
        by_seed[f"{name}_by_seed"] = [one[name] for one in overall]
    if group.single:
        return evaluation.evaluate(group.single) | by_seed
    scores, classes = influence.macro_f1(group.tables), class_table(group)
    return {
        "n": len(group),
        **{name: float(np.mean([one[name] for one in overall])) for name in overall[0]},
        "accuracy_interval": list(accuracy_interval(group)),
        "macro_f1_interval": list(share_interval(group_mean(scores), len(group))),
        "macro_auc": metrics.mean_of_known(classes["auc"].to_numpy()),
        "macro_auc_interval": list(macro_auc(group)[1]),
        "per_class": classes.astype(object).where(classes.notna(), None).to_dict("records"),
        "confusion": mean_confusion(group).tolist(),
        **by_seed,
    }


def macro_auc(group: GroupPredictions) -> tuple[float, Interval]:
    """The mean of the classes' areas under their ROC curves, with its interval; NaN where none can
    be drawn. Of one run too.
    """
    scores = [] if group.labels_only else [_scores(group, "auc", k) for k in range(_K)]
    known = [own for own in scores if not np.isnan(own).any()]
    if not known:
        return float("nan"), _UNKNOWN
    estimate = group_mean(np.mean(known, axis=0))
    return estimate.value, share_interval(estimate, len(group))


def headlines(scores: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Of each model's `evaluate` a line: model, n, accuracy and macro_f1 with their intervals,
    macro_auc; from 0 to 1.
    """
    lines = []
    for key, of in scores.items():
        line = {"model": key, "n": of["n"]}
        for name in ("accuracy", "macro_f1"):
            line |= _with_bounds(name, of[name], Interval(*of[f"{name}_interval"]))
        lines.append(line | {"macro_auc": of["macro_auc"]})
    return pd.DataFrame(lines)


def areas(scores: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The areas under the ROC curves in each model's `evaluate`, a line for each: model, class (one
    of them, macro or micro), auc with its interval (0 to 1, NaN where it is not known).
    """
    lines = [
        (key, row["class"], row["auc"], row["auc_low"], row["auc_high"])
        for key, of in scores.items()
        for row in of["per_class"]
    ]
    lines += [
        (key, name, of[f"{name}_auc"], *of.get(f"{name}_auc_interval", (None, None)))
        for key, of in scores.items()
        for name in ("macro", "micro")
    ]
    columns = ["auc", "auc_low", "auc_high"]
    table = pd.DataFrame(lines, columns=["model", "class", *columns])
    return table.astype(dict.fromkeys(columns, float))


def class_table(group: GroupPredictions) -> pd.DataFrame:
    """Per class: support; precision, recall, F1 and AUC from 0 to 1, each with its interval."""
    if group.single:
        return evaluation.class_table(group.single)
    image_count(group)
    rows = []
    for k, name in enumerate(CLASSES):
        support = int((group.labels == k).sum())
        row: dict[str, Any] = {"class": name, "support": support}
        for metric in CLASS_METRICS:
            known = support and (metric != "auc" or not group.labels_only)
            scores = _scores(group, metric, k) if known else np.full((1, 1), np.nan)
            estimate = _mean(scores)
            bounds = _UNKNOWN
            if estimate:
                bounds = share_interval(estimate, _concerned(group, metric, k))
            row |= _with_bounds(metric, float(scores.mean()), bounds)
        rows.append(row)
    return pd.DataFrame(rows)


def class_values(group: GroupPredictions) -> pd.DataFrame:
    """Each seed's own figures: a line per class and seed, with class, seed (its place among the
    group's, from 0), precision, recall, f1, auc.
    """
    lines = []
    for seed, table in enumerate(group.tables):
        confusion = metrics.confusion_matrix(table.labels, table.predicted)
        scores = metrics.class_scores(confusion)
        area = metrics.one_vs_rest_auc(table.labels, table.probs)
        area = np.full(len(area), np.nan) if table.labels_only else area
        own = pd.DataFrame({"class": CLASSES, "seed": seed, "auc": area})
        for name in ("precision", "recall", "f1"):
            own[name] = np.where(scores.support > 0, getattr(scores, name), np.nan)
        lines.append(own)
    return pd.concat(lines, ignore_index=True)


def class_differences(a: GroupPredictions, b: GroupPredictions) -> pd.DataFrame:
    """A minus B per class on the same images: precision, recall, F1 and AUC.

    Columns: class, support, and for each metric its difference (from -1 to 1), `_low` and `_high`,
    `_p_value` of no difference and `_p_holm`, corrected for the number of classes. NaN for a class
    without images. Raises `RunError` where the images differ.
    """
    check_paired(a, b)
    if a.single and b.single:
        return evaluation.class_differences(a.single, b.single)
    rows = []
    for k, name in enumerate(CLASSES):
        support = int((a.labels == k).sum())
        row: dict[str, Any] = {"class": name, "support": support}
        for metric in CLASS_METRICS:
            found = _difference(a, b, metric, k) if support else None
            value, bounds = (found.value, found.interval()) if found else (np.nan, _UNKNOWN)
            row |= _with_bounds(metric, value, bounds)
            row[f"{metric}_p_value"] = found.p_value if found else np.nan
        rows.append(row)
    table = pd.DataFrame(rows)
    for metric in CLASS_METRICS:
        table[f"{metric}_p_holm"] = holm_of_known(table[f"{metric}_p_value"])
    return table


def comparison_table(a: GroupPredictions, b: GroupPredictions) -> pd.DataFrame:
    """All that the comparison on the same images says, a line for each figure.

    Columns: metric ('accuracy', then those of `CLASS_METRICS`), class ('all' for accuracy),
    support; a, b and difference (A minus B), each with its interval in …_low and …_high, from 0 to
    1 or -1 to 1; p_value: of no difference; p_holm: corrected for the classes of that metric.
    Raises `RunError` where the images differ.
    """
    overall = compare(a, b)
    total: dict[str, Any] = {"metric": "accuracy", "class": "all", "support": overall.n}
    total |= _with_bounds("a", overall.accuracy_a, overall.interval_a)
    total |= _with_bounds("b", overall.accuracy_b, overall.interval_b)
    total |= _with_bounds("difference", overall.difference, overall.interval)
    total |= {"p_value": overall.p_value, "p_holm": overall.p_value}
    tables = {"a": class_table(a), "b": class_table(b), "difference": class_differences(a, b)}
    lines = [pd.DataFrame([total])]
    for metric in CLASS_METRICS:
        line = tables["a"][["class", "support"]].assign(metric=metric)
        for name, table in tables.items():
            for end in ("", "_low", "_high"):
                line[name + end] = table[metric + end]
        for name in ("p_value", "p_holm"):
            line[name] = tables["difference"][f"{metric}_{name}"]
        lines.append(line)
    return pd.concat(lines, ignore_index=True)


def mean_confusion(group: GroupPredictions) -> NDArray[Any]:
    """Counts (7, 7) by label and prediction, means over seeds; whole numbers of one run."""
    counts = [metrics.confusion_matrix(group.labels, own) for own in group.predicted]
    return counts[0] if group.single else np.mean(counts, axis=0)


def said_against(a: GroupPredictions, b: GroupPredictions) -> NDArray[Any]:
    """How many images B calls so (column) where A calls them so (row), (7, 7): the mean over pairs
    of A's seeds and B's; whole numbers of two runs. Raises `RunError` where the images differ.
    """
    check_paired(a, b)
    counts = _votes(a).T @ _votes(b) / (a.seeds * b.seeds)
    return np.rint(counts).astype(int) if a.single and b.single else counts


def cell_differences(a: GroupPredictions, b: GroupPredictions) -> pd.DataFrame:
    """Each cell of the confusion matrix, A against B on the same images, 49 lines.

    Columns: label, predicted, only_a (images that A alone puts there, the mean over pairs of A's
    and B's seeds), only_b, p_value, p_holm (corrected for the 49 cells). Raises `RunError` where
    the images differ.
    """
    check_paired(a, b)
    if a.single and b.single:
        return evaluation.cell_differences(a.single, b.single)
    lines = []
    for true, label in enumerate(CLASSES):
        mine = a.labels == true
        for said, predicted in enumerate(CLASSES):
            there = [group.predicted[:, mine] == said for group in (a, b)]
            of_a, of_b = (each.mean(0) for each in there)
            estimate = _difference_of(*there)
            only = float((of_a * (1 - of_b)).sum()), float((of_b * (1 - of_a)).sum())
            lines.append((label, predicted, *only, estimate.p_value if estimate else 1.0))
    frame = pd.DataFrame(lines, columns=["label", "predicted", "only_a", "only_b", "p_value"])
    frame["p_holm"] = holm(frame["p_value"].to_numpy())
    return frame


def confusions(group: GroupPredictions) -> pd.DataFrame:
    """Wrong cells of the confusion matrix, most frequent first: label, predicted, count, share."""
    return wrong_cells(mean_confusion(group))


def _scores(group: GroupPredictions, metric: str, k: int) -> Scores:
    """What the metric is a mean of, (S, N); recall's are of the images of its class."""
    if metric == "recall":
        return group.correct[:, group.labels == k]
    scores: Scores = getattr(influence, metric)(group.tables, k)
    return scores


def _concerned(group: GroupPredictions, metric: str, k: int) -> float:
    """How many images the metric is a share of, the mean over seeds."""
    said, true = group.predicted == k, group.labels == k
    of = {"precision": said, "f1": said | true}.get(metric, true[None])
    return float(of.sum(1).mean())


def _mean(scores: Scores) -> Estimate | None:
    """None where nothing is known: of one image, or where a class has no image against it."""
    return None if scores.shape[1] < 2 or np.isnan(scores).any() else group_mean(scores)


def _difference_of(a: Scores, b: Scores) -> Estimate | None:
    if a.shape[1] < 2 or np.isnan(a).any() or np.isnan(b).any():
        return None
    return group_difference(a, b)


def _difference(a: GroupPredictions, b: GroupPredictions, metric: str, k: int) -> Estimate | None:
    return _difference_of(_scores(a, metric, k), _scores(b, metric, k))


def _with_bounds(name: str, value: float, bounds: Interval) -> dict[str, float]:
    return {name: value, f"{name}_low": bounds.low, f"{name}_high": bounds.high}


def _votes(group: GroupPredictions) -> NDArray[np.float64]:
    """How many seeds say so, of each image and class (N, 7)."""
    said = group.predicted[:, :, None] == np.arange(_K)
    return np.asarray(said.sum(0), float)
