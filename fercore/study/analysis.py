"""What a study's results say: gaps with intervals and tests, and its conclusions in words.

Everything is computed from the store; nothing here knows what the answer is. Without torch.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.scoring import metrics, statistics
from fercore.scoring.groups import group_difference, group_mean
from fercore.scoring.statistics import LEVEL, Difference, Interval
from fercore.study.conditions import CONDITIONS
from fercore.study.references import PAPER
from fercore.study.store import StudyStore
from fercore.study.variants import Study, Variant
from fercore.wording import breakable, interval, p_value, percent, points, points_interval

REFERENCE = "cnn"  # what every variant is held against
STRONGER_QUESTION = "Is the gap still there when both are trained as well as we can?"


def correct_by_seed(store: StudyStore, variant: str, part: str) -> NDArray[np.bool_]:
    """Whether each seed's model is right on each image: bool (seeds, N), seeds in order."""
    runs = _runs(store, variant)
    return np.stack([store.predictions(run_id, part).correct for run_id in runs])


def gap_table(store: StudyStore, study: Study, part: str = "private") -> pd.DataFrame:
    """A line per finished variant, in the study's order, held against the CNN.

    Columns: variant, title, model, condition, seeds; accuracy, low, high (mean over seeds, shares
    from 0 to 1); difference, difference_low, difference_high to the CNN; p_value, p_holm (corrected
    for the number of variants compared); only_variant, only_cnn (images that one alone gets right,
    summed over seeds paired by number) and mcnemar (seeds whose exact McNemar test is below 0.05);
    public_accuracy, macro_f1, parameters, flops_per_image, latency_ms. NaN for the CNN's own
    comparison.
    """
    table = store.table()
    finished = [v for v in study.variants if v.name in set(table["variant"])]
    right = {variant.name: correct_by_seed(store, variant.name, part) for variant in finished}
    seeds = {str(name): sorted(own["seed"]) for name, own in table.groupby("variant")}
    lines = []
    for variant in finished:
        own = table[table["variant"] == variant.name]
        low, high = np.clip(group_mean(right[variant.name]).interval(), 0, 1)
        lines.append(
            {
                "variant": variant.name,
                "title": variant.title,
                "model": variant.model,
                "condition": variant.condition,
                "seeds": len(own),
                "accuracy": right[variant.name].mean(),
                "accuracy_low": low,
                "accuracy_high": high,
                **_against(variant.name, REFERENCE, right, seeds),
                "public_accuracy": own["public_accuracy"].mean(),
                "macro_f1": own["macro_f1"].mean(),
                "parameters": own["parameters"].iloc[0],
                "flops_per_image": own["flops_per_image"].iloc[0],
                "latency_ms": own["latency_ms"].iloc[0],
            }
        )
    frame = pd.DataFrame(lines)
    compared = frame["p_value"].notna()
    frame["p_holm"] = np.nan
    frame.loc[compared, "p_holm"] = statistics.holm(frame.loc[compared, "p_value"].to_numpy())
    return frame


def condition_table(store: StudyStore, study: Study, part: str = "private") -> pd.DataFrame:
    """The CNN-LSTM against the CNN under each condition of the recipe.

    Columns: condition, title; cnn, cnn_lstm (mean accuracies); difference (CNN-LSTM minus CNN),
    low, high, p_value, p_holm.
    """
    names = set(store.table()["variant"])
    lines = []
    for condition, entry in CONDITIONS.items():
        pair = [Variant(model, condition) for model in ("cnn", "cnn_lstm")]
        if not {variant.name for variant in pair} <= names:
            continue
        cnn, lstm = (correct_by_seed(store, variant.name, part) for variant in pair)
        gap = _difference(lstm, cnn)
        lines.append(
            {
                "condition": condition,
                "title": entry.title,
                "cnn": cnn.mean(),
                "cnn_lstm": lstm.mean(),
                "difference": gap.value,
                "difference_low": gap.interval.low,
                "difference_high": gap.interval.high,
                "p_value": gap.p_value,
            }
        )
    frame = pd.DataFrame(lines)
    if len(frame):
        frame["p_holm"] = statistics.holm(frame["p_value"].to_numpy())
    return frame


def class_effect(store: StudyStore, variants: list[str], part: str = "private") -> pd.DataFrame:
    """Recall of each class minus the CNN's, means over seeds: a row per variant.

    Empty before the CNN is trained.
    """
    if REFERENCE not in set(store.table()["variant"]):
        return pd.DataFrame(columns=list(CLASSES))
    reference = _mean_recall(store, REFERENCE, part)
    rows = [_mean_recall(store, variant, part) - reference for variant in variants]
    return pd.DataFrame(rows, index=variants, columns=list(CLASSES))


def curves(store: StudyStore, variant: str) -> pd.DataFrame:
    """PublicTest and training accuracy by epoch, each the mean over seeds."""
    histories = pd.concat([store.history(run_id) for run_id in _runs(store, variant)])
    return histories.groupby("epoch")[["train_accuracy", "val_accuracy"]].mean().reset_index()


@dataclass(frozen=True)
class Conclusion:
    """One question and the table's answer to it."""

    question: str
    answer: str


def conclusions(store: StudyStore, gaps: pd.DataFrame, part: str = "private") -> list[Conclusion]:
    """The questions a reader of the paper has, answered from `gap_table`, as far as it goes."""
    gaps = gaps.set_index("variant")
    writers = (_matched_gap, _order, _sinking_factor, _levelling_head)
    return [found for writer in writers if (found := writer(store, gaps, part))]


def stronger_training(store: StudyStore, study: Study, part: str = "private") -> Conclusion | None:
    """Whether the gap is still there in a study of a stronger recipe; None before both are in."""
    if not store.finished() or not {"cnn", "cnn_lstm"} <= set(store.table()["variant"]):
        return None
    gaps = gap_table(store, study, part).set_index("variant")
    cnn, lstm = _line(gaps, "cnn"), _line(gaps, "cnn_lstm")
    gap = _gap(lstm, "p_value")
    return Conclusion(
        STRONGER_QUESTION,
        f"By the recipe '{study.recipe}' the CNN reaches {_percent(cnn['accuracy'])} (seeds: "
        f"{cnn['seeds']}), the CNN-LSTM {_percent(lstm['accuracy'])} (seeds: {lstm['seeds']}): "
        f"{_points(gap)}; {_verdict(gap)}.",
    )


def _matched_gap(store: StudyStore, gaps: pd.DataFrame, part: str) -> Conclusion | None:
    if not {"cnn", "cnn_lstm"} <= set(gaps.index):
        return None
    paper = PAPER["CNN-LSTM"] - PAPER["CNN"]
    gap = _gap(_line(gaps, "cnn_lstm"), "p_holm")
    explained = (
        f"the LSTM head explains {_percent(gap.value / paper, 0)} of that"
        if gap.p_value < LEVEL and gap.value < 0
        else "none of that is shown here"
    )
    return Conclusion(
        "How large is the gap under matched training?",
        f"Trained alike, CNN-LSTM minus CNN is {_points(gap)}; {_verdict(gap, 'corrected p')}. The "
        f"paper saw {breakable(points(paper))}: {explained}.",
    )


def _order(store: StudyStore, gaps: pd.DataFrame, part: str) -> Conclusion | None:
    if not {"cnn_lstm", "cnn_lstm_shuffled"} <= set(gaps.index):
        return None
    gap = _difference(
        *(correct_by_seed(store, name, part) for name in ("cnn_lstm", "cnn_lstm_shuffled"))
    )
    meaning = (
        "the order carries something" if gap.p_value < LEVEL else "no effect of the order is seen"
    )
    return Conclusion(
        "Does the order in which the map is read matter?",
        f"Raster minus random order is {_points(gap)}; {_verdict(gap)}, so {meaning}.",
    )


def _sinking_factor(store: StudyStore, gaps: pd.DataFrame, part: str) -> Conclusion | None:
    recurrent = gaps[gaps["model"].str.startswith("cnn_lstm")]
    changed = recurrent[recurrent.index != "cnn_lstm"]
    if changed.empty:
        return None
    distance = (changed["accuracy"] - PAPER["CNN-LSTM"]).abs()
    nearest = _line(changed, str(distance.idxmin()))
    factor = CONDITIONS[nearest["condition"]].title if nearest["condition"] else nearest["title"]
    twin = f"cnn-{nearest['condition']}"
    beside = (
        f" The CNN under the same condition: {_percent(_line(gaps, twin)['accuracy'])}."
        if twin in gaps.index
        else ""
    )
    near = "" if distance.min() < 0.03 else " Nothing tried comes within 3 points of it."
    bounds = nearest["accuracy_low"], nearest["accuracy_high"]
    return Conclusion(
        "Which single factor takes the CNN-LSTM down to the paper's figure?",
        f"Nearest to the paper's {_percent(PAPER['CNN-LSTM'])} comes '{factor}': "
        f"{_percent(nearest['accuracy'])} {breakable(interval(bounds))}.{beside}{near}",
    )


def _levelling_head(store: StudyStore, gaps: pd.DataFrame, part: str) -> Conclusion | None:
    heads = gaps[gaps["model"].str.startswith("cnn_lstm") & (gaps["condition"] == "")]
    if heads.empty or heads["difference"].isna().all():
        return None
    best = _line(heads, str(heads["public_accuracy"].idxmax()))
    gap = _gap(best, "p_holm")
    return Conclusion(
        "Which repair brings it level with the CNN?",
        f"Chosen on PublicTest, the best LSTM head is '{best['title']}': "
        f"{_points(gap)} against the CNN; {_verdict(gap, 'corrected p')}.",
    )


def _against(
    variant: str, other: str, right: dict[str, NDArray[np.bool_]], seeds: dict[str, list[int]]
) -> dict[str, float]:
    if variant == other or other not in right:
        names = "difference", "difference_low", "difference_high", "p_value"
        return dict.fromkeys((*names, "only_variant", "only_cnn", "mcnemar"), np.nan)
    gap = _difference(right[variant], right[other])
    _, own, others = np.intersect1d(seeds[variant], seeds[other], return_indices=True)
    pairs = zip(right[variant][own], right[other][others], strict=True)
    tests = [statistics.mcnemar(*pair) for pair in pairs]
    return {
        "difference": gap.value,
        "difference_low": gap.interval[0],
        "difference_high": gap.interval[1],
        "p_value": gap.p_value,
        "only_variant": sum(test.only_a for test in tests),
        "only_cnn": sum(test.only_b for test in tests),
        "mcnemar": sum(test.p_value < LEVEL for test in tests),
    }


def _mean_recall(store: StudyStore, variant: str, part: str) -> NDArray[np.float64]:
    recalls: list[NDArray[np.float64]] = []
    for run_id in _runs(store, variant):
        table = store.predictions(run_id, part)
        confusion = metrics.confusion_matrix(table.labels, table.predicted)
        recalls.append(metrics.class_scores(confusion).recall)
    mean: NDArray[np.float64] = np.mean(recalls, axis=0)
    return mean


def _runs(store: StudyStore, variant: str) -> list[str]:
    table = store.table()
    own = table[table["variant"] == variant].sort_values("seed")
    if own.empty:
        raise RunError(f"Study '{store.name}' has no finished training of '{variant}'.")
    return own["run_id"].tolist()


def _line(gaps: pd.DataFrame, variant: str) -> dict[Hashable, Any]:
    """A variant's line of a table that has one for each."""
    return gaps.loc[[variant]].to_dict("records")[0]


def _gap(line: dict[Hashable, Any], p: str) -> Difference:
    """The difference that a line tells, with one of its p values."""
    interval = Interval(line["difference_low"], line["difference_high"])
    return Difference(line["difference"], interval, line[p])


def _difference(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Difference:
    estimate = group_difference(a, b)
    return Difference(estimate.value, estimate.interval(), estimate.p_value)


def _verdict(gap: Difference, name: str = "p") -> str:
    where = "beyond" if gap.p_value < LEVEL else "within"
    return f"{where} chance ({p_value(gap.p_value).replace('p', name, 1)})"


def _points(gap: Difference) -> str:
    return breakable(f"{points(gap.value)} {points_interval(gap.interval)}")


def _percent(share: float, places: int = 1) -> str:
    return breakable(percent(share, places))
