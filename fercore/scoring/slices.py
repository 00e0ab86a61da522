"""Where a model fails: its scores on slices of the images that share a property. Without torch."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.votes import Votes
from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.scoring import metrics, statistics
from fercore.scoring.predictions import Predictions, check_paired, image_count
from fercore.scoring.ratios import macro_f1_interval
from fercore.scoring.statistics import Interval

Masks = dict[tuple[str, str], NDArray[np.bool_]]
CROSS = " × "

FEW = 20  # images below which a slice's figures say next to nothing

# Fifths of the images by what was measured in them, from the lowest values to the highest.
FIFTHS = {
    "brightness": ("darkest", "dark", "medium light", "bright", "brightest"),
    "contrast": ("flattest", "flat", "medium contrast", "strong", "strongest"),
    "sharpness": ("blurriest", "blurry", "medium sharp", "sharp", "sharpest"),
}
_BY_TRUTH = {
    "duplicate": ("exact copy", "no copy"),
    "FER+ agreement": ("FER+ agrees", "FER+ disagrees"),
    "face": ("face", "not a face"),
}
_COLUMNS = [
    "property", "slice", "n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1",
    "macro_f1_low", "macro_f1_high", "p_value",
]  # fmt: skip
_GAP_COLUMNS = [
    "property", "slice", "n", "a", "b", "difference", "difference_low", "difference_high",
    "p_value",
]  # fmt: skip
_BY_VOTES = ("under 50 %", "50–80 %", "over 80 %")
_COLUMN_OF = {"FER+ agreement": "agreement"}  # a property whose column has another name

# Columns of properties that people add begin so: an attribute's, whose values are slices, and a
# subset's. Its name stands behind.
ATTRIBUTE, SUBSET = "attribute: ", "subset: "
SUBSETS = "subset"  # the property that all subsets are slices by

# Every slice that is there without them, by property; which a set of images has is another matter.
SLICES = {**FIFTHS, **_BY_TRUTH, "votes for the label": _BY_VOTES, "class": CLASSES}

# What links call them: these keys stay when the names change.
_KEYS = {
    "brightness": ("brightness", ("darkest", "dark", "medium", "bright", "brightest")),
    "contrast": ("contrast", ("flattest", "flat", "medium", "strong", "strongest")),
    "sharpness": ("sharpness", ("blurriest", "blurry", "medium", "sharp", "sharpest")),
    "duplicate": ("duplicate", ("copy", "none")),
    "FER+ agreement": ("ferplus", ("agrees", "disagrees")),
    "face": ("face", ("yes", "no")),
    "votes for the label": ("votes", ("under-50", "50-80", "over-80")),
    "class": ("class", CLASSES),
}
PROPERTY_KEYS = {name: key for name, (key, _) in _KEYS.items()}
SLICE_KEYS = {
    (name, part): f"{_KEYS[name][0]}:{key}"
    for name, parts in SLICES.items()
    for part, key in zip(parts, _KEYS[name][1], strict=True)
}


def slice_properties(
    predictions: Predictions,
    *,
    measured: pd.DataFrame | None = None,
    votes: Votes | None = None,
    copied_rows: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """One line per image of `predictions`, in their order; a column for each property known.

    measured: a table of `image_properties.measure`, its index the images' pixel hashes; gives
    brightness, contrast and sharpness, NaN for images it lacks. votes: gives agreement and face
    (bool) and vote_share. copied_rows: the rows of exact copies, as `copy` marks them in a run's
    prediction frame; gives duplicate (bool). label (a class's name) is always there.
    """
    properties = pd.DataFrame({"label": np.array(CLASSES)[predictions.labels]})
    if copied_rows is not None:
        properties["duplicate"] = np.isin(predictions.rows, copied_rows)
    if measured is not None:
        known = measured[~measured.index.duplicated()].reindex(predictions.pixels)
        for name in FIFTHS:
            properties[name] = known[name].to_numpy()
    if votes is not None:
        labels, rows = predictions.labels, predictions.rows
        properties["agreement"] = votes.agreement_with(labels, rows)
        properties["vote_share"] = votes.share_of(labels, rows)
        properties["face"] = ~votes.not_a_face(rows)
    return properties


Crossed = tuple[str, str] | None  # two properties, whose slices are crossed


def slices(
    predictions: Predictions,
    properties: pd.DataFrame,
    *,
    label: int | None = None,
    crossed: Crossed = None,
) -> pd.DataFrame:
    """The scores on every slice, the worst accuracy first; slices under `FEW` images last.

    Columns: property, slice, n; accuracy with its Wilson interval (accuracy_low, …) and macro_f1
    with its interval (macro_f1_low, …), from 0 to 1; difference: accuracy minus that on all images;
    p_value: of an accuracy equal to that outside the slice (Fisher's exact test), p_holm: corrected
    for the number of slices; few: whether the slice has under `FEW` images. Within one true class a
    macro F1 means nothing and is NaN. `properties` is `slice_properties` of the same predictions.
    Without a line where nothing tells some of the images from the others. label: only the images
    of that class, in the slices that all images make; their accuracy is the class's recall.
    crossed: two properties, for each slice by one within each by the other. Raises `RunError`
    without images.
    """
    masks = slice_masks(properties, crossed)
    if label is not None:
        masks = masks_within(masks, predictions.labels == label)
        predictions = predictions.where(predictions.labels == label)
    image_count(predictions)
    rows = [
        {
            "property": name,
            "slice": title,
            **_scores(predictions, mask, mixes_classes(name) and label is None),
        }
        for (name, title), mask in masks.items()
    ]
    return ranked(rows, float(predictions.correct.mean()))


def mixes_classes(property: str) -> bool:
    """Whether a slice by that property may hold images of several classes."""
    return "class" not in property.split(CROSS)


def ranked(lines: list[dict[str, Any]], everyone: float) -> pd.DataFrame:
    """The table of `slices` from the scores of each; `everyone`: the accuracy on all images."""
    table = pd.DataFrame(lines, columns=_COLUMNS)
    table["difference"] = table["accuracy"] - everyone
    table["p_holm"] = statistics.holm(table["p_value"])
    table["few"] = table["n"] < FEW
    return table.sort_values(["few", "accuracy"], kind="stable", ignore_index=True)


def slice_differences(a: Predictions, b: Predictions, properties: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of A minus that of B on every slice of the same images, in the order of `SLICES`.

    Columns: property, slice, n; a and b (accuracies), difference (-1 to 1) with its paired
    bootstrap interval; p_value (exact McNemar), p_holm (corrected for the number of slices). Raises
    `RunError` where the images differ.
    """
    check_paired(a, b)
    rows = []
    for (name, title), mask in slice_masks(properties).items():
        right = a.correct[mask], b.correct[mask]
        low, high = statistics.paired_difference_interval(*right)
        p_value = statistics.mcnemar(*right).p_value
        shares = right[0].mean(), right[1].mean()
        rows.append(
            (name, title, int(mask.sum()), *shares, shares[0] - shares[1], low, high, p_value)
        )
    return with_corrected_p(rows)


def with_corrected_p(lines: list[tuple[Any, ...]]) -> pd.DataFrame:
    """The table of `slice_differences` from its lines."""
    table = pd.DataFrame(lines, columns=_GAP_COLUMNS)
    return table.assign(p_holm=statistics.holm(table["p_value"]))


def slice_mask(properties: pd.DataFrame, property: str, name: str) -> NDArray[np.bool_]:
    """The images (N,) of one slice, by its property and name as in the table of `slices`.

    Raises `RunError` where there is no such slice.
    """
    masks = slice_masks(properties)
    if (property, name) not in masks:
        raise RunError(f"There is no slice '{name}' by {property} among these images.")
    return masks[property, name]


def slice_title(property: str, name: str) -> str:
    """'brightness: darkest'."""
    return f"{property}: {name}"


def slice_masks(properties: pd.DataFrame, crossed: Crossed = None) -> Masks:
    """(property, slice) → its images, bool (N,); slices of no image or of all are left out.

    crossed: two properties; the slices are then ('one × other', 'this × that').
    """
    masks = _every_mask(properties)
    if crossed:
        one, other = (
            {title: mask for (name, title), mask in masks.items() if name == chosen}
            for chosen in crossed
        )
        masks = {
            (CROSS.join(crossed), CROSS.join((this, that))): mask & more
            for this, mask in one.items() for that, more in other.items()
        }  # fmt: skip
    return {key: mask for key, mask in masks.items() if mask.any() and not mask.all()}


def _every_mask(properties: pd.DataFrame) -> Masks:
    masks = {("class", name): (properties["label"] == name).to_numpy() for name in CLASSES}
    for name, titles in FIFTHS.items():
        if name in properties:
            fifth = _fifths(properties[name].to_numpy())
            masks |= {(name, title): fifth == index for index, title in enumerate(titles)}
    for name, (yes, no) in _BY_TRUTH.items():
        column = _COLUMN_OF.get(name, name)
        if column in properties:
            held = properties[column].to_numpy(bool)
            masks |= {(name, yes): held, (name, no): ~held}
    if "vote_share" in properties:
        share = properties["vote_share"].to_numpy()
        shares = share < 0.5, (share >= 0.5) & (share <= 0.8), share > 0.8
        masks |= {("votes for the label", title): mask for title, mask in zip(_BY_VOTES, shares)}
    return masks | _own_masks(properties)


def _own_masks(properties: pd.DataFrame) -> Masks:
    """By what people know of the images."""
    masks: Masks = {}
    for column in map(str, properties.columns):
        values = properties[column]
        if column.startswith(SUBSET):
            masks[SUBSETS, column.removeprefix(SUBSET)] = values.to_numpy(bool)
        elif column.startswith(ATTRIBUTE):
            name = column.removeprefix(ATTRIBUTE)
            for value in in_order(values):
                masks[name, value] = (values == value).to_numpy(bool)
    return masks


def in_order(values: pd.Series) -> list[str]:
    """An attribute's values, by the first number in them, then by the alphabet."""

    def place(value: str) -> tuple[float, str]:
        number = re.search(r"\d+(\.\d+)?", value)
        return (float(number[0]) if number else float("inf"), value)

    return sorted(map(str, values.dropna().unique()), key=place)


def masks_within(masks: Masks, among: NDArray[np.bool_]) -> Masks:
    """Masks (N,) of `slice_masks` for the images `among` (N,), M of them: (M,)."""
    within = {key: mask[among] for key, mask in masks.items()}
    return {key: mask for key, mask in within.items() if mask.any() and not mask.all()}


def _fifths(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """The fifth, 0 to 4, that each value is in (N,); equal values share one; -1 for NaN."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(values), -1)
    edges = np.quantile(values[known], [0.2, 0.4, 0.6, 0.8])
    return np.where(known, np.searchsorted(edges, values, side="left"), -1)


def _scores(predictions: Predictions, mask: NDArray[np.bool_], with_f1: bool) -> dict[str, Any]:
    n, right = int(mask.sum()), int(predictions.correct[mask].sum())
    interval = statistics.wilson_interval(right, n)
    f1, f1_interval = _macro_f1(predictions, mask) if with_f1 else (np.nan, (np.nan, np.nan))
    return {
        "n": n,
        "accuracy": right / n,
        "accuracy_low": interval.low,
        "accuracy_high": interval.high,
        "macro_f1": f1,
        "macro_f1_low": f1_interval[0],
        "macro_f1_high": f1_interval[1],
        "p_value": _against_the_others(right, n, predictions.correct),
    }


def _against_the_others(right: int, n: int, correct: NDArray[np.bool_]) -> float:
    from scipy.stats import fisher_exact

    others, right_there = len(correct) - n, int(correct.sum()) - right
    table = np.array([[right, n - right], [right_there, others - right_there]])
    return float(fisher_exact(table).pvalue)


def _macro_f1(predictions: Predictions, mask: NDArray[np.bool_]) -> tuple[float, Interval]:
    confusion = metrics.confusion_matrix(predictions.labels[mask], predictions.predicted[mask])
    return float(metrics.macro_f1(confusion)), macro_f1_interval(confusion)
