"""A study's tables: what its variants reach, and what they cost. Without torch."""

import numpy as np
import pandas as pd

from fercore.runs.commit import from_uncommitted_code
from fercore.scoring import statistics
from fercore.scoring.grouped.intervals import share_interval
from fercore.scoring.groups import group_difference, group_mean
from fercore.study.contrasts import holm_levels
from fercore.study.scored import Scored
from fercore.study.store import StudyStore
from fercore.study.variants import PAIR, Study

REFERENCE = PAIR[0]  # what an ablation's changes are held against


def variant_table(scored: Scored, study: Study) -> pd.DataFrame:
    """A line per finished variant, in the study's order.

    Columns: variant, title, model, condition, seeds; accuracy, accuracy_low, accuracy_high (mean
    over seeds, shares from 0 to 1, the interval over seeds and images) and macro_f1, on the images
    of `scored`; public_accuracy; parameters, flops_per_image, latency_ms; uncommitted (trainings
    made by code that was in no commit).
    """
    lines = []
    for variant in study.variants:
        own = scored.table[scored.table["variant"] == variant.name]
        if own.empty:
            continue
        mean = group_mean(scored.correct(variant.name))
        low, high = share_interval(mean, len(scored.labels))
        commits = [scored.store.info(run_id).get("git_commit") for run_id in own["run_id"]]
        lines.append(
            {
                "variant": variant.name,
                "title": variant.title,
                "model": variant.model,
                "condition": variant.condition,
                "seeds": len(own),
                "accuracy": mean.value,
                "accuracy_low": low,
                "accuracy_high": high,
                "macro_f1": scored.macro_f1(variant.name),
                "public_accuracy": own["public_accuracy"].mean(),
                "parameters": own["parameters"].iloc[0],
                "flops_per_image": own["flops_per_image"].iloc[0],
                "latency_ms": own["latency_ms"].iloc[0],
                "uncommitted": sum(map(from_uncommitted_code, commits)),
            }
        )
    return pd.DataFrame(lines)


def ablation_table(scored: Scored, study: Study) -> pd.DataFrame:
    """`variant_table` with each change's difference to the recipe as declared.

    More columns: difference, difference_low, difference_high, p_value, p_holm (corrected for the
    number of changes, the interval alike: see `contrasts`); NaN for the recipe itself.
    """
    table = variant_table(scored, study)
    compared = (table["variant"] != REFERENCE) & (REFERENCE in scored.variants)
    own = {
        name: group_difference(scored.correct(name), scored.correct(REFERENCE))
        for name in table.loc[compared, "variant"]
    }
    p_values = [estimate.p_value for estimate in own.values()]
    bounds = [
        estimate.interval(1 - level)
        for estimate, level in zip(own.values(), holm_levels(p_values), strict=True)
    ]
    columns = {
        "difference": [estimate.value for estimate in own.values()],
        "difference_low": [low for low, _ in bounds],
        "difference_high": [high for _, high in bounds],
        "p_value": p_values,
        "p_holm": statistics.holm(p_values),
    }
    for name, values in columns.items():
        table.loc[compared, name] = np.asarray(values, float)
    return table


def curves(store: StudyStore, runs: list[str]) -> pd.DataFrame:
    """PublicTest and training accuracy by epoch, each the mean over these trainings."""
    histories = pd.concat([store.history(run_id) for run_id in runs])
    return histories.groupby("epoch")[["train_accuracy", "val_accuracy"]].mean().reset_index()
