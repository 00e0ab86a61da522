"""Groups of runs that differ in the seed alone: means, differences, and what they vary by.

A group's scores are an array (S, N), S seeds by N images; for accuracy a score is whether the
image is classified right. Seeds lie within groups, images are the same for all of them. Everything
here speaks of new seeds *and* new images of the same kind, and is conditional on what the runs of a
group share: the architecture, the recipe, the training images. Of a group of one, what varies with
the seed is unknown and counts as nothing: it speaks of that run alone. Without torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercore.scoring.statistics import CONFIDENCE, RESAMPLES, Interval

POWER = 0.8  # with which `Estimate.detectable` would be found
_AT_ONCE = 250  # resamples that lie in memory together

Scores = NDArray[np.float64] | NDArray[np.bool_]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and images, or a difference of two, with its variance by source.

    Variances are those of the estimate, in squared shares: what the draw of seeds, the draw of
    images, and the rest (images that one seed gets right and another does not) add to it.
    """

    value: float
    seeds_variance: float
    images_variance: float
    rest_variance: float
    freedom: float  # degrees of freedom (Satterthwaite, 1946)

    @property
    def error(self) -> float:
        """The standard error."""
        return float(np.sqrt(self.seeds_variance + self.images_variance + self.rest_variance))

    @property
    def shares(self) -> tuple[float, float, float]:
        """How much of the variance comes from seeds, images and the rest; they sum to 1."""
        parts = np.nan_to_num([self.seeds_variance, self.images_variance, self.rest_variance])
        seeds, images, rest = parts / parts.sum() if parts.any() else parts
        return float(seeds), float(images), float(rest)

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Student's two-sided interval."""
        half = self.error * student_quantile(0.5 + confidence / 2, self.freedom)
        return Interval(self.value - half, self.value + half)

    @property
    def p_value(self) -> float:
        """Two-sided p that the value is 0."""
        return min(1.0, 2 * self._p_beyond(abs(self.value)))

    def equivalence_p(self, margin: float) -> float:
        """p that the value lies outside ±`margin`: the larger of two one-sided tests (Schuirmann,
        1987). Below 0.05 exactly where the 90 % interval lies inside the margin.
        """
        return self._p_beyond(margin - abs(self.value))

    @property
    def detectable(self) -> float:
        """The smallest true value that a two-sided test would find with a probability of `POWER`,
        with this error.
        """
        needed = student_quantile(0.5 + CONFIDENCE / 2, self.freedom)
        return self.error * (needed + student_quantile(POWER, self.freedom))

    def _p_beyond(self, distance: float) -> float:
        if self.error == 0:
            return 0.5 if distance == 0 else float(distance < 0)
        from scipy.special import stdtr

        return float(stdtr(self.freedom, -distance / self.error))


def group_mean(scores: Scores) -> Estimate:
    """The mean of a group's scores (S, N); see `group_contrast`."""
    return group_contrast([scores], [1])


def group_difference(a: Scores, b: Scores) -> Estimate:
    """Group A minus group B on the same images, (S, N) and (S', N); see `group_contrast`."""
    return group_contrast([a, b], [1, -1])


def group_contrast(groups: Sequence[Scores], weights: Sequence[float]) -> Estimate:
    """The weighted sum of groups' means on the same images: (S, N) each. Of one image alone the
    error is infinite: how images differ is not known.

    The models are fixed, so where the weights sum to 0 the images' part is how differently the
    groups do on an image, not how hard it is: of the two-way layout with seeds nested in models, by
    its mean squares.
    """
    if groups[0].shape[1] == 1:
        value = float(sum(w * scores.mean() for w, scores in zip(weights, groups, strict=True)))
        return Estimate(value, 0.0, float("inf"), 0.0, 1.0)
    parts = [_Parts(scores) for scores in groups]
    squares = [weight**2 for weight in weights]
    per_image = np.asarray(weights, float) @ np.stack([own.image_means for own in parts])
    rest = sum(square * own.rest / own.seeds for square, own in zip(squares, parts, strict=True))
    images = max(0.0, (float(per_image.var(ddof=1)) - rest) / len(per_image))
    return _estimate(float(per_image.mean()), images, parts, squares)


def crossed_draws(
    a: Scores, b: Scores | None = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Bootstrap draws (R,) of a group's mean, or of A minus B, with seeds and images drawn anew,
    both at once (Owen, 2007): (S, N) and (S', N). A little wide, by the rest's variance.
    """
    groups = [np.asarray(group, float) for group in (a, b) if group is not None]
    rng = np.random.default_rng(seed)
    draws = []
    for start in range(0, resamples, _AT_ONCE):
        number, images = min(_AT_ONCE, resamples - start), groups[0].shape[1]
        weights = image_weights(number, images, rng) / images
        means = [_resampled_mean(group, weights, rng) for group in groups]
        draws.append(means[0] - means[1] if len(means) > 1 else means[0])
    return np.concatenate(draws)


def image_weights(number: int, images: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each image is drawn, in so many resamples: (number, images)."""
    drawn = rng.integers(images, size=(number, images)) + images * np.arange(number)[:, None]
    return np.bincount(drawn.ravel(), minlength=number * images).reshape(number, images)


class _Parts:
    """A group's means and mean squares."""

    def __init__(self, scores: Scores) -> None:
        scores = np.asarray(scores, float)
        self.seeds: int = scores.shape[0]
        self.images: int = scores.shape[1]
        self.image_means: NDArray[np.float64] = scores.mean(0)
        seed_means = scores.mean(1)
        self.between_freedom = max(1, self.seeds - 1)
        left = scores - self.image_means - seed_means[:, None] + scores.mean()
        self.rest: float = float((left**2).sum()) / (self.between_freedom * (self.images - 1))
        # of the mean over seeds, the rest's share in it included
        spread = float(((seed_means - seed_means.mean()) ** 2).sum())
        self.between: float = spread / self.between_freedom / self.seeds

    @property
    def rest_variance(self) -> float:
        return self.rest / (self.seeds * self.images)

    @property
    def seeds_variance(self) -> float:
        return max(0.0, self.between - self.rest_variance)


def _estimate(value: float, images: float, parts: list[_Parts], squares: list[float]) -> Estimate:
    """`squares` of the parts' weights."""
    weighted = list(zip(squares, parts, strict=True))
    seeds = sum(square * own.seeds_variance for square, own in weighted)
    rest = sum(square * own.rest_variance for square, own in weighted)
    spread = (images + rest) ** 2 / (parts[0].images - 1)
    spread += sum((square * own.between) ** 2 / own.between_freedom for square, own in weighted)
    freedom = (seeds + images + rest) ** 2 / spread if spread else 1.0
    return Estimate(value, seeds, images, rest, freedom)


def _resampled_mean(
    group: NDArray[np.float64], weights: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The mean under each line of image weights (R, N), of seeds drawn anew for each: (R,)."""
    per_seed: NDArray[np.float64] = weights @ group.T  # (R, S)
    chosen = rng.integers(len(group), size=per_seed.shape)
    means: NDArray[np.float64] = np.take_along_axis(per_seed, chosen, axis=1).mean(1)
    return means


def student_quantile(probability: float, freedom: float) -> float:
    """Of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))
