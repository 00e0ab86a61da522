"""What pretraining changes: the contrasts of study `transfer`, and its three questions in words.

Nothing here knows what the answer is. Without torch.
"""

from dataclasses import dataclass
from functools import partial

import pandas as pd

from fercore.data.kept import Tables, kept
from fercore.models import MODELS
from fercore.study.analysis import variant_table
from fercore.study.answers import (
    NOT_TRAINED,
    Answer,
    beyond_chance,
    difference_told,
    each_told,
    family_told,
)
from fercore.study.conditions import SHARES
from fercore.study.contrasts import MINUS, Contrast, family_table
from fercore.study.scored import Scored
from fercore.study.store import StudyStore
from fercore.study.variants import PAIR, TRANSFER_HEADS, Study, Variant
from fercore.wording import breakable, percent

GAIN, WINNER, FEW, FREEZING = "gain", "winner", "few images", "freezing"
SCRATCH, PRETRAINED, FROZEN, FROZEN_LONG = "from-scratch", "pretrained", "frozen", "frozen-long"
_ADDED = "pretrained minus from scratch"
_SHARES = {"tenth": "a tenth", "third": "a third", "": "all"}


@dataclass(frozen=True)
class Pretraining:
    """The study on one part of the images.

    variants: see `analysis.variant_table`. contrasts: as `contrasts.contrast_table`. curve: a line
    per share of Training, the smallest first: title, share, from_scratch and pretrained, the CNN's
    mean accuracies. answers: to the three questions, and what freezing costs.
    """

    variants: pd.DataFrame
    contrasts: pd.DataFrame
    curve: pd.DataFrame
    answers: list[Answer]


def pretraining(study: Study, store: StudyStore, part: str) -> Pretraining:
    """The study's tables and answers; raises `RunError` before its first training."""
    inputs = [store.name, part, store.digest()]
    tables = kept(f"study-{study.name}", inputs, lambda: _tables(study, store, part))
    told = [Answer(*line) for line in tables.pop("answers").itertuples(index=False)]
    return Pretraining(**tables, answers=told)


def _tables(study: Study, store: StudyStore, part: str) -> Tables:
    scored = Scored(store, part)
    variants, curve = variant_table(scored, study), _curve(scored)
    table_of = partial(family_table, scored=scored, declared=True)
    tables = [table_of(name, own) for name, own in _families(scored).items() if own]
    contrasts = pd.concat(tables, ignore_index=True) if tables else table_of("", [])
    told = [
        _gain(_of(contrasts, GAIN), variants),
        _winner(_of(contrasts, WINNER), variants),
        _few(_of(contrasts, FEW), curve),
        _freezing(_of(contrasts, FREEZING)),
    ]
    answers = pd.DataFrame([vars(answer) for answer in told])
    return {"variants": variants, "contrasts": contrasts, "curve": curve, "answers": answers}


def _families(scored: Scored) -> dict[str, list[Contrast]]:
    """What is compared, as far as it is trained."""
    cnn = PAIR[0]
    families = {
        GAIN: [_over_heads("pretrained − from scratch", PRETRAINED, SCRATCH)],
        WINNER: [
            Contrast(head, f"{MODELS[head].title} {MINUS} {MODELS[cnn].title}, {_ADDED}", {
                _named(head, PRETRAINED): 1, _named(cnn, PRETRAINED): -1,
                _named(head, SCRATCH): -1, _named(cnn, SCRATCH): 1,
            })
            for head in TRANSFER_HEADS if head != cnn
        ],
        FEW: [
            Contrast(
                share, f"pretrained on {_SHARES[share]} {MINUS} from scratch on all of Training",
                {_named(cnn, f"{PRETRAINED}-{share}"): 1, _named(cnn, SCRATCH): -1},
            )
            for share in SHARES
        ],
        FREEZING: [
            _over_heads("frozen − learning, equal epochs", FROZEN, PRETRAINED),
            _over_heads("frozen − learning, about equal time", FROZEN_LONG, PRETRAINED),
        ],
    }  # fmt: skip
    return {
        family: [one for one in contrasts if set(one.weights) <= scored.variants]
        for family, contrasts in families.items()
    }


def _over_heads(title: str, first: str, second: str) -> Contrast:
    """The mean over the heads under one condition, minus that under another."""
    weight = 1 / len(TRANSFER_HEADS)
    weights = {_named(head, first): weight for head in TRANSFER_HEADS}
    return Contrast(first, title, weights | {_named(h, second): -weight for h in TRANSFER_HEADS})


def _named(model: str, condition: str) -> str:
    return Variant(model, condition).name


def _curve(scored: Scored) -> pd.DataFrame:
    lines = []
    for share, of in (*SHARES.items(), ("", 1.0)):
        conditions = ("-".join(filter(None, [kind, share])) for kind in (SCRATCH, PRETRAINED))
        names = [_named(PAIR[0], condition) for condition in conditions]
        if set(names) <= scored.variants:
            lines.append((_SHARES[share], of, *(scored.correct(name).mean() for name in names)))
    return pd.DataFrame(lines, columns=["title", "share", "from_scratch", "pretrained"])


def _of(contrasts: pd.DataFrame, family: str) -> pd.DataFrame:
    return contrasts[contrasts["family"] == family]


def _gain(own: pd.DataFrame, variants: pd.DataFrame) -> Answer:
    question = "How much does pretraining give?"
    if own.empty:
        return Answer(GAIN, question, NOT_TRAINED)
    line = own.assign(of=1).to_dict("records")[0]
    gives = "no difference is shown"
    if beyond_chance(line):
        gives = "it gives that" if line["difference"] > 0 else "it takes that away"
    return Answer(
        GAIN,
        question,
        breakable(
            f"ImageNet's weights minus fresh ones, the mean of {len(TRANSFER_HEADS)} heads on one "
            f"trunk at equal epochs and equal time, is {difference_told(line)}: {gives}. "
            f"{_costs(variants)}"
        ),
    )


def _costs(variants: pd.DataFrame) -> str:
    slowest = variants["latency_ms"].max()
    time = "" if pd.isna(slowest) else f", at most {slowest:.1f} ms a face on one thread"
    return f"The network that answers is the same either way{time}."


def _winner(own: pd.DataFrame, variants: pd.DataFrame) -> Answer:
    question = "Does it change who wins?"
    if own.empty:
        return Answer(WINNER, question, NOT_TRAINED)
    first = {}
    for condition in (SCRATCH, PRETRAINED):
        best = variants[variants["condition"] == condition].nlargest(1, "accuracy").iloc[0]
        first[condition] = MODELS[best["model"]].title, percent(best["accuracy"])
    (scratch, of_scratch), (pretrained, of_pretrained) = first.values()
    stays = "The first one stays the first" if scratch == pretrained else "Another one comes first"
    changes = family_told("distances", own, "None of the {n} changes beyond chance")
    return Answer(
        WINNER,
        question,
        breakable(
            f"{stays}, by the means alone: from scratch {scratch} ({of_scratch}), pretrained "
            f"{pretrained} ({of_pretrained}). What pretraining adds to a head's distance to the "
            f"CNN: {changes[0].lower()}{changes[1:]}"
        ),
    )


def _few(own: pd.DataFrame, curve: pd.DataFrame) -> Answer:
    question = "How few images does it need?"
    if own.empty:
        return Answer(FEW, question, NOT_TRAINED)
    reached = "; ".join(
        f"{line['title']} of Training: {percent(line['pretrained'])} beside "
        f"{percent(line['from_scratch'])} from scratch"
        for line in curve.to_dict("records")
    )
    whole = curve.loc[curve["share"] == 1, "from_scratch"].iloc[0]
    enough = curve[(curve["pretrained"] >= whole) & (curve["share"] < 1)]
    needs = "Neither share is enough"
    if len(enough):
        needs = f"{enough.iloc[0]['title'].capitalize()} of Training is enough"
    return Answer(
        FEW,
        question,
        breakable(
            f"The CNN at equal steps, {reached}. {needs} to reach, in the mean, what all of it "
            f"gives from scratch in as many steps ({each_told(own)}). These are few: other recipes "
            "take a network from scratch further."
        ),
    )


def _freezing(own: pd.DataFrame) -> Answer:
    question = "What does a frozen trunk cost?"
    if own.empty:
        return Answer(FREEZING, question, NOT_TRAINED)
    return Answer(FREEZING, question, breakable(f"The mean of the heads, {each_told(own)}."))
