"""All that a page shows of a study, computed once and kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import pandas as pd

from fercore.data.kept import Tables, kept
from fercore.errors import RunError
from fercore.scoring.grouped.comparison import CrossedDifference
from fercore.study import answers
from fercore.study.analysis import variant_table
from fercore.study.answers import Answer
from fercore.study.contrasts import PLANNED_PART, contrast_table, primary
from fercore.study.scored import Scored
from fercore.study.splits import FreshSplits, fresh_splits_answer
from fercore.study.standing import can_be_told, own_stores
from fercore.study.store import StudyStore
from fercore.study.variants import FRESH, MAIN, OTHERS, STRONGER, Study, find_study

Found = TypeVar("Found")


@dataclass(frozen=True)
class StudyResults:
    """A study on one part of the images.

    variants: see `analysis.variant_table`. contrasts: see `contrasts.contrast_table`. primary: a
    line per interval of the primary contrast, its answer first: title, difference, difference_low,
    difference_high; empty before both models are trained. splits: the same of fresh splits, their
    mean first, the folds without intervals. pairs: see `pairs_table`. verdict: a sentence, or '' on
    images that are not the plan's, where no answer is planned.
    """

    study: Study
    variants: pd.DataFrame
    contrasts: pd.DataFrame
    primary: pd.DataFrame
    splits: pd.DataFrame
    pairs: pd.DataFrame
    verdict: str
    answers: list[Answer]


def study_results(study: Study, store: StudyStore, part: str) -> StudyResults:
    """A study's tables and answers, with those that other studies give beside it."""
    beside = [find_study(name) for name in (FRESH, STRONGER, OTHERS)]
    stores = [store, *(own for other in beside for own in own_stores(other))]
    inputs = [store.name, part, *(own.digest() for own in stores)]
    tables = kept(f"study-{study.name}", inputs, lambda: _tables(study, store, part))
    verdict, *told = (Answer(*line) for line in tables.pop("answers").itertuples(index=False))
    return StudyResults(study, **tables, verdict=verdict.answer, answers=told)


def pairs_table(study: Study, part: str) -> pd.DataFrame:
    """A study's two kinds of model under equal terms, a line per change: title; cnn and cnn_lstm,
    mean accuracies. A model without an LSTM that the study lacks is that of the planned study.
    """
    main = find_study(MAIN)
    studies = [study, *([main] if study.name != MAIN and can_be_told(main) else [])]
    tables = [(own, Scored(StudyStore(own.name), part)) for own in studies]
    scored = tables[0][1]
    lines = [
        (variant.title, without, scored.correct(variant.name).mean())
        for variant in study.variants
        if variant.recurrent and variant.name in scored.variants
        and (without := _without_lstm(tables, variant.condition)) is not None
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=["title", "cnn", "cnn_lstm"])


def _without_lstm(tables: list[tuple[Study, Scored]], condition: str) -> float | None:
    """The accuracy under a condition of a model without an LSTM, of the first study that has it."""
    twins = [(study.without_lstm(condition), scored) for study, scored in tables]
    known = (
        float(scored.correct(twin.name).mean())
        for twin, scored in twins
        if twin and twin.name in scored.variants
    )
    return next(known, None)


def _tables(study: Study, store: StudyStore, part: str) -> Tables:
    scored = Scored(store, part)
    result, as_planned = primary(scored), part == PLANNED_PART
    contrasts = contrast_table(scored, study, result)
    splits, on_splits = _beside(FRESH, _fresh, answers.splits_answer, part)
    _, on_stronger = _beside(STRONGER, _stronger, answers.stronger_answer, part)
    pairs, on_others = _beside(OTHERS, pairs_table, answers.others_answer, part)
    told = [
        Answer("verdict", "", answers.verdict(result) if result and as_planned else ""),
        *(answers.primary_answers(result) if result else []),
        *answers.family_answers(contrasts),
        on_splits,
        on_stronger,
        *answers.class_answers(contrasts),
        on_others,
    ]
    return {
        "variants": variant_table(scored, study),
        "contrasts": contrasts,
        "primary": _primary_lines(result),
        "splits": _split_lines(splits),
        "pairs": pairs if pairs is not None else pd.DataFrame(columns=["title", "cnn", "cnn_lstm"]),
        "answers": pd.DataFrame(
            [{**vars(answer), "planned": answer.planned and as_planned} for answer in told]
        ),
    }


def _beside(
    name: str,
    find: Callable[[Study, str], Found],
    tell: Callable[[Found | None], Answer],
    part: str,
) -> tuple[Found | None, Answer]:
    """What another study adds; a sentence where it is not trained, or its files are damaged."""
    study = find_study(name)
    try:
        found = find(study, part) if can_be_told(study) else None
    except RunError as error:
        return None, replace(tell(None), answer=f"This cannot be told. {error}")
    return found, tell(found)


def _fresh(study: Study, _part: str) -> FreshSplits:
    return fresh_splits_answer(own_stores(study))


def _stronger(study: Study, part: str) -> CrossedDifference | None:
    return primary(Scored(StudyStore(study.name), part))


_INTERVALS = ["title", "difference", "difference_low", "difference_high"]


def _primary_lines(result: CrossedDifference | None) -> pd.DataFrame:
    if result is None:
        return pd.DataFrame(columns=_INTERVALS)
    lines = [
        ("the answer, 95 %", result.interval),
        ("for equivalence, 90 %", result.equivalence_interval),
        ("Student's, 95 %", result.student),
        ("bootstrap, 95 %", result.bootstrap),
    ]
    return pd.DataFrame(
        [(title, result.value, *bounds) for title, bounds in lines], columns=_INTERVALS
    )


def _split_lines(found: FreshSplits | None) -> pd.DataFrame:
    if found is None:
        return pd.DataFrame(columns=_INTERVALS)
    folds = found.folds.rename(columns={"fold": "title"}).reindex(columns=_INTERVALS)
    mean = pd.DataFrame([("mean", found.difference, *found.interval)], columns=_INTERVALS)
    return pd.concat([mean, folds.astype(dict.fromkeys(_INTERVALS[1:], float))], ignore_index=True)
