"""Data audit: copies, disputed labels and empty images, and what they do to the scores."""

from dataclasses import replace

import streamlit as st

from dashboard.base import image_loading
from dashboard.base.clicks import Point, clickable_figure
from dashboard.base.current import by_the_datasets_labels, current_with_predictions
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.heading import heading, models_line
from dashboard.base.parameters import PAIRS
from dashboard.base.selecting import choose_cell, choose_slice
from dashboard.base.selection import ANY
from dashboard.base.sureness import labels_alone
from dashboard.base.tables import readable
from dashboard.base.widgets import one_of
from dashboard.compare import audit_view
from dashboard.faces import face_loading
from dashboard.faces.face_grid import face_table, first_faces, open_chosen
from dashboard.faces.get_faces import images_missing
from fercore.analysis.audit import near_across
from fercore.data.download import STATEMENT
from fercore.glossary import explained
from fercore.wording import count

MOST_PAIRS = 24  # near duplicates shown

selection = current_with_predictions()
asked = selection.part
part = "public" if selection.part == "public" else "private"
usage = {"public": "PublicTest", "private": "PrivateTest"}[part]
selection = replace(
    selection, part=part, a=selection.a.home, b=selection.b.home if selection.b else None
)
heading(
    "Data audit",
    "How far the dataset itself can be trusted: images that occur twice, labels that other people "
    "or the models dispute, images with nothing on them. A score can be no better than the labels "
    "it is counted against.",
    "FER2013", "FER+", "without duplicates", "confident learning",
)  # fmt: skip
selection = by_the_datasets_labels(selection, "What is audited is counted")
models_line(selection)
run = selection.a.run
if asked == "clean":
    st.caption("Without its copies there is less to audit, so here it is the whole of PrivateTest.")
elif part != asked:
    st.caption("What is audited is the dataset that A was tested on first: here its PrivateTest.")

if run.dataset == "FER2013":
    with st.expander("Whose faces are these?"):
        st.markdown(STATEMENT)

images = image_loading.images(run)
here = not images.missing

if here:
    if images.partly:
        st.caption(
            f"{images.partly} What is counted in the dataset is counted in that copy, with its "
            "labels; the models' scores are on the labels that they were scored on."
        )
    audit = audit_view.run_audit(run)
    agreement = audit_view.agreement(run) if audit.agreement is None else audit.agreement
    st.subheader("What is in it", anchor=False)
    numbers = {
        "Rows that are copies": (audit.surplus, "Rows beyond the first of their group of "
        f"pixel-identical images; there are {count(len(audit.groups))} such groups."),
        "Copies, labels differ": (audit.conflicting, "Groups of pixel-identical images that carry "
        "different labels: at least one of them is wrong."),
        "Empty images": (len(audit.constant), "Images of one grey value, without a face."),
    }  # fmt: skip
    if audit.not_a_face is not None:
        numbers["Not a face"] = (
            int(audit.not_a_face["images"].sum()),
            "Images in which more FER+ raters saw no face than saw any one expression.",
        )
    for column, (name, (number, explanation)) in zip(st.columns(len(numbers)), numbers.items()):
        column.metric(name, count(number), help=explanation)
    if len(audit.constant):
        st.caption(f"Empty: {audit_view.rows_in_words(audit.constant)}.")
    left, right = st.columns([3, 2])
    left.caption("Images per usage and class")
    left.dataframe(readable(audit.counts), hide_index=True)
    right.caption("Images (by row) whose exact pixels occur again in (by column)")
    right.dataframe(readable(audit.across), hide_index=True)
    csv_button(
        audit.groups.rename(columns={"images": "n"}), "exact-copies", dataset=selection.a.dataset
    )
else:
    images_missing(
        run,
        images,
        "Without them, the copies known from the run, the FER+ votes and the doubtful labels can "
        "still be shown.",
    )
    agreement = audit_view.agreement(run)

st.subheader("What copies do to the scores", anchor=False)
scores = {key: audit_view.part_scores(own, part) for key, own in selection.models.items()}
if here:
    st.markdown(audit_view.copied_sentence(audit, usage))
for key, table in scores.items():
    st.markdown(audit_view.copies_sentence(key, table) or "There are no exact copies to leave out.")
if easy := audit_view.easy_copies(selection.models, part):
    st.markdown(easy)


def take_part(point: Point) -> None:
    """Select the images of the clicked point; all of them are no slice."""
    choose_slice(audit_view.SLICE_OF_PART.get(point["customdata"][0], ANY))


clickable_figure(
    audit_view.scores_figure(scores), "audit-parts", take_part,
    alt="Accuracy by part of the images",
)  # fmt: skip
csv_button(stacked(scores), "scores-by-subset", models=selection.models, part=part)

st.subheader("Labels that people dispute", anchor=False)
if agreement is not None:
    st.caption(
        "Ten people tagged each image again for FER+ (Barsoum et al., 2016). A bar is the share of "
        "a class's labels that no other answer got more votes than; the narrow bar in it that of "
        "labels with more than half of the votes. Where they are low, a 'mistake' of a model is "
        "often the label's. Click a bar to select that label."
    )
    st.markdown(audit_view.agreement_sentence(agreement, usage))
    clickable_figure(
        audit_view.agreement_figure(agreement, usage), "audit-agreement",
        lambda point: choose_cell(point["x"]),
        alt="Agreement of FER+ with the labels per class",
    )  # fmt: skip
    csv_button(agreement, "fer-plus-agreement", dataset=selection.a.dataset)
else:
    st.caption(face_loading.no_votes(run))

orders: dict[str, list[int]] = {}  # in which one goes on from a face
disputed = st.container()  # filled last: nothing else waits for cleanlab to be imported
if here:
    st.subheader("Near duplicates across usages", anchor=False)
    st.caption(
        "Images of a test part beside one of an earlier part that looks alike: the same photo, "
        "cropped, compressed or stamped otherwise. 'Without duplicates' does not leave these out."
    )
    faces = image_loading.dataset(run)
    near = audit_view.near(faces)
    for line in near_across(near).to_dict("records"):
        alike = f"{count(line['images'])} {line['usage']} images"
        st.markdown(f"- {alike} look like one in {line['other_usage']}")
    differ = near["label"] != near["other_label"]
    views = {"alike": near, "differ": near[differ]}
    view = one_of("Pairs", PAIRS, "pairs")
    rows = audit_view.rows_by_place(selection.samples, images)
    if views[view].empty:
        st.caption("There is no such pair.")
    with st.grid(min_column_width=220, gap="small"):
        for pair in views[view].head(MOST_PAIRS).to_dict("records"):
            audit_view.pair_tile(faces, pair, rows, "pairs")
    orders["pairs"] = audit_view.rows_of_pairs(views[view], rows)
    pairs = near.drop(columns=["first", "second"])
    csv_button(pairs, "near-duplicates", dataset=selection.a.dataset)

with disputed:
    st.subheader("Labels that A disputes", anchor=False)
    samples = selection.samples
    if unknown := labels_alone(selection.a, part):
        st.info(f"{unknown}, so which labels it disputes cannot be told: import its probabilities.")
        open_chosen(samples, images, selection, **orders)
        st.stop()
    mean = "" if selection.a.single else " mean"
    issues = audit_view.issues(selection.a, part)
    st.caption(
        f"Confident learning (cleanlab) takes {count(len(issues))} of {count(scores['A']['n'][0])} "
        f"labels for doubtful, going by A's{mean} probabilities; the most doubtful come first: "
        f"look at the faces. {explained('confident learning')}"
    )
    orders["disputed"] = samples.loc[issues.index, "row"].tolist()
    open_chosen(samples, images, selection, **orders)
    if issues.empty:
        st.caption("There is none.")
    elif here:
        first_faces(samples.loc[issues.index], images, selection, "disputed")
    else:
        face_table(samples.loc[issues.index], selection)
    csv_button(issues, "label-issues", models={"A": selection.a}, part=part)
