"""Which columns of a table are a model's answers, and what kind of numbers they hold."""

import re
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fercore.errors import ConfigError, DataError
from fercore.labels import CLASSES, class_index
from fercore.wording import count

ALPHABETICAL = "alphabetical"
_WRAPPED = {  # what names of classes are written beside
    *("p", "prob", "probs", "proba", "probability", "probabilities", "logit", "logits", "score"),
    *("scores", "conf", "confidence", "softmax", "pred", "prediction", "class", "emotion", "y"),
    *("emotions", "expression", "output", "outputs", "percent", "answers"),
}
_PREDICTED = {
    *("predicted", "prediction", "predictions", "pred", "preds", "y_pred", "yhat", "y_hat"),
    *("predicted_label", "predicted_class", "predicted_emotion", "pred_label", "answer", "says"),
}
_ROUNDED = 0.02  # by which seven rounded probabilities may miss 1
_MOST = 0.9  # of the lines that show what kind of numbers it is
_SHOWN = 5  # lines that are named


class Answers(NamedTuple):
    """probs: float64 (N, 7), a line summing to 1. values: one of `info.VALUES`. numbered: whether
    the table has the classes by number alone. order: of the outputs. notes: what a user should
    know.
    """

    probs: NDArray[np.float64]
    values: str
    numbered: bool
    order: tuple[str, ...]
    notes: list[str]


def class_order(text: str) -> tuple[str, ...]:
    """The seven classes in an order: 'angry,disgust,…', or 'alphabetical'. Raises `ConfigError`."""
    if text.strip().lower() == ALPHABETICAL:
        return tuple(sorted(CLASSES))
    order = [CLASSES[class_index(name)] for name in re.split(r"[,;\s]+", text.strip())]
    if sorted(order) != sorted(CLASSES):
        raise ConfigError(
            f"An order names each of the seven once, as {','.join(CLASSES)}, or is "
            f"'{ALPHABETICAL}'."
        )
    return tuple(order)


def find_answers(
    table: pd.DataFrame, name: str, *, order: tuple[str, ...] | None = None, values: str = "auto"
) -> Answers:
    """The answers in a table. Raises `DataError` where there are none or they make no sense.

    order: of the outputs where they have numbers, or of the columns as they stand. values: 'auto',
    'probabilities' or 'logits'.
    """
    columns, numbered = _class_columns(table, name)
    if not columns:
        return _labels(table, name, order)
    titles = list(columns.values()) if order else [columns[k] for k in range(len(CLASSES))]
    figures = np.column_stack([numbers(table[title]) for title in titles])
    if odd := lines_where(~np.isfinite(figures).all(1)):
        raise DataError(
            f"{name}: no number in {odd}. Each line needs seven, none of them NaN or infinite."
        )
    probs, kind, notes = _as_probabilities(figures, name, values)
    order = order or CLASSES
    given = np.empty_like(probs)
    given[:, [CLASSES.index(each) for each in order]] = probs
    if numbered:
        notes.append(f"The columns are numbers, read as {', '.join(order)}.")
    return Answers(given, kind, numbered, order, notes)


def numbers(column: pd.Series) -> NDArray[np.float64]:
    """The column's numbers (N,), NaN where there is none."""
    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def lines_where(odd: ArrayLike) -> str:
    """'3 lines, such as 5, 9 and 12' of the table, counted from 1 below the header; or ''."""
    places = np.flatnonzero(odd) + 1
    if not len(places):
        return ""
    shown = ", ".join(map(str, places[:_SHOWN]))
    return f"line {shown}" if len(places) == 1 else f"{count(len(places))} lines (such as {shown})"


def _class_columns(table: pd.DataFrame, name: str) -> tuple[dict[int, str], bool]:
    """By class or number, the title of its column; empty where it has none. Whether by number."""
    by_name, by_number = dict[int, str](), dict[int, str]()
    for title in map(str, table.columns):
        token = _token(title)
        known = by_number if token.isdecimal() else by_name
        k = int(token) if token.isdecimal() else _class_or_none(token)
        if k is None:
            continue
        if k in known:
            raise DataError(
                f"{name}: '{known[k]}' and '{title}' are both {CLASSES[k] if k < 7 else k}. Keep "
                "one of them."
            )
        known[k] = title
    if len(by_name) == len(CLASSES):
        return dict(
            sorted(by_name.items(), key=lambda item: list(table.columns).index(item[1]))
        ), False
    if len(by_name) > 1:
        missing = ", ".join(each for k, each in enumerate(CLASSES) if k not in by_name)
        raise DataError(f"{name}: no column for {missing}. All seven expressions are needed.")
    if set(by_number) == set(range(len(CLASSES))):
        return dict(sorted(by_number.items())), True
    if len(by_number) > 2:
        raise DataError(
            f"{name}: the columns {', '.join(map(str, sorted(by_number)))} are numbers, but not 0 "
            "to 6. Keep the seven expressions' columns, and number them from 0."
        )
    return {}, False


def _token(title: str) -> str:
    """'angry' of 'p_angry', 'Angry (%)' and '0_angry'; '3' of 'prob3' and 'class_3'."""
    folded = re.sub(r"(?<=[a-z])(?=\d)", "_", title.strip().lower())
    words = [word for word in re.split(r"[^a-z0-9]+", folded) if word]
    left = [word for word in words if word not in _WRAPPED]
    if len(left) == 2 and left[0].isdecimal():
        return left[1]
    return left[0] if len(left) == 1 else ""


def _class_or_none(token: str) -> int | None:
    with suppress(ConfigError):
        return class_index(token)
    return None


def _labels(table: pd.DataFrame, name: str, order: tuple[str, ...] | None) -> Answers:
    """Predicted labels alone: all of the probability is on what is said."""
    titles = [title for title in table.columns if str(title).strip().lower() in _PREDICTED]
    if len(titles) != 1:
        raise DataError(
            f"{name}: no columns of answers among {', '.join(map(str, table.columns[:12]))}. Name "
            f"seven by the expressions ({', '.join(CLASSES)}), or one 'predicted'."
        )
    said = table[titles[0]].astype(str).str.strip().str.replace(r"\.0+$", "", regex=True)
    numbered = said.str.fullmatch("[0-6]").all()
    names = order or CLASSES
    known = {str(k): CLASSES.index(each) for k, each in enumerate(names)} if numbered else {}
    labels = [known.get(word, _class_or_none(word)) for word in said]
    if odd := lines_where(np.array([label is None for label in labels])):
        first = next(word for word, label in zip(said, labels) if label is None)
        raise DataError(
            f"{name}: '{first[:40]}' is none of the seven expressions ({odd}). Write "
            f"{', '.join(CLASSES)}, or 0 to 6."
        )
    probs = np.eye(len(CLASSES))[np.array(labels, np.int64)]
    notes = [
        "It holds predicted labels alone: accuracy, confusions and F1 follow from them, ROC curves "
        "and calibration do not."
    ]
    if numbered:
        notes.append(f"The labels are numbers, read as {', '.join(names)}.")
    return Answers(probs, "labels", bool(numbered), tuple(names), notes)


def _as_probabilities(
    figures: NDArray[np.float64], name: str, values: str
) -> tuple[NDArray[np.float64], str, list[str]]:
    """The probabilities, what the figures were, and what to say of it."""
    from scipy.special import logsumexp, softmax

    if values == "logits":
        return softmax(figures, axis=1), "logits", ["The figures are taken for logits, as asked."]
    sums = figures.sum(1)
    within = (figures >= 0).all(1)
    for whole, what in ((1.0, "probabilities"), (100.0, "percentages")):
        fits = within & (np.abs(sums - whole) <= _ROUNDED * whole)
        if fits.all():
            note = f"The figures are {what}: each line sums to {whole:g}"
            rounded = np.abs(sums - whole).max() > 1e-3 * whole
            note += ", up to rounding, which was made exact." if rounded else "."
            return figures / sums[:, None], "probabilities", [note]
        if fits.mean() >= _MOST:
            first = int(np.flatnonzero(~fits)[0])
            raise DataError(
                f"{name}: {what} from 0 to {whole:g} that sum to {whole:g}, but not in "
                f"{lines_where(~fits)}: there the sum is {sums[first]:.4g}. Repair these lines."
            )
    if values == "probabilities" or not (figures < 0).any():
        raise DataError(
            f"{name}: the seven figures of a line sum to {sums.min():.4g} to {sums.max():.4g}: "
            "they are neither probabilities (sum 1) nor percentages. Divide each line by its sum; "
            "or if they are scores before a softmax, say so with --values logits."
        )
    logs = np.abs(logsumexp(figures, axis=1)).max() < _ROUNDED
    told = "logarithms of probabilities" if logs else "logits"
    note = f"The figures are {told}, negative ones among them: a softmax makes them probabilities."
    return softmax(figures, axis=1), "logits", [note]
