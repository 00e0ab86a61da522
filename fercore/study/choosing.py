"""Changes of a recipe by rank on PublicTest, and what choosing the best of them does to its score.

Without torch.
"""

import numpy as np
import pandas as pd

from fercore.scoring.groups import group_difference, group_mean
from fercore.scoring.statistics import LEVEL
from fercore.study.analysis import REFERENCE, ablation_table
from fercore.study.conditions import CONDITIONS
from fercore.study.scored import Scored
from fercore.study.variants import Study
from fercore.wording import number


def ranked_table(scored: Scored, study: Study) -> pd.DataFrame:
    """`ablation_table`, the best first, the recipe as declared among its changes.

    One more column, beyond_chance: 'better' or 'worse' than the recipe as declared after the
    correction, or ''.
    """
    table = ablation_table(scored, study).sort_values("accuracy", ascending=False, kind="stable")
    side = np.where(table["difference"] > 0, "better", "worse")
    return table.assign(beyond_chance=np.where(table["p_holm"] < LEVEL, side, ""))


def chance_lead(scored: Scored, study: Study) -> float:
    """By how much the best of the changes would be expected to seem better than the recipe as
    declared, if none of them changed anything: the mean of the highest of as many normal draws.
    Their variance is that of a change's own seeds, as all variants tell it, and of how models
    differ by image.

    A share; NaN before two changes, and two seeds of anything, are trained.
    """
    right = {name: scored.correct(name) for name in _trained(scored, study)}
    changes = [own for name, own in right.items() if name != REFERENCE]
    means = [(len(own), group_mean(own)) for own in right.values() if len(own) > 1]
    if len(changes) < 2 or REFERENCE not in right or not means:
        return float("nan")
    one_seed = np.mean([seeds * (own.seeds_variance + own.rest_variance) for seeds, own in means])
    variances = [
        one_seed / len(own) + group_difference(own, right[REFERENCE]).images_variance / 2
        for own in changes
    ]
    return mean_of_highest(len(changes)) * float(np.sqrt(np.mean(variances)))


def _trained(scored: Scored, study: Study) -> list[str]:
    return [variant.name for variant in study.variants if variant.name in scored.variants]


def mean_of_highest(draws: int) -> float:
    """The expected highest of so many standard normal draws.

    >>> round(mean_of_highest(1), 3), round(mean_of_highest(2), 3), round(mean_of_highest(7), 3)
    (0.0, 0.564, 1.352)
    """
    from scipy.special import ndtr

    at = np.linspace(-8, 8, 2001)
    density = np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sum(at * draws * density * ndtr(at) ** (draws - 1)) * (at[1] - at[0]))


def choice_in_words(scored: Scored, study: Study) -> str:
    """That the best of several seems better than it is; '' before there is a choice."""
    lead = chance_lead(scored, study)
    if np.isnan(lead):
        return ""
    best, *_ = ranked_table(scored, study).to_dict("records")
    changes = len(_trained(scored, study)) - 1
    return (
        f"Choosing the best of {changes} changes flatters it: if none of them changed anything, "
        f"the best would still be expected to seem {number(100 * lead)} points better than the "
        f"recipe as declared. What leads here ({CONDITIONS[best['condition']].title}) was chosen "
        "on these images; what it gives, others must say, once."
    )
