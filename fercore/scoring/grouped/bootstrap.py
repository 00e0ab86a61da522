"""A bootstrap of a group's figures that draws seeds and images anew. Without torch."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import image_weights
from fercore.scoring.metrics import Counts, Scores
from fercore.scoring.statistics import CLASS_RESAMPLES, percentiles

_AT_ONCE = 250  # resamples that lie in memory together


def crossed_bounds(
    group: GroupPredictions,
    metric: Callable[[Counts], Scores],
    *,
    resamples: int = CLASS_RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Percentile bounds (2, …) of the mean over seeds of metrics of a confusion matrix.

    The pigeonhole bootstrap (Owen, 2007): the same images for all seeds of a draw. `metric` maps
    (R, K, K) to (R, …). A little wide by what varies with both, and too narrow for two or three
    seeds, of which it does not know that they are few: `share_interval` does. The standard error of
    an end is about 2.7 / √R of the figure's.
    """
    from scipy.sparse import csr_array  # a tenth of a second to import

    n, k, rng = len(group), len(CLASSES), np.random.default_rng(seed)
    cells = group.labels * k + group.predicted  # (S, N)
    images = np.arange(n)
    holding = [csr_array((np.ones(n), (own, images)), shape=(k * k, n)) for own in cells]
    draws = []
    for start in range(0, resamples, _AT_ONCE):
        number = min(_AT_ONCE, resamples - start)
        weights = image_weights(number, n, rng).T.astype(float)
        chosen = rng.integers(group.seeds, size=(number, group.seeds))
        counts = np.stack([own @ weights for own in holding]).reshape(group.seeds, k, k, number)
        by_seed = np.stack([metric(own) for own in counts.transpose(0, 3, 1, 2)])  # (S, R, …)
        draws.append(by_seed[chosen, np.arange(number)[:, None]].mean(1))
    return percentiles(np.concatenate(draws))
