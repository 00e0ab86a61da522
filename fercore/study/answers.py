"""The questions of `docs/protocol.md` and what the tables answer, in words.

The words for a decision are the protocol's. Nothing here knows what the answer is. Without torch.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fercore.scoring.grouped.comparison import MARGIN, CrossedDifference
from fercore.scoring.statistics import LEVEL
from fercore.study.contrasts import (
    CONDITIONS_FAMILY,
    OF_CLASSES,
    ORDER,
    PLANNED_HEADS,
    PRIMARY,
    STATES,
)
from fercore.study.references import AUTHORS, PAPER
from fercore.study.splits import FreshSplits
from fercore.study.variants import STRONGER, find_study
from fercore.wording import bounds_of, breakable, number, p_value, percent, points, points_interval

_WITHIN = f"±{number(100 * MARGIN, 0)} point"
NOT_TRAINED = "Not trained yet."
Line = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Answer:
    """One question and the table's answer to it. topic: by which a page finds its figure."""

    topic: str
    question: str
    answer: str
    planned: bool = True


def primary_answers(result: CrossedDifference) -> list[Answer]:
    """The three decisions, in the protocol's order."""
    return [
        Answer("difference", "Is there a difference?", _difference(result)),
        Answer("margin", f"Is it larger than {_WITHIN}?", _margin(result)),
        Answer("equivalence", "Are the two equivalent?", _equivalence(result)),
    ]


def verdict(result: CrossedDifference) -> str:
    """The decision in one sentence."""
    loser = "CNN-LSTM" if result.value > 0 else "CNN"
    if result.larger:
        return f"The {loser} loses, by more than a point."
    if result.different and result.equivalent:
        return f"The {loser} loses, but by less than a point: real, and too small to matter."
    if result.different:
        return f"The {loser} loses; whether by more or by less than a point is undecided."
    if result.equivalent:
        return f"The two are equivalent: within {_WITHIN}, and no difference is found."
    return "Undecided: no difference is shown, and no equivalence either."


def _difference(result: CrossedDifference) -> str:
    found = "there is a difference" if result.different else "no difference is shown"
    seeds, images, rest = (percent(share, 0) for share in result.shares)
    return breakable(
        f"CNN minus CNN-LSTM is {points(result.value)} {points_interval(result.interval)}, "
        f"{p_value(result.p_value)}: {found} (seeds: {result.seeds[0]} and {result.seeds[1]}; n = "
        f"{result.images}). A true difference of {number(100 * result.detectable)} points would be "
        f"found four times in five with so many; of the variance {seeds} come from the seeds, "
        f"{images} from the images, {rest} from both together. "
        f"{_beside(result)} {AUTHORS} saw {points(PAPER['CNN'] - PAPER['CNN-LSTM'])}."
    )


def _beside(result: CrossedDifference) -> str:
    """The other interval, and which of the two is the answer."""
    if not result.by_bootstrap:
        wider = "" if _alike(result) else "; the wider of the two is the answer"
        return f"A bootstrap of seeds and images gives {points_interval(result.bootstrap)}{wider}."
    return (
        "That is a bootstrap of seeds and images, the wider one: Student's interval is "
        f"{points_interval(result.student)}."
    )


def _alike(result: CrossedDifference) -> bool:
    return points_interval(result.student) == points_interval(result.bootstrap)


def _margin(result: CrossedDifference) -> str:
    bounds = points_interval(result.interval)
    if result.larger:
        return breakable(f"Yes: the 95 % interval {bounds} lies wholly beyond {_WITHIN}.")
    return breakable(
        f"That is not shown: the 95 % interval {bounds} does not lie wholly beyond {_WITHIN}."
    )


def _equivalence(result: CrossedDifference) -> str:
    bounds = points_interval(result.equivalence_interval)
    tests = f"two one-sided tests, {p_value(result.equivalence_p)}"
    if result.equivalent:
        return breakable(f"Yes: the 90 % interval {bounds} lies wholly within {_WITHIN} ({tests}).")
    shown = f"That is not shown: the 90 % interval {bounds} leaves {_WITHIN} ({tests})."
    undecided = not (result.different or result.larger)
    return breakable(shown + (" The answer is 'undecided', not 'equal'." if undecided else ""))


def family_answers(contrasts: pd.DataFrame) -> list[Answer]:
    """What the other families say; a family that is not trained is not told."""
    writers: dict[str, Callable[[pd.DataFrame], Answer]] = {
        STATES: lambda own: _last_state(own, contrasts),
        ORDER: _order,
        PLANNED_HEADS: _heads,
        CONDITIONS_FAMILY: _conditions,
    }
    families = {name: contrasts[contrasts["family"] == name] for name in writers}
    return [writers[name](own) for name, own in families.items() if len(own)]


def _last_state(own: pd.DataFrame, contrasts: pd.DataFrame) -> Answer:
    line = _lines(own)[0]
    beyond = "not told from chance"
    if beyond_chance(line):
        verb = "costs" if line["difference"] > 0 else "gains"
        beyond = f"the last state alone {verb} that"
    gap = _lines(contrasts[contrasts["family"] == PRIMARY])
    beside = f" The whole gap to the CNN is {points(gap[0]['difference'])}." if gap else ""
    return Answer(
        "last-state",
        "What of it is the reading by last state?",
        breakable(
            f"The mean of the heads that see all states (seeds: {line['of_seeds']}), minus the "
            f"last state, is {difference_told(line)}: {beyond}.{beside}"
        ),
    )


def _order(own: pd.DataFrame) -> Answer:
    line = _lines(own)[0]
    meaning = (
        "the order carries something" if beyond_chance(line) else "no effect of the order is shown"
    )
    return Answer(
        "order",
        "Does the order in which the map is read matter?",
        breakable(
            f"Random orders, another with each seed, minus rows from top to bottom (seeds: "
            f"{line['of_seeds']}): {difference_told(line)}, so {meaning}."
        ),
    )


def _heads(own: pd.DataFrame) -> Answer:
    return Answer(
        "heads",
        "Does any head differ from the CNN?",
        family_told("heads", own, "None of the {n} does beyond chance"),
    )


def _conditions(own: pd.DataFrame) -> Answer:
    return Answer(
        "conditions",
        "Which condition widens it?",
        "What a change of the recipe adds to CNN minus CNN-LSTM. "
        + family_told("changes", own, "None of the {n} widens or narrows it beyond chance"),
    )


def class_answers(contrasts: pd.DataFrame) -> list[Answer]:
    """The recall of each class, CNN minus CNN-LSTM; nothing before both are trained."""
    own = contrasts[contrasts["family"] == OF_CLASSES]
    if own.empty:
        return []
    told = own.assign(title=own["contrast"])
    none = "The recall of none of the {n} classes differs beyond chance"
    return [Answer("classes", "In which classes?", family_told("classes", told, none))]


def splits_answer(found: FreshSplits | None) -> Answer:
    """Whether the answer hangs on this one PrivateTest."""
    question = "Does it hold on fresh splits?"
    if found is None:
        return Answer("splits", question, NOT_TRAINED)
    above = int((found.folds["difference"] > 0).sum())
    return Answer(
        "splits",
        question,
        breakable(
            f"All images divided anew into {len(found.folds)} folds: CNN minus CNN-LSTM is "
            f"{points(found.difference)} {points_interval(found.interval)} in the mean, above 0 in "
            f"{above} of {len(found.folds)} (Nadeau and Bengio's interval). It is no second vote."
        ),
    )


def stronger_answer(result: CrossedDifference | None) -> Answer:
    """The same contrast by a longer and stronger training."""
    question = f"Does it hold under the recipe '{find_study(STRONGER).recipe}'?"
    if result is None:
        return Answer("stronger", question, NOT_TRAINED)
    first, second = result.seeds
    return Answer(
        "stronger",
        question,
        breakable(
            f"CNN minus CNN-LSTM is {points(result.value)} "
            f"{points_interval(result.interval)}, {p_value(result.p_value)} "
            f"(seeds: {first} and {second}, from before the plan): a description. A true "
            f"difference of {number(100 * result.detectable)} points would be found four times in "
            "five."
        ),
    )


def others_answer(pairs: pd.DataFrame | None) -> Answer:
    """Which ordinary choices give both of the paper's figures: from `results.pairs_table`."""
    question = f"What gives the two figures of {AUTHORS}?"
    if pairs is None:
        return Answer("others", question, NOT_TRAINED, planned=False)
    off = pairs.assign(
        off=(pairs[["cnn", "cnn_lstm"]] - [PAPER["CNN"], PAPER["CNN-LSTM"]]).abs().max(axis=1)
    )
    line = _lines(off.sort_values("off"))[0]
    near = "both" if line["off"] < 0.03 else "not both"
    return Answer(
        "others",
        question,
        breakable(
            f"Nearest to {percent(PAPER['CNN'])} beside {percent(PAPER['CNN-LSTM'])} under equal "
            f"terms comes '{line['title']}': {percent(line['cnn'])} beside "
            f"{percent(line['cnn_lstm'])}, {near} within 3 points."
        ),
        planned=False,
    )


def family_told(what: str, own: pd.DataFrame, none: str) -> str:
    """The contrasts of a family that are beyond chance, or how far the largest is from it."""
    lines = _lines(own)
    beyond = [line for line in lines if beyond_chance(line)]
    if beyond:
        told = "; ".join(f"{line['title']}: {difference_told(line)}" for line in beyond)
        return breakable(f"Beyond chance, {len(beyond)} of {len(lines)} {what}: {told}.")
    largest = max(lines, key=lambda line: abs(line["difference"]))
    return breakable(
        f"{none.format(n=len(lines))}; the largest is {largest['title']}: "
        f"{difference_told(largest)}."
    )


def each_told(own: pd.DataFrame) -> str:
    """Every contrast of a family, beyond chance or not."""
    return "; ".join(f"{line['title']}: {difference_told(line)}" for line in _lines(own))


def difference_told(line: Line) -> str:
    """A contrast's difference with its interval and p; 'of': how many its family has."""
    bounds = bounds_of(line, "difference")
    corrected = "corrected p" if line["of"] > 1 else "p"
    p = p_value(line["p_holm"]).replace("p", corrected, 1)
    return f"{points(line['difference'])} {points_interval(bounds)}, {p}"


def beyond_chance(line: Line) -> bool:
    return bool(line["p_holm"] < LEVEL)


def _lines(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Its lines, each with how many its family has."""
    return table.assign(of=len(table)).to_dict("records")
