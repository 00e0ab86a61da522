"""The form for a new training, and how long it would take."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.base import image_loading, loading
from dashboard.base.failures import errors_told
from dashboard.base.plain import plain
from dashboard.sidebar.data_panel import dataset_title
from fercore import data, jobs
from fercore.analysis import review
from fercore.data.cache import latest_fer2013
from fercore.data.stored_faces import stored_faces
from fercore.errors import FerError
from fercore.groups.group import has_weights
from fercore.groups.teaching import taught
from fercore.jobs.combinations import offered
from fercore.jobs.request import Request
from fercore.models import MODELS
from fercore.runs.artifacts import Run
from fercore.scoring.labelling import TRAINED_BY
from fercore.training.recipes import RECIPES, TAUGHT_SHARE, Recipe, find_recipe
from fercore.wording import count, duration, percent

FRESH = "fresh weights"
DATASET, VERDICTS = "dataset", "verdicts"  # labels to train by, beside FER+'s


@st.fragment
@errors_told("The form for a training")
def training_form(busy: bool) -> None:
    """Start, model, recipe, data, seed; the rest under 'More'. What makes no sense is not offered.

    Starts a training or estimates its time. What is chosen stays while the panel is closed.
    """
    sources = _sources()
    start = _start()
    model = st.selectbox(
        "Model",
        [start.info["model"]] if start else MODELS,
        format_func=lambda name: MODELS[name].title,
        disabled=start is not None,
        key="train-model-of-start" if start else "train-model",
        persist_state="session",
        help="It is the one of the run to start from." if start else None,
    )
    recipe = _recipe(offered(model, start), _first_recipe(start, sources))
    source = st.selectbox(
        "Data",
        sources,
        format_func=dataset_title,
        key=f"train-data-{sources[0]}",
        persist_state="session",
    )
    seed = st.number_input(
        "Seed",
        0,
        9999,
        help="Same seed, same machine, same result.",
        key="train-seed",
        persist_state="session",
    )
    with st.expander("More"):
        options = _more(rated=source not in (data.SYNTHETIC, *stored_faces()))
    options["start_from"] = start.run_id if start else None
    _estimate_or_start(partial(_request, model, recipe, source, seed, options), busy)


def _estimate_or_start(wanted: Callable[[], Request], busy: bool) -> None:
    """The two buttons, and what they do with what is wanted then."""
    asked = st.button("How long?", width="stretch", key="train-how-long")
    started = st.button(
        "Start training" if not busy else "Start when its turn comes",
        type="primary",
        width="stretch",
        key="train-begin",
    )
    if busy:
        st.caption(
            "Another training is under way, and a machine does one at a time: yours waits, and "
            "begins by itself when its turn comes. Until then it can be cancelled."
        )
    try:
        if asked:
            _estimate(wanted())
        if started:
            with st.spinner("Looking at the data …"):
                jobs.start(wanted())
    except FerError as error:
        st.error(plain(error))
        return
    if started:
        st.rerun()


def _start() -> Run | None:
    runs = {run.run_id: run for run in loading.runs() if run.trained}
    start = st.selectbox(
        "Start from",
        [FRESH, *runs],
        help="Fresh weights, or a run's own model and weights, to be trained further.",
        key="train-start",
        persist_state="session",
    )
    return runs.get(start)


def _first_recipe(start: Run | None, sources: list[Path | str | None]) -> str:
    if start:
        return "finetune"
    return "quick" if sources[0] == data.SYNTHETIC else "fast"


def _recipe(names: list[str], first: str) -> str:
    """One of the recipes that make sense; another model or dataset, another first choice."""
    return st.selectbox(
        "Recipe",
        names,
        index=names.index(first) if first in names else 0,
        key="-".join(["train-recipe", first, *names]),
        persist_state="session",
        help="  \n".join(f"**{name}**: {RECIPES[name].summary}" for name in names),
    )


def _more(*, rated: bool) -> dict[str, Any]:
    """What of a request is seldom asked for, and `changes` to the recipe.

    rated: whether the faces may be those that FER+'s raters have seen.
    """
    labels = _labels(rated=rated)
    validation = st.number_input(
        "Validation, % of Training", 1, 50, None, placeholder="its own images",
        key="train-validation", persist_state="session",
        help="For a set without validation images (PublicTest): so much of each class's Training "
        "is drawn by the seed, to choose the epoch by.",
    )  # fmt: skip
    share = None if validation is None else validation / 100
    own = {"changes": _changes(), "validation": share, "teachers": _teachers()}
    return own | labels | _machine()


def _teachers() -> list[str]:
    """Who is to teach, by name, in place of the recipe's own teacher."""
    groups = [
        group.name
        for group in loading.models()
        if not group.single and all(map(has_weights, group.members))
    ]
    runs = [run.run_id for run in loading.runs() if run.trained or run.members]
    return st.multiselect(
        "Taught by", [*groups, *runs], placeholder="the recipe's",
        key="train-teachers", persist_state="session",
        help="Runs, ensembles or groups that answer for a share of the labels, several with the "
        f"mean of their probabilities: the recipe's share, or {percent(TAUGHT_SHARE, 0)} where "
        "it has no teacher of its own.",
    )  # fmt: skip


def _labels(*, rated: bool) -> dict[str, str | bool | None]:
    """What of a request says which labels Training has."""
    choices = {DATASET: "the dataset's"} | (TRAINED_BY if rated else {})
    if len(review.verdicts()):
        choices[VERDICTS] = "my verdicts over the dataset's"
    labels = st.selectbox(
        "Labels to train by", choices, format_func=choices.__getitem__,
        key="-".join(["train-labels", *choices]), persist_state="session",
        help="FER+'s are for FER2013 alone: the plurality of ten raters, what more than half of "
        "them saw, or their votes as shares. Training images without such a label are left out; "
        "so are those that you called ambiguous or unusable. The test images stay as they are.",
    )  # fmt: skip
    by_votes = labels if labels in TRAINED_BY else None
    return {"labels": by_votes, "verdicts": labels == VERDICTS}


def _changes() -> dict[str, float]:
    """The recipe's fields that are asked to be others."""
    asked = {
        "epochs": st.number_input(
            "Epochs", 1, 1000, None, placeholder="the recipe's",
            key="train-epochs", persist_state="session",
        ),
        "batch_size": st.number_input(
            "Batch size", 1, 4096, None, placeholder="the recipe's", help="Images per step.",
            key="train-batch", persist_state="session",
        ),
        "learning_rate": st.number_input(
            "Learning rate", 1e-6, 1.0, None, format="%.5f", placeholder="the recipe's",
            key="train-rate", persist_state="session",
            help="The highest one; it rises to it in the first epochs and then falls to zero.",
        ),
    }  # fmt: skip
    return {name: value for name, value in asked.items() if value is not None}


def _machine() -> dict[str, int | bool]:
    """How much of this machine a training takes."""
    threads = st.number_input(
        "Processor threads", 1, 256, jobs.spare_threads(),
        key="train-threads", persist_state="session",
        help="One fewer than this machine has keeps the pages quick. Another number may change "
        "the last digits of the result.",
    )  # fmt: skip
    yields = st.checkbox(
        "Low priority", value=True, key="train-yields", persist_state="session",
        help="Other programs, and these pages, go first.",
    )  # fmt: skip
    return {"threads": threads, "low_priority": yields}


def _request(
    model: str, recipe: str, source: Path | str | None, seed: int, options: dict[str, Any]
) -> Request:
    chosen: Recipe = replace(find_recipe(recipe), **options.pop("changes"))
    if teachers := options.pop("teachers"):
        chosen = taught(chosen, teachers)
    where = str(source) if source else None
    return Request("", model, chosen, seed, where, **options)


def _sources() -> list[Path | str | None]:
    """What can be trained on: the dataset that is found, one's own faces, and the drawn ones."""
    source = image_loading.found_source()
    there = os.path.exists(source) if isinstance(source, Path) else source or latest_fer2013()
    found = [source] if there and source != data.SYNTHETIC else []
    return [*found, *stored_faces(), data.SYNTHETIC]


def _estimate(request: Request) -> None:
    with st.spinner("Measuring a few steps …"):
        found = jobs.estimate(request)
    st.info(
        f"About {duration(found.seconds)}, at {count(round(found.images_per_second))} images a "
        "second measured here just now.",
        icon=":material/timer:",
    )
