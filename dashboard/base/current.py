"""The selection as a page needs it. Stops the page, with a sentence, where it cannot be had."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard.base import keys, loading
from dashboard.base.plain import plain
from dashboard.base.selecting import swap
from dashboard.base.selection import ANY, WHOLE_RANGE, Selection, default_pair
from dashboard.base.sureness import labels_alone
from fercore.errors import DataError, RunError
from fercore.groups.group import Group, group_of
from fercore.runs.artifacts import Run
from fercore.runs.ensemble import members_of


def current() -> Selection:
    """The selection as the sidebar's widgets have it, whatever images are chosen: A and B on the
    sets that they were made on. Stops the page where there is no run.
    """
    return _selected(lambda model: model)


def _selected(seen: Callable[[Group], Group]) -> Selection:
    """The same with A and B as `seen` has them."""
    models = {model.name: model for model in loading.models()}
    if not models:
        st.info(
            "There is no run yet. Start a training in the sidebar; on the synthetic faces, with "
            "the recipe 'quick', it takes less than a minute."
        )
        st.stop()
    first, second = default_pair(list(models.values()))
    state = st.session_state
    a = models.get(state.get(keys.MODEL_A, first), models[first])
    b = models.get(state.get(keys.MODEL_B, second))
    a, b = _against(state.get(keys.LABELS, "dataset"), seen(a), b and seen(b))
    said_b = state.get(keys.PREDICTED_B, ANY) if b else ANY
    return Selection(
        a,
        b,
        state.get(keys.PART, "private"),
        state.get(keys.TRUE, ANY),
        state.get(keys.PREDICTED, ANY),
        said_b,
        tuple(state.get(keys.CONFIDENCE, WHOLE_RANGE)),
        state.get(keys.SLICE, ANY),
        "b" if said_b != ANY and state.get(keys.PREDICTED, ANY) == ANY else "a",
    )


def _against(labels: str, a: Group, b: Group | None) -> tuple[Group, Group | None]:
    """A and B, scored against those labels; as they are, which is said, where there are none."""
    try:
        laid_on_a = loading.labelling(a, labels)
        laid_on_b = loading.labelling(b, labels) if b else None
    except (DataError, RunError) as error:
        st.info(f"{plain(error)} The figures here are against the dataset's own labels.")
        return a, b
    return a.labelled(laid_on_a), b and b.labelled(laid_on_b)


def by_the_datasets_labels(selection: Selection, what: str) -> Selection:
    """The same against the dataset's own labels, for a page that is about them; says so.

    what: of the page.
    """
    if selection.labels == "dataset":
        return selection
    st.caption(f"{what} by the dataset's own labels, whatever is chosen in the sidebar.")
    return replace(
        selection, a=selection.a.labelled(None), b=selection.b and selection.b.labelled(None)
    )


def current_with_predictions() -> Selection:
    """The selection, for pages that show results. Stops the page where there are none."""
    problems: list[str] = []
    selection = _selected(partial(_on_the_images, problems=problems))
    for problem in dict.fromkeys(problems):
        st.info(f"{plain(problem)} Choose other images or another model in the sidebar.")
    if problems:
        st.stop()
    for key, model in selection.models.items():
        if not loading.is_scored(model, selection.part):
            st.info(
                f"{key} was not scored on these images: its dataset, {plain(model.dataset)}, has "
                "none. Choose other images or another model in the sidebar."
            )
            st.stop()
    return selection


def current_with_probabilities() -> Selection:
    """The selection, for pages that need to know how sure a model is: without B where B says labels
    alone. Stops the page where A does.
    """
    selection = current_with_predictions()
    return _with_those_that(selection, partial(_has_probabilities_or_say_so, part=selection.part))


def current_with_weights() -> Selection:
    """The selection, for pages that ask the models: of a group one seed, and without B where B
    cannot be asked.

    Stops the page where A cannot.
    """
    return _with_those_that(one_seed_each(current()), _can_be_asked_or_say_so)


def current_with_answers(*, to_images: bool = False) -> Selection:
    """As `current_with_weights`, for pages that need the models' answers alone: an ensemble's
    members are asked in its place. to_images: whether the images are those that are chosen, on
    which a model need not have been scored.
    """
    selection = _selected(partial(_on_the_images, problems=[])) if to_images else current()
    return _with_those_that(one_seed_each(selection), answers_or_say_so)


def _on_the_images(model: Group, problems: list[str]) -> Group:
    """The model as it was scored on the chosen images; as it is, with the reason among the
    problems, where it was not.
    """
    try:
        return model.on(st.session_state.get(keys.PART, "private"))
    except RunError as error:
        problems.append(str(error))
        return model


def answers_or_say_so(key: str, model: Group) -> bool:
    """Whether 'A' or 'B' can be asked about a face, an ensemble through its members; says where
    not.
    """
    if not model.run.members:
        return _can_be_asked_or_say_so(key, model)
    return _there_or_say_so(key, partial(members_of, model.run))


def _with_those_that(selection: Selection, fit: Callable[[str, Group], bool]) -> Selection:
    if not fit("A", selection.a):
        if selection.b:
            st.button("Swap A and B", on_click=swap, icon=":material/swap_horiz:", key="swap")
        st.stop()
    if selection.b and not fit("B", selection.b):
        return replace(selection, b=None)
    return selection


def one_seed_each(selection: Selection) -> Selection:
    """The same with one run in the place of each group, and a sentence that says which."""
    groups = {key: model for key, model in selection.models.items() if not model.single}
    if not groups:
        return selection
    seeds = (f"of {key} it is {model.asked_in_words}" for key, model in groups.items())
    st.caption(f"This page goes by one seed of a group: {'; '.join(seeds)}.")
    b = selection.b and group_of(selection.b.run)
    return replace(selection, a=group_of(selection.a.run), b=b)


def _has_probabilities_or_say_so(key: str, model: Group, part: str) -> bool:
    unknown = labels_alone(model, part)
    if unknown:
        st.info(
            f"{key}: {unknown}, so there is nothing to draw here. Import its probabilities, or "
            "choose another run."
        )
    return not unknown


def can_be_asked_or_say_so(key: str, run: Run) -> bool:
    """Whether 'A' or 'B' has a model to be asked; says where not."""
    return _there_or_say_so(key, run.model_file)


def _can_be_asked_or_say_so(key: str, model: Group) -> bool:
    return can_be_asked_or_say_so(key, model.run)


def was_trained_or_say_so(key: str, run: Run, what: str) -> bool:
    """Whether model 'A' or 'B' was trained by fercore, so that it has `what`; says where not."""
    return _there_or_say_so(key, partial(run.check_trained, what))


def _there_or_say_so(key: str, look: Callable[[], object]) -> bool:
    try:
        look()
    except RunError as error:
        st.info(f"{key}: {plain(error)}")
        return False
    return True
