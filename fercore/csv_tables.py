"""CSV for other programs: one vocabulary of columns, numbers as numbers, and no text that a
spreadsheet would compute.

Shares are from 0 to 1. An interval at 95 % stands in two columns, the figure's name with `_low`
and `_high`. Where a line is about two models, A's columns begin with `a_`, B's with `b_`.
"""

import re

import pandas as pd

from fercore.labels import CLASSES, USAGES

# Every column that a CSV may have, and what it holds.
COLUMNS = {
    "model": "A or B, as the page has them",
    "run": "the run's name",
    "run_a": "model A's run",
    "run_b": "model B's run",
    "dataset": "the dataset's name",
    "part": "the images: private, clean (PrivateTest without duplicates) or public",
    "usage": "Training, PublicTest or PrivateTest",
    "row": "the image's row in its source",
    "pixels": "the image's hash, hexadecimal: the same wherever its pixels are the same",
    "label": "what the dataset says",
    "predicted": "what the model says",
    "class": "the expression that the figures are about, or all, macro, micro",
    "n": "images",
    "support": "images with this label",
    "count": "images in this cell",
    "metric": "accuracy, f1, recall, precision or auc",
    "a": "the metric of A",
    "b": "the metric of B",
    "difference": "A minus B, or as the title says",
    "p_value": "of no difference",
    "p_holm": "the same, corrected (Holm) for the number of classes, cells, slices or variants",
    "share": "the cell's part of its label, or the labels agreed with",
    "only_a": "images that A alone puts there, or has right",
    "only_b": "images that B alone puts there, or has right",
    **dict.fromkeys(("accuracy", "f1", "recall", "precision", "auc"), "0 to 1"),
    **dict.fromkeys(("macro_f1", "macro_auc"), "mean over the expressions"),
    "false_positive_rate": "x of an ROC curve",
    "true_positive_rate": "y of an ROC curve",
    "probabilities": "as trained or temperature-scaled",
    "confidence": "the probability of what the model says",
    "confidence_from": "where a bar begins",
    "confidence_to": "where it ends",
    "coverage": "the share of images answered",
    "threshold": "the lowest confidence answered",
    "wanted": "of the answers of this class: their precision, or false alarms, 0 to 1",
    "false_alarms": "of the images of other classes, the share answered so",
    "answers": "of what the model would call so, the share answered",
    "silent": "of a model's seeds, how many never say this class",
    "recall_of_all": "recall where nothing is withheld",
    "chosen_on": "what is wanted, on PublicTest, where the threshold was chosen",
    "correct": "whether the model is right",
    "wrong": "of a group's seeds, the share that are wrong",
    "loss": "cross-entropy of the label, nats",
    "margin": "the label's probability minus the highest other one",
    "quality": "the probability of a doubted label",
    "x": "place on the map, no unit",
    "y": "place on the map, no unit",
    "property": "what the slices are cut by",
    "slice": "the slice's name",
    "subset": "which of the images",
    "attribute": "what tells groups of people apart",
    **dict.fromkeys(("worst", "best"), "the group of an attribute with the worst or best share"),
    **dict.fromkeys(("worst_n", "best_n"), "images that the group's share is of"),
    **dict.fromkeys(("worst_share", "best_share"), "its recall or false alarms, 0 to 1"),
    "gap": "between those two, with an interval that makes up for their choice",
    "few": "whether too few images to say much",
    "agreeing": "labels that no category got more of FER+'s votes than",
    "majority": "labels that got more than half of FER+'s votes",
    "majority_share": "their part of the labels",
    "labels": "the labels of a group of copies",
    "conflicting": "whether they differ",
    **dict.fromkeys(USAGES, "images of that usage"),
    "similarity": "correlation of thumbnails",
    "kind": "the corruption, or the slider",
    "strength": "0 to 5",
    "value": "the corruption's or the slider's, in its unit",
    "epoch": "from 1",
    **dict.fromkeys(("train_loss", "val_loss"), "nats; val is PublicTest"),
    **dict.fromkeys(("train_accuracy", "val_accuracy"), "0 to 1; val is PublicTest"),
    "learning_rate": "of the optimizer",
    "seconds": "of work",
    "images_per_second": "of training",
    "probability": "the model's, for this class",
    "votes": "of FER+'s ten raters",
    "relabelled": "labels replaced by verdicts",
    "left_out": "images left out by verdicts",
    "verdict": "right, wrong, ambiguous or unusable",
    "should_be": "the expression it should be",
    "note": "what a person wrote",
    "updated": "when, UTC",
    **dict.fromkeys(("photo", "clip"), "the file's name"),
    "time": "seconds after the clip's begin",
    "face": "its number in the photo, or through the clip",
    "unsure": "whether below the threshold",
    **dict.fromkeys(("left", "top", "side"), "the face's box, pixels"),
    "tilt": "degrees",
    "whole_picture": "whether no face was looked for",
    "weak": "whether it may be no face",
    **{f"p_{name}": "the probability" for name in CLASSES},
    "study": "the study's name",
    "variant": "one of its variants",
    "title": "the variant's, for people",
    "condition": "what was changed in the recipe",
    "seeds": "trainings of the variant",
    "family": "the contrasts that p is corrected together with",
    "contrast": "its name in the family",
    "of_seeds": "trainings of each variant in it",
    "planned": "whether docs/protocol.md declares it",
    "run_id": "the training's name",
    "uncommitted": "trainings by code that was in no commit",
    "scored": "when PrivateTest was",
    "cnn": "the CNN's accuracy",
    "cnn_lstm": "the CNN-LSTM's",
    "architecture": "the network, as `--model` names it",
    "recipe": "what it was trained by",
    "start_from": "the run it began with",
    "seed": "of the training; empty for an ensemble",
    "shipped": "whether it came with the project",
    "fingerprint": "of the dataset",
    "best_epoch": "the epoch that was chosen",
    "epochs_done": "epochs it was trained for, fewer where the best so far was kept",
    "epochs": "epochs that its recipe asks for",
    "parameters": "of the network",
    "flops_per_image": "operations",
    "latency_ms": "for one face",
    "bytes": "on the disk",
    "created": "when, UTC",
    "git_commit": "of the code, -dirty where it was changed since; of several, in their order",
    "processor": "that trained it",
    "precision_mode": "fp32 or bf16",
}
_PREFIX = re.compile(r"^(a|b|other|stored|reviewed|private|clean|public)_")
_SUFFIX = re.compile(r"_(low|high)$")
FORMULA = tuple("'=+-@\t\r")  # a text that begins so is computed by a spreadsheet


def undeclared(table: pd.DataFrame) -> list[str]:
    """The columns of a table that `COLUMNS` does not know."""
    plain = (_SUFFIX.sub("", name) for name in table.columns)
    known = (name in COLUMNS or _PREFIX.sub("", name) in COLUMNS for name in plain)
    return [name for name, found in zip(table.columns, known) if not found]


def csv_text(table: pd.DataFrame, **about: str) -> str:
    """A table as CSV; `about` are columns that say, on each line, what the table is of.

    Hashes are written in hexadecimal, since a spreadsheet rounds numbers of that length.
    """
    written = table.drop(columns=[name for name in about if name in table])
    for place, (name, value) in enumerate(about.items()):
        written.insert(place, name, value)
    for name in map(str, written.columns):
        if name == "pixels" and pd.api.types.is_integer_dtype(written[name]):
            written[name] = [hexadecimal(pixels) for pixels in written[name]]
        elif not pd.api.types.is_numeric_dtype(written[name]):
            written[name] = [
                as_text(cell) if isinstance(cell, str) else cell for cell in written[name]
            ]
    return written.to_csv(index=False, lineterminator="\n")


def hexadecimal(pixels: int) -> str:
    """'0x0123456789abcdef'."""
    return f"0x{int(pixels) % 2**64:016x}"


def as_text(cell: str) -> str:
    """Behind an apostrophe where a spreadsheet would take it for a formula; see `from_text`."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def from_text(cell: str) -> str:
    """What was written by `as_text`."""
    return cell.removeprefix("'")
