"""One expression in depth: sentences that are computed from its figures, and say no more."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from dashboard.base.selection import Selection
from dashboard.base.sureness import tells_how_sure
from dashboard.base.widgets import letter
from dashboard.compare.expression_view import Depth
from fercore.analysis.expression import Raters
from fercore.labels import CLASSES
from fercore.scoring.slices import slice_title
from fercore.scoring.statistics import LEVEL
from fercore.wording import (
    bounds_of,
    count,
    interval,
    number,
    p_value,
    percent,
    points,
    points_interval,
)

MOST = 4  # sentences on what one could do
_DISPUTED = 0.7  # share of labels that are the raters' plurality, below which labels come first
_WIDE = 0.2  # of an interval, above which a class's figures are wide guesses
_RARE = 0.5  # of the classes' mean number of Training images
_ABOUT_LABELS = ("FER+ agreement", "votes for the label", "face")  # slices by what raters say


class Facts(NamedTuple):
    """What the sentences rest on, of A; difference: the class's line of A − B, None without B."""

    name: str
    depth: Depth
    raters: Raters | None
    training: Sequence[int] | None
    difference: Mapping[Hashable, Any] | None


def title(name: str, recall: float, accuracy: float) -> str:
    """A question that the figures bear: nothing fails that is found as often as the rest."""
    if recall < accuracy:
        return f"Why does *{name}* fail?"
    return f"How is *{name}* recognised?"


def found_in_words(key: str, name: str, depth: Depth) -> str:
    """How many of a class a model finds, and how often it is right when it says so."""
    scores = depth.scores
    words = (
        f"{letter(key)} finds **{_share(scores, 'recall')}** of the "
        f"{count(int(scores['support']))} faces labelled {name}"
    )
    if depth.here.empty:
        return f"{words}, and never says it."
    return f"{words}; when it says {name}, it is right in **{_share(scores, 'precision')}**."


def difference_in_words(difference: Mapping[Hashable, Any]) -> str:
    """A − B in recall, and whether it is more than chance."""
    bounds = bounds_of(difference, "recall")
    p = difference["recall_p_holm"]
    beyond = "more than chance" if p < LEVEL else "not beyond chance"
    return (
        f"A − B in recall: {points(difference['recall'])} {points_interval(bounds)}, {beyond} "
        f"({p_value(p)}, corrected for the number of classes)."
    )


def raters_in_words(name: str, said: Raters) -> str:
    """How far FER+'s raters give the label."""
    first = said.votes.index[0]
    own = f"; what they say most is {first}, {percent(said.votes.iloc[0])} of their votes"
    return (
        f"Of {count(said.n)} faces labelled {name}, FER+'s ten raters give that label most votes "
        f"in **{percent(said.agreeing)}** {interval(said.agreeing_interval)} and more than half of "
        f"them in {percent(said.majority)} {interval(said.majority_interval)}{own}."
    )


def extremes_in_words(name: str, selection: Selection) -> tuple[str, str]:
    """Which of the faces never right come first, and which faces the typical ones are: by how sure
    those models are of which it is known.
    """
    models = selection.paired_models
    sure = [key for key, model in models.items() if tells_how_sure(model, selection.part)]
    if not sure:
        return "", f"Always right: what the models take for {name} with every seed"
    whose, who = "the", "the models take"
    if len(sure) < len(models):
        whose, who = f"{sure[0]}'s", f"{sure[0]} takes"
    return f", {whose} surest mistakes first", f"Most typical: what {who} for {name} most surely"


def neighbours_in_words(name: str, table: pd.DataFrame) -> str:
    """Which faces lie among those of a class, and which around its mistakes more than elsewhere."""
    (own,) = table[table["class"] == name].to_dict("records")
    words = (
        f"Of the nearest faces around one labelled {name}, {percent(own['share'])} are labelled so "
        f"too; of the whole map {percent(own['everywhere'])} are."
    )
    others = table[table["class"] != name].dropna(subset=["right", "wrong"])
    if others.empty:
        return words
    furthest = (others["wrong"] - others["right"]).to_numpy().argmax()
    pulls = others.to_dict("records")[furthest]
    return (
        f"{words} Around those that the model misses, {pulls['class']} stands out: "
        f"{percent(pulls['wrong'])} of the neighbours, against {percent(pulls['right'])} around "
        "those that it finds."
    )


def what_one_could_do(facts: Facts) -> list[str]:
    """`MOST` sentences at most, what matters most first; empty where there is nothing to say."""
    found = (sentence for each in _REMEDIES for sentence in each(facts))
    return [sentence for sentence, _ in zip(found, range(MOST))]


def _measure(facts: Facts) -> Iterator[str]:
    scores = facts.depth.scores
    low, high = bounds_of(scores, "recall")
    if high - low > _WIDE:
        yield (
            f"**Measure on more faces first.** With {count(int(scores['support']))} of them, the "
            f"interval of its recall is {number(100 * (high - low), 0)} points wide: most changes "
            "would not show."
        )


def _labels(facts: Facts) -> Iterator[str]:
    said = facts.raters
    if said is None or said.agreeing >= _DISPUTED:
        return
    where_agreed = ""
    slices = facts.depth.slices
    agreed = slices[slices["slice"] == "FER+ agrees"]
    for line in agreed.to_dict("records"):
        bounds = interval(bounds_of(line, "accuracy"))
        where_agreed = (
            f" Where the raters agree with it, A finds {percent(line['accuracy'])} {bounds}."
        )
    yield (
        f"**Its labels.** Raters give only {percent(said.agreeing)} of them, and no model can "
        f"learn what people do not see.{where_agreed} Look at the faces that are never right and "
        "give verdicts, or choose FER+'s labels in the sidebar, before you change the model."
    )


def _threshold(facts: Facts) -> Iterator[str]:
    scores, name = facts.depth.scores, facts.name
    if scores["recall_high"] < scores["precision_low"]:
        how, way = "too seldom", "A lower threshold finds more of them, with more false alarms"
    elif scores["precision_high"] < scores["recall_low"]:
        how, way = "too readily", "A higher threshold gives fewer false alarms, and misses more"
    else:
        return
    yield (
        f"**Its threshold.** A says {name} {how}: recall {percent(scores['recall'])}, precision "
        f"{percent(scores['precision'])}. {way}: it trades one for the other, and adds no "
        "knowledge (*ROC and PR*)."
    )


def _slice(facts: Facts) -> Iterator[str]:
    table = facts.depth.slices
    table = table[~table["property"].isin(_ABOUT_LABELS) & ~table["few"]]
    worst = table[(table["p_holm"] < LEVEL) & (table["difference"] < 0)]
    for line in worst.head(1).to_dict("records"):
        bounds = interval(bounds_of(line, "accuracy"))
        yield (
            f"**Its hardest images.** On {slice_title(line['property'], line['slice'])}, A finds "
            f"{percent(line['accuracy'])} {bounds}, {points(line['difference'])} against all of "
            "them. Training on more such images, or on images made so, is worth a trial; it was "
            "not tried here."
        )


def _data(facts: Facts) -> Iterator[str]:
    if not facts.training or not sum(facts.training):
        return
    mine = facts.training[CLASSES.index(facts.name)]
    mean = sum(facts.training) / len(facts.training)
    if mine < _RARE * mean:
        yield (
            f"**Its number.** {count(mine)} of {count(sum(facts.training))} Training images are "
            f"labelled {facts.name}, where a class has {count(round(mean))} on average. More faces "
            "or more weight in training are worth a trial; it was not tried here."
        )


def _confusion(facts: Facts) -> Iterator[str]:
    missed = 1 - facts.depth.scores["recall"]
    if missed <= 0:
        return
    first = facts.depth.away.iloc[0]
    yield (
        f"**Its border with {first['class']}.** {percent(first['share'] / missed)} of what A "
        f"misses is taken for {first['class']}. Labels and faces at that border teach more than "
        "others: *Misclassified* lists them."
    )


def _other_model(facts: Facts) -> Iterator[str]:
    found = facts.difference
    if found is None or pd.isna(found["recall_p_holm"]):
        return
    bounds = points_interval(bounds_of(found, "recall"))
    told = f"{points(found['recall'])} {bounds}, {p_value(found['recall_p_holm'])}"
    if found["recall_p_holm"] < LEVEL:
        better = "A" if found["recall"] > 0 else "B"
        yield f"**The model.** {better} finds more of them (A − B {told})."
    else:
        yield f"**Not the choice between A and B**: that is within chance (A − B {told})."


_REMEDIES = (_measure, _labels, _threshold, _slice, _data, _confusion, _other_model)


def _share(scores: Mapping[Hashable, float], metric: str) -> str:
    bounds = interval(bounds_of(scores, metric))
    return f"{percent(scores[metric])} {bounds}"
