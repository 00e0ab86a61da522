"""Image by image: what one or two models say, and which of the images a person looks at."""

import numpy as np
import pandas as pd

from fercore.errors import ConfigError, RunError
from fercore.labels import CLASSES
from fercore.scoring.predictions import Predictions, check_paired


def sample_table(a: Predictions, b: Predictions | None = None) -> pd.DataFrame:
    """One line per image: row, pixels (hash), label, and for A what it says, how surely, whether
    right; with B on the same images, the same for B.

    Columns: row, pixels, label, a_predicted, a_confidence, a_correct, a_loss, a_margin
    [, b_predicted, …]. Classes by name, confidences from 0 to 1; loss is the cross-entropy of the
    label in nats, margin the label's probability minus the highest other one, from -1 to 1; all
    three are NaN where a model says labels alone. Raises `RunError` where B was scored on other
    images.
    """
    if b is not None:
        check_paired(a, b)
    names = np.array(CLASSES)
    frame = pd.DataFrame({"row": a.rows, "pixels": a.pixels, "label": names[a.labels]})
    for key, table in {"a": a, "b": b}.items():
        if table is not None:
            frame[f"{key}_predicted"] = names[table.predicted]
            frame[f"{key}_confidence"] = table.confidence
            frame[f"{key}_correct"] = table.correct
            frame[f"{key}_loss"] = table.loss
            frame[f"{key}_margin"] = table.margin
            if table.labels_only:
                frame[of_sureness(key)] = np.nan
    return frame


def of_sureness(key: str) -> list[str]:
    """The columns of a sample table that tell how sure 'a' or 'b' is."""
    return [f"{key}_{name}" for name in ("confidence", "loss", "margin")]


def selected_samples(
    samples: pd.DataFrame,
    *,
    true: str | None = None,
    a_says: str | None = None,
    b_says: str | None = None,
    confidence: tuple[float, float] = (0.0, 1.0),
    of: str = "a",
) -> pd.Series:
    """Which lines of a sample table have this label, these predictions, a confidence in this range.

    `of` ('a' or 'b') says whose confidence; one that is not known lies in the whole range alone.
    Returns bool (N,). Raises `RunError` where B is asked about and not in the table.
    """
    if (b_says or of == "b") and "b_predicted" not in samples:
        raise RunError("B was not scored on these images: nothing can be chosen by what it says.")
    (low, high), sure = confidence, samples[f"{of}_confidence"]
    keep = sure.between(low, high)
    if low <= 0 and high >= 1:
        keep |= sure.isna()
    for column, wanted in {"label": true, "a_predicted": a_says, "b_predicted": b_says}.items():
        if wanted:
            keep &= samples[column] == wanted
    return keep


# What a person may ask of two models' answers, in the order of a page's choices.
VIEWS = (
    "A wrong",
    "B wrong",
    "A wrong, B right",
    "A right, B wrong",
    "both wrong",
    "both wrong alike",
    "all seeds of both wrong",
    "all",
)


def always_wrong(samples: pd.DataFrame) -> pd.Series:
    """Which lines of a sample table are wrong in every seed of all models in it: bool (N,)."""
    wrong = [
        samples[f"{key}_wrong"] == 1 if f"{key}_wrong" in samples else ~samples[f"{key}_correct"]
        for key in "ab"
        if f"{key}_correct" in samples
    ]
    return wrong[0] & wrong[-1]


def view_mask(samples: pd.DataFrame, view: str) -> pd.Series:
    """Which lines of a sample table belong to one of `VIEWS`: bool (N,). A group is wrong where
    what most of its seeds say is not the label.

    Raises `ConfigError` for another word, and where B is asked about and not in the table.
    """
    if view not in VIEWS or (view not in ("A wrong", "all") and "b_correct" not in samples):
        raise ConfigError(f"There is no view '{view}' of these models.")
    wrong_a = ~samples["a_correct"]
    if view == "A wrong":
        return wrong_a
    if view == "all":
        return wrong_a | True
    wrong_b = ~samples["b_correct"]
    alike = samples["a_predicted"] == samples["b_predicted"]
    masks = (wrong_a, wrong_b, wrong_a & ~wrong_b, ~wrong_a & wrong_b, wrong_a & wrong_b)
    every = always_wrong(samples)
    return dict(zip(VIEWS, (*masks, wrong_a & wrong_b & alike, every)))[view]
