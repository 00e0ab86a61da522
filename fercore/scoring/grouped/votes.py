"""A group's probabilities against FER+'s votes; of one seed as `scoring.vote_scores` has it."""

import numpy as np

from fercore.data.votes import Votes
from fercore.scoring import vote_scores as one
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import group_mean
from fercore.scoring.vote_scores import Ceiling, VoteScores


def vote_scores(group: GroupPredictions, votes: Votes) -> VoteScores:
    """Means over seeds and images; the intervals hold for new ones of both.

    Raises `RunError` where no image was rated.
    """
    scores = one.vote_scores(group.tables[0], votes)
    if group.seeds == 1 or scores.n < 2:
        return scores
    found = [one.by_image(table, votes) for table in group.tables]
    probability = group_mean(np.stack([each.probability for each in found]))
    loss = group_mean(np.stack([each.loss for each in found]))
    return scores._replace(
        probability=probability.value,
        probability_interval=probability.interval(),
        loss=loss.value,
        loss_interval=loss.interval(),
    )


def ceiling(group: GroupPredictions, votes: Votes) -> Ceiling:
    """One rater's accuracy, and the errors that remain where raters agree, in the mean over seeds.

    Raises `RunError` where there are no images.
    """
    found = [one.ceiling(table, votes) for table in group.tables]
    return found[0]._replace(
        errors=float(np.mean([each.errors for each in found])),
        undisputed=float(np.mean([each.undisputed for each in found])),
    )
