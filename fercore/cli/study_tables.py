"""What `fercore study` prints: a line for each variant, and how far the study is."""

import sys

from fercore.cli.output import difference, print_json, print_table, with_interval
from fercore.jobs.request import Request
from fercore.study.analysis import gap_table
from fercore.study.conditions import CONDITIONS
from fercore.study.runner import stores_of
from fercore.study.store import StudyStore
from fercore.study.variants import Study
from fercore.training.recipes import Recipe
from fercore.wording import in_percent


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
        lines = [line for store in stores for line in store.table().to_dict("records")]
        print_json({"table": lines, "broken": broken})
        return
    for store in stores:
        if study.folds:
            print(f"{store.info(min(store.finished()))['dataset']['name']}:")
        (_print_ablation if study.public_only else _print_scores)(study, store)
        shared, every = store.scored_everywhere()
        if shared < every:
            print(
                f"All of it is on {shared} of {every} test images: those that are in every copy of "
                "the dataset that was trained on."
            )
        if study.scored_last:
            _print_stand(store, study.requests(None, recipe))
        print(f"Study: {store.folder}", file=sys.stderr)


def _print_stand(store: StudyStore, requests: list[Request]) -> None:
    """How much of what is declared is trained, and whether PrivateTest was scored."""
    times, finished = store.scorings(), store.finished()
    done = sum(request.run_id in finished for request in requests)
    when = f"{len(times)} times, {times[0]} to {times[-1]}" if times else "not yet"
    print(f"{done} of {len(requests)} declared trainings are finished. PrivateTest scored: {when}.")


def _print_scores(study: Study, store: StudyStore) -> None:
    """Each variant's means over its seeds, and its difference to the CNN where both are scored."""
    columns = ["public_accuracy", "private_accuracy", "clean_accuracy", "macro_f1"]
    table = store.table()
    means = table.reindex(columns=["variant", *columns]).groupby("variant").mean()
    scored = "private_accuracy" in table and table["private_accuracy"].notna().all()
    part = "private" if scored else "public"
    rows = [
        [line["variant"], line["seeds"], *map(in_percent, means.loc[line["variant"]]),
         difference(line), line["parameters"], f"{line['flops_per_image'] / 1e6:.0f}"]
        for line in gap_table(store, study, part).to_dict("records")
    ]  # fmt: skip
    print_table(
        ["variant", "seeds", "PublicTest %", "PrivateTest %", "clean %", "macro F1 %",
         "− CNN, points", "parameters", "MFLOP"],
        rows,
    )  # fmt: skip


def _print_ablation(study: Study, store: StudyStore) -> None:
    """Each variant against the recipe as declared, and what its training took."""
    seconds = store.table().groupby("variant")["seconds"].median()
    rows = [
        [CONDITIONS[line["condition"]].title, line["seeds"],
         with_interval(line["accuracy"], (line["accuracy_low"], line["accuracy_high"])),
         difference(line), f"{seconds[line['variant']]:.0f}"]
        for line in gap_table(store, study, "public").to_dict("records")
    ]  # fmt: skip
    print_table(["", "seeds", "PublicTest %", "difference, points", "seconds"], rows)
