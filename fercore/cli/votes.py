"""What `evaluate` and `compare` print of other labels, and of FER+'s votes as a distribution."""

import pandas as pd

from fercore.cli.output import print_table, with_interval
from fercore.data.votes import Votes
from fercore.scoring.labelling import LABELS, Labelling
from fercore.scoring.predictions import PARTS, Predictions, select_part
from fercore.scoring.vote_scores import VoteScores, probability_difference, vote_scores
from fercore.wording import (
    breakable,
    count,
    in_percent,
    n_equals,
    number,
    percent,
    points,
    points_interval,
)


def print_labels(labelling: Labelling | None, left_out: int) -> None:
    """What is scored against, where that is not the dataset's own, and what has no such label."""
    if labelling:
        print(
            f"Labels: {LABELS[labelling.name]}; {count(left_out)} images have none and are left out"
        )


def scores_by_part(frame: pd.DataFrame, votes: Votes | None) -> dict[str, VoteScores]:
    """Each part of a stored table against the votes, as far as it was rated; none of a model that
    says labels alone.
    """
    if votes is None:
        return {}
    parts = {part: select_part(frame, part) for part in PARTS}
    return {
        part: vote_scores(table, votes)
        for part, table in parts.items()
        if len(table) and not table.labels_only
    }


def print_vote_scores(scores: dict[str, VoteScores]) -> None:
    """A line for each part, with what one more rater reaches; nothing where there are no votes."""
    if not scores:
        return
    print("Against FER+'s votes, and one rater against the others':")
    print_table(
        ["images", "n", "probability of a vote %", "a rater's %", "cross-entropy", "a rater's",
         "the votes' own"],
        [
            [
                PARTS[part],
                of.n,
                with_interval(of.probability, of.probability_interval),
                in_percent(of.rater_probability),
                *(number(value, 3) for value in (of.loss, of.rater_loss, of.entropy)),
            ]
            for part, of in scores.items()
        ],
    )  # fmt: skip


def print_paired_votes(a: Predictions, b: Predictions, votes: Votes | None) -> None:
    """A line on two models against the votes; nothing where there are none, or labels alone."""
    if votes is None or a.labels_only or b.labels_only:
        return
    of_a, of_b = (vote_scores(table, votes) for table in (a, b))
    gap, bounds = probability_difference(a, b, votes)
    print(
        breakable(
            f"Probability given to FER+'s votes: A {percent(of_a.probability)}, "
            f"B {percent(of_b.probability)}, A − B {points(gap)} {points_interval(bounds)}, "
            f"{n_equals(of_a.n)}; one more rater {percent(of_a.rater_probability)}"
        )
    )
