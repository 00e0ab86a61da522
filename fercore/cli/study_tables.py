"""What `fercore study` prints: a line for each variant, the contrasts, and how far the study is."""

import sys
from textwrap import fill
from typing import Any

import pandas as pd

from fercore.cli.output import difference, json_records, print_json, print_table, with_interval
from fercore.study.analysis import ablation_table
from fercore.study.choosing import choice_in_words, ranked_table
from fercore.study.conditions import CONDITIONS
from fercore.study.contrasts import PLANNED_PART, contrast_table, primary
from fercore.study.pretraining import pretraining
from fercore.study.results import study_results
from fercore.study.scored import Scored
from fercore.study.standing import provenance, stores_of, times_scored
from fercore.study.store import StudyStore
from fercore.study.variants import MAIN, TRANSFER, Study
from fercore.training.recipes import Recipe
from fercore.wording import UNKNOWN, bounds_of, in_percent, p_value

_COLUMNS = 100  # of the answers


def results_of(study: Study, recipe: Recipe, dataset: str) -> list[StudyStore]:
    """The study's tables on a dataset, as far as there is anything in them."""
    return [store for store in stores_of(study, recipe, dataset) if store.finished()]


def print_study(
    study: Study, recipe: Recipe, dataset: str, broken: dict[str, str], as_json: bool
) -> None:
    """The study's tables on a dataset. Raises `RunError` where there is none, and nothing broke."""
    stores = results_of(study, recipe, dataset)
    if not stores and not broken:
        stores_of(study, recipe, dataset)[0].table()
    if as_json:
        print_json(_found(study, stores) | {"broken": broken})
        return
    for store in stores:
        uncommitted = _uncommitted(store)  # what cannot be read is told before anything is printed
        if study.folds:
            print(f"{store.info(min(store.finished()))['dataset']['name']}:")
        (_print_ablation if study.public_only else _print_scores)(study, store)
        print(uncommitted, end="")
        shared, every = store.scored_everywhere()
        if shared < every:
            print(
                f"All of it is on {shared} of {every} test images: those that are in every copy of "
                "the dataset that was trained on."
            )
        if study.scored_last or study.candidates:
            _print_stand(study, store, recipe)
        print(f"Study: {store.folder}", file=sys.stderr)


def _found(study: Study, stores: list[StudyStore]) -> dict[str, list[Any]]:
    """All that is printed, as JSON has it: the trainings, the contrasts with the folder that each
    is from (an ablation's are against the recipe as declared), and the answers in words.
    """
    found: dict[str, list[Any]] = {"table": [], "contrasts": [], "answers": []}
    for store in stores:
        found["table"] += json_records(store.table())
        contrasts, answers = pd.DataFrame(), list[str]()
        if study.public_only:
            contrasts, answers = _against_declared(study, store)
        elif _is_scored(store.table()):
            contrasts, answers = _contrasts(study, store)
        found["contrasts"] += json_records(contrasts.assign(study=store.name))
        found["answers"] += answers
    return found


def _is_scored(table: pd.DataFrame) -> bool:
    return "clean_accuracy" in table and bool(table["clean_accuracy"].notna().all())


def _print_stand(study: Study, store: StudyStore, recipe: Recipe) -> None:
    """How much of what is declared is trained, and whether PrivateTest was scored."""
    requests, finished = study.requests(None, recipe), store.finished()
    times = times_scored(store)
    done = sum(request.run_id in finished for request in requests)
    when = f"{len(times)} times, {times[0]} to {times[-1]}" if times else "not yet"
    when = f"{when}; answers of {len(kept)} are kept unread" if (kept := store.answered()) else when
    when = "never" if study.public_only else when
    print(f"{done} of {len(requests)} declared trainings are finished. PrivateTest scored: {when}.")


def _uncommitted(store: StudyStore) -> str:
    """How many trainings were made by code that was in no commit, as a line; '' for none."""
    made = provenance(store)["uncommitted"]
    if not (number := made.sum()):
        return ""
    return f"{number} of {len(made)} trainings are by code that was in no commit ('-dirty').\n"


def _print_scores(study: Study, store: StudyStore) -> None:
    """Each variant's means over its seeds; where all are scored, the contrasts and the answers."""
    columns = ["public_accuracy", "private_accuracy", "clean_accuracy", "macro_f1"]
    table = store.table()
    contrasts, told = _contrasts(study, store) if _is_scored(table) else (pd.DataFrame(), [])
    own = table.reindex(columns=["variant", *columns]).groupby("variant")
    means, seeds = own.mean(), own.size()
    costs = table.groupby("variant")[["parameters", "flops_per_image"]].first()
    rows = [
        [name, seeds[name], *map(in_percent, means.loc[name]), costs["parameters"][name],
         f"{costs['flops_per_image'][name] / 1e6:.0f}"]
        for name in (variant.name for variant in study.variants)
        if name in means.index
    ]  # fmt: skip
    print_table(
        ["variant", "seeds", "PublicTest %", "PrivateTest %", "clean %", "macro F1 %",
         "parameters", "MFLOP"],
        rows,
    )  # fmt: skip
    if len(contrasts):
        print()
        _print_families(contrasts)
    for paragraph in told:
        print(f"\n{fill(paragraph, _COLUMNS)}")


def _contrasts(study: Study, store: StudyStore) -> tuple[pd.DataFrame, list[str]]:
    """On PrivateTest without duplicates: the contrasts, and of the page's studies the answers."""
    if study.name == TRANSFER:
        found = pretraining(study, store, PLANNED_PART)
        return found.contrasts, [f"{one.question} {one.answer}" for one in found.answers]
    if MAIN not in (study.name, study.before):
        scored = Scored(store, PLANNED_PART)
        return contrast_table(scored, study, primary(scored)), []
    results = study_results(study, store, PLANNED_PART)
    answers = [f"{answer.question} {answer.answer}" for answer in results.answers]
    return results.contrasts, [*filter(None, [results.verdict]), *answers]


def _print_families(contrasts: pd.DataFrame) -> None:
    rows = [
        [line["title"], line["family"] + ("" if line["planned"] else ", exploratory"),
         line["of_seeds"], difference(line), p_value(line["p_holm"])]
        for line in contrasts.to_dict("records")
    ]  # fmt: skip
    print_table(
        ["on PrivateTest without duplicates", "family", "seeds", "points", "corrected p"], rows
    )


def _against_declared(study: Study, store: StudyStore) -> tuple[pd.DataFrame, list[str]]:
    """On PublicTest: each variant against the recipe as declared; candidates by rank, with what
    choosing one of them does.
    """
    scored = Scored(store, "public")
    if not study.candidates:
        return ablation_table(scored, study), []
    return ranked_table(scored, study), [*filter(None, [choice_in_words(scored, study)])]


def _print_ablation(study: Study, store: StudyStore) -> None:
    """Each variant against the recipe as declared, and what its training took."""
    seconds = store.table().groupby("variant")["seconds"].median()
    table, told = _against_declared(study, store)
    rows = [
        [CONDITIONS[line["condition"]].title, line["seeds"],
         with_interval(line["accuracy"], bounds_of(line, "accuracy")),
         difference(line), UNKNOWN if pd.isna(line["p_holm"]) else p_value(line["p_holm"]),
         *([line["beyond_chance"]] if study.candidates else []),
         f"{line['flops_per_image'] / 1e6:.0f}", f"{seconds[line['variant']]:.0f}"]
        for line in table.to_dict("records")
    ]  # fmt: skip
    marks = ["beyond chance"] if study.candidates else []
    print_table(
        ["", "seeds", "PublicTest %", "difference, points", "corrected p", *marks, "MFLOP",
         "seconds"],
        rows,
    )  # fmt: skip
    for paragraph in told:
        print(f"\n{fill(paragraph, _COLUMNS)}\n")
