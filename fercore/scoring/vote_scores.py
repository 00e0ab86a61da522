"""A model's probabilities against FER+'s votes as a distribution, beside one more human rater.

Of an image, q are the shares of its votes for the seven expressions, p the model's probabilities.
The *probability given to the votes* is Σ q p: that an answer drawn from p is a random rater's. The
*cross-entropy* is −Σ q log p, in nats. One rater is taken out after the other and asked in the
model's place: how often the others say what that one says, and how well the spread of the others'
votes foretells that one's. Images with fewer than two votes for the seven are left out.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.data.votes import Votes
from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.scoring.predictions import Predictions, check_paired, image_count
from fercore.scoring.statistics import Interval, mean_interval

Values = NDArray[np.float64]
_TINY = float(np.finfo(np.float32).tiny)


class ByImage(NamedTuple):
    """Each rated image's figures (M,), of those of a table (N,) that `rated`.

    probability, loss: the model's probability given to the votes, and its cross-entropy.
    rater_probability, rater_loss: those of a rater who is asked in its place. A rater's loss is
    that of the others' votes with one more, spread over the seven, so that nothing is impossible.
    entropy: of the votes themselves, which no answer's loss is below.
    """

    rated: NDArray[np.bool_]
    probability: Values
    loss: Values
    rater_probability: Values
    rater_loss: Values
    entropy: Values


class VoteScores(NamedTuple):
    """Means over `n` images; `left_out` others have too few votes. Intervals are of the mean."""

    n: int
    left_out: int
    probability: float
    probability_interval: Interval
    loss: float
    loss_interval: Interval
    rater_probability: float
    rater_loss: float
    entropy: float


def vote_scores(predictions: Predictions, votes: Votes) -> VoteScores:
    """How well a model foretells the votes. Raises `RunError` where no image was rated."""
    found = by_image(predictions, votes)
    n = int(found.rated.sum())
    if not n:
        raise RunError("None of these images has two of FER+'s votes for one of the expressions.")
    return VoteScores(
        n,
        len(predictions) - n,
        float(found.probability.mean()),
        mean_interval(found.probability),
        float(found.loss.mean()),
        mean_interval(found.loss),
        *(float(values.mean()) for values in found[3:]),
    )


def by_image(predictions: Predictions, votes: Votes) -> ByImage:
    """The figures of each image, whose rows must be those of `fer2013.csv`."""
    counts = votes.counts[predictions.rows][:, : len(CLASSES)].astype(float)  # (N, 7)
    rated = counts.sum(1) >= 2
    counts = counts[rated]
    n = counts.sum(1, keepdims=True)
    q = counts / n
    p = np.maximum(predictions.probs[rated].astype(float), _TINY)
    others = (counts - 1) / (n - 1)  # the share of the others that say what a rater of k says
    foretold = (counts - 1 + 1 / len(CLASSES)) / n
    return ByImage(
        rated,
        probability=(q * p).sum(1),
        loss=-(q * np.log(p)).sum(1),
        rater_probability=(q * np.maximum(others, 0)).sum(1),
        rater_loss=-(q * np.log(np.maximum(foretold, _TINY))).sum(1),
        entropy=-(q * np.log(np.maximum(q, _TINY))).sum(1),
    )


def probability_difference(a: Predictions, b: Predictions, votes: Votes) -> tuple[float, Interval]:
    """A minus B of the probability given to the votes, paired, with its interval.

    Raises `RunError` where the images differ.
    """
    check_paired(a, b)
    gaps = by_image(a, votes).probability - by_image(b, votes).probability
    return float(gaps.mean()), mean_interval(gaps)


class Ceiling(NamedTuple):
    """What raters leave of a model's errors on `n` images.

    rater_agreement: the share of FER+'s votes that say what the label says: one rater's accuracy.
    errors: the model's. undisputed: those on labels that more than half of the raters share.
    """

    n: int
    rater_agreement: float
    errors: float
    undisputed: float


def ceiling(predictions: Predictions, votes: Votes) -> Ceiling:
    """One rater's accuracy, and the errors that remain where raters agree with the label."""
    image_count(predictions)
    about = predictions.labels, predictions.rows
    wrong = ~predictions.correct
    return Ceiling(
        len(predictions),
        float(votes.share_of(*about).mean()),
        errors=int(wrong.sum()),
        undisputed=int((wrong & votes.majority_for(*about)).sum()),
    )
