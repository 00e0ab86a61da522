"""Data audit: the cached look through a dataset, and its figures."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.base import image_loading, loading
from dashboard.base.figures import drawn_once
from dashboard.base.image_loading import Images
from dashboard.base.plain import plain
from dashboard.base.tiles import tile
from dashboard.base.turns import out_of_turn
from dashboard.base.widgets import letter
from dashboard.compare.slices_view import properties
from dashboard.faces import face_loading
from dashboard.faces.open_face import open_soon
from fercore.analysis.audit import (
    ALL,
    Audit,
    agreement_by_class,
    audit,
    label_issues,
    near_duplicates,
    scores_by_part,
)
from fercore.analysis.copies import (
    CopiesEffect,
    copies_effect,
    training_accuracies,
    unlearned_run,
)
from fercore.data import FaceSet
from fercore.data.votes import Votes, of_fer2013
from fercore.figures.colours import MAGNITUDE, REFERENCE_COLOUR
from fercore.figures.parts import COUNT, STILL, in_csv, points_by_row, styled
from fercore.groups.group import Group, group_of
from fercore.labels import CLASSES, USAGES
from fercore.runs.artifacts import Run
from fercore.scoring.slices import slice_title
from fercore.wording import count, percent, points, points_interval

# Where the parts of `scores_by_part` are slices of the selection, their titles.
SLICE_OF_PART = {
    "without exact copies": slice_title("duplicate", "no copy"),
    "the exact copies": slice_title("duplicate", "exact copy"),
    "FER+ agrees with the label": slice_title("FER+ agreement", "FER+ agrees"),
}


def run_audit(run: Run) -> Audit:
    """The audit of a run's dataset, as it is here. Only where `image_loading.images` has it."""
    faces = image_loading.dataset(run)
    votes = face_loading.votes(run)
    if votes and not of_fer2013(faces.row, faces.usage):  # a tree's rows are others
        votes = None
    return _audit(faces, votes)


@st.cache_data(
    max_entries=4,
    show_spinner="Looking for copies among the images …",
    hash_funcs=loading.KNOWN_BY,
)
@out_of_turn()
def _audit(faces: FaceSet, votes: Votes | None) -> Audit:
    return audit(faces, votes)


@st.cache_data(
    max_entries=4,
    show_spinner="Looking for images that are alike …",
    hash_funcs=loading.KNOWN_BY,
)
@out_of_turn()
def near(faces: FaceSet) -> pd.DataFrame:
    """The near duplicates in a dataset."""
    return near_duplicates(faces)


def agreement(run: Run) -> pd.DataFrame | None:
    """FER+'s agreement with the labels a run was scored on; needs the votes, not the images."""
    votes = face_loading.votes(run)
    if votes is None:
        return None
    frame = run.prediction_frame
    label, usage, row = (frame[name].to_numpy() for name in ("label", "usage", "row"))
    return agreement_by_class(label, usage, row, votes)


def part_scores(model: Group, part: str) -> pd.DataFrame:
    """Accuracy on raw, clean and FER+-agreeing images."""
    return scores_by_part(loading.predictions(model, part), properties(model.run, part))


@st.cache_data(max_entries=20, show_spinner="Ranking the labels …", hash_funcs=loading.KNOWN_BY)
@out_of_turn()
def issues(model: Group, part: str) -> pd.DataFrame:
    """Doubtful labels, ranked by cleanlab; of a group by its mean probabilities."""
    return label_issues(loading.predictions(model, part).mean)


def copied_sentence(audit: Audit, usage: str) -> str:
    """How many images of a test part are copies of earlier ones, in this copy of the dataset."""
    total = int(audit.counts.set_index("usage")["all"][usage])
    if not total:
        return f"This copy of the dataset has no images of {usage} in which to count copies."
    earlier = list(USAGES[: USAGES.index(usage)])
    copied = int(audit.groups.loc[audit.groups[earlier].any(axis=1), usage].sum())
    learned = int(audit.across.set_index("usage")["Training"][usage])
    know = "" if learned == copied else f"{count(learned)} of them of one of Training, "
    return (
        f"**{count(copied)} of {count(total)} {usage} images ({percent(copied / total)}) are pixel "
        f"copies of one of {' or '.join(earlier)}**, {know}which a model may know by heart."
    )


def copies_sentence(key: str, scores: pd.DataFrame) -> str | None:
    """What exact copies do to a model's score; None where there are none."""
    by_part = scores.set_index("subset")
    if "the exact copies" not in by_part.index:
        return None
    accuracy, n = by_part["accuracy"], by_part["n"]
    clean, copies = accuracy["without exact copies"], accuracy["the exact copies"]
    return (
        f"{letter(key)} is right on {percent(accuracy['all images'])} of all images and on "
        f"{percent(clean)} without the {count(n['the exact copies'])} copies "
        f"({points(clean - accuracy['all images'])}); on the copies alone, on {percent(copies)}."
    )


def easy_copies(models: Mapping[str, Group], part: str) -> str | None:
    """How much of what copies give is that they are easy: held against a run that has learned no
    image by heart. None where there is no such run, or no copy.
    """
    return _easy_copies(dict(models), part, loading.runs())


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _easy_copies(models: dict[str, Group], part: str, runs: list[Run]) -> str | None:
    first = next(iter(models.values()))
    known = unlearned_run(runs, first.run)
    accuracies = known and training_accuracies(known)
    if known is None or not accuracies:
        return None
    about, reference = properties(first.run, part), loading.predictions(group_of(known), part)
    here = loading.predictions(first, part).same_images(reference)
    if not here or "duplicate" not in about or about["duplicate"].sum() < 2:
        return None
    copies = about["duplicate"].to_numpy()
    told = [
        _more_than_easy(key, copies_effect(table, reference, copies))
        for key, model in models.items()
        if known.run_id not in [run.run_id for run in model.members]
        and (table := loading.predictions(model, part)).same_images(reference)
    ]
    if not told:
        return None
    easy = reference.correct[:, copies].mean(), reference.correct[:, ~copies].mean()
    trained, validated = map(percent, accuracies)
    return (
        f"Part of that is that copies are easy. {plain(group_of(known).title)} was right on "
        f"{trained} of Training and {validated} of PublicTest, so it knows none by heart; it "
        f"is right on {percent(easy[0])} of the copies and {percent(easy[1])} elsewhere. "
        + " ".join(told)
    )


def _more_than_easy(key: str, effect: CopiesEffect) -> str:
    return (
        f"{letter(key)} gains {points(effect.gap)} on them, {points(effect.easy)} of it as that "
        f"one does: what knowing them may add is {points(effect.more)} "
        f"{points_interval(effect.interval)}."
    )


@drawn_once
def scores_figure(scores: dict[str, pd.DataFrame]) -> go.Figure:
    """Accuracy of each model by part of the images, with its interval."""
    title = "The same model on cleaner images, with 95 % interval"
    figure = points_by_row(scores, "accuracy", "subset", "n", title=title)
    return figure.update_xaxes(title="accuracy, %")


@drawn_once
def agreement_figure(table: pd.DataFrame, usage: str) -> go.Figure:
    """Share of the labels of one usage that are FER+'s plurality, a bar for each class, and in it
    a narrower one of those with more than half of the votes.
    """
    of_usage = table[table["usage"] == usage].set_index("class")
    names = [name for name in CLASSES if name in of_usage.index]
    shown = of_usage.loc[names]
    most = _votes_bar(
        "most votes", "most votes", shown[["share", "agreeing", "n"]], color=MAGNITUDE[1][1]
    )
    labels = [f"{100 * share:.0f} %" for share in shown["share"]]
    most.update(text=labels, textposition="outside", cliponaxis=False)
    majority = shown[["majority_share", "majority", "n"]]
    more = _votes_bar(
        "more than half", "more than half of the votes", majority, color=MAGNITUDE[-1][1]
    )
    figure = go.Figure([most, more.update(width=0.4)])
    every = of_usage["share"][ALL]
    figure.add_hline(
        100 * every, line_dash="dash", line_color=REFERENCE_COLOUR,
        annotation_text=f"all {percent(every)}", annotation_position="top left",
    )  # fmt: skip
    figure.update_yaxes(title="labels agreed with, %", range=[0, 108], fixedrange=True)
    # Room at the left for the name of the line.
    figure.update_xaxes(fixedrange=True, range=[-1.1, len(names) - 0.5], autotickangles=[0, 90])
    figure.update_layout(dragmode=False, barmode="overlay")
    title = f"Labels that FER+'s raters give too, {usage}"
    return styled(figure, title, height=380, columns={"x": "class"})


def _votes_bar(name: str, told: str, shares: pd.DataFrame, *, color: str) -> go.Bar:
    """shares: by class the share of labels that have `told`, their number, and that of all."""
    share, *numbers = shares.columns
    return go.Bar(
        name=name,
        x=shares.index,
        y=100 * shares[share],
        marker_color=color,
        unselected={"marker": STILL},
        customdata=shares[numbers],
        meta=in_csv("count", "n"),
        hovertemplate=f"%{{x}}: %{{customdata[0]:{COUNT}}} of %{{customdata[1]:{COUNT}}} labels "
        f"have {told}<extra></extra>",
    )


def agreement_sentence(table: pd.DataFrame, usage: str) -> str:
    """How many labels of one usage are FER+'s plurality, and how many its majority."""
    of_usage = table[(table["usage"] == usage) & (table["class"] == ALL)].iloc[0]
    return (
        f"Of {usage}'s labels {percent(of_usage['share'])} got at least as many votes as any other "
        f"answer (a plurality, or a tie), {percent(of_usage['majority_share'])} more than half."
    )


def rows_in_words(images: pd.DataFrame) -> str:
    """'Training row 6458 (angry), …': the first ten of some images."""
    lines = images.head(10).to_dict("records")
    return ", ".join(f"{line['usage']} row {line['row']} ({line['label']})" for line in lines)


def rows_by_place(samples: pd.DataFrame, images: Images) -> dict[int, int]:
    """The rows of a sample table by where their images lie in the dataset that is here. They are
    found by their pixels: another copy may number its rows otherwise.
    """
    places = map(images.position.get, map(int, samples["pixels"]))
    return {place: int(row) for place, row in zip(places, samples["row"]) if place is not None}


def rows_of_pairs(pairs: pd.DataFrame, rows: Mapping[int, int]) -> list[int]:
    """Those of `rows`, by their places, that occur in pairs, each once and in the pairs' order."""
    places = pairs[["first", "second"]].to_numpy().ravel()
    return list(dict.fromkeys(rows[place] for place in places if place in rows))


def pair_tile(
    faces: FaceSet, pair: Mapping[Hashable, Any], rows: Mapping[int, int], order: str
) -> None:
    """Two images that look alike, side by side, with their labels; the one in `rows` is opened."""
    places = pair["first"], pair["second"]
    both = [tile(faces.images[place], 2) for place in places]
    with st.container(gap="xxsmall"):
        st.image(both, width=96, alt=["The image", "The one like it"])
        st.caption(
            f"{pair['label']} · {pair['other_label']}  \n{pair['usage']} {pair['row']} · "
            f"{pair['other_usage']} {pair['other_row']}  \nsimilarity {pair['similarity']:.3f}"
        )
        for row in [rows[place] for place in places if place in rows][:1]:
            st.button(
                f"Open row {row}", key=f"pair-{pair['first']}-{pair['second']}", type="tertiary",
                on_click=open_soon, args=(row, order),
            )  # fmt: skip
