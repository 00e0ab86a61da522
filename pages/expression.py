"""Expression: one class in depth, from its recall to the faces that are never found."""

import streamlit as st

from dashboard.base import image_loading, loading
from dashboard.base.charts import show_figure
from dashboard.base.current import by_the_datasets_labels, current_with_predictions
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.heading import heading, models_line
from dashboard.base.parameters import cell_link, link
from dashboard.base.tables import Format, readable
from dashboard.base.widgets import letter, one_of, one_of_these
from dashboard.compare import expression_view, extras_view
from dashboard.compare.expression_words import (
    Facts,
    difference_in_words,
    extremes_in_words,
    found_in_words,
    neighbours_in_words,
    raters_in_words,
    title,
    what_one_could_do,
)
from dashboard.compare.slices_view import slices_in_words
from dashboard.faces import face_loading
from dashboard.faces.face_grid import face_grid, open_chosen
from dashboard.faces.get_faces import images_missing
from fercore import wording
from fercore.analysis.expression import NEIGHBOURS
from fercore.labels import CLASSES
from fercore.runs.words import seed_title
from fercore.scoring.slices import slice_title
from fercore.wording import count

TILES = 12  # faces of a kind
SLICES = 5  # the worst ones

selection = current_with_predictions()
models, part, name = selection.models, selection.part, st.session_state["expression"]
top = st.container()
one_of("Expression", CLASSES, "expression")
models_line(selection)

support = int((loading.predictions(selection.a, part).labels == CLASSES.index(name)).sum())
scores = loading.scores(selection.a, part)
with top:
    recall = scores["per_class"][CLASSES.index(name)]["recall"] if support else 0.0
    heading(
        title(name, recall, scores["accuracy"]),
        "One expression from all sides: how often it is found, what it is taken for, whether "
        "people agree with its labels, on which images it is hardest, and which faces lie around "
        "it. Choose another above the figures, or select a label on any page.",
        "recall", "precision", "F1", "95 % interval", "beyond chance", "Holm's correction", "FER+",
        "slice", "t-SNE",
    )  # fmt: skip
if not support:
    st.info(f"None of these images is labelled {name}. Choose another expression.")
    st.stop()
models = expression_view.with_images(models, part, name)

found = {key: expression_view.depth(model, part, name) for key, model in models.items()}
for key, depth in found.items():
    st.markdown(found_in_words(key, name, depth))
difference = None
if selection.pair:
    lines = loading.class_differences(*selection.pair, part).set_index("class")
    difference = lines.loc[name].to_dict()
    st.markdown(difference_in_words(difference))
metrics = {key: expression_view.metric_lines(depth.scores) for key, depth in found.items()}
show_figure(expression_view.metrics_figure(metrics), alt=f"Recall, precision and F1 of {name}")
csv_button(stacked(metrics), f"expression-{name}", models=models, part=part)

st.subheader("What it is taken for, and what is taken for it", anchor=False)
left, right = st.columns(2)
both = {
    f"Labelled {name}, but called …": {key: depth.away for key, depth in found.items()},
    f"Called {name}, but labelled …": {key: depth.here for key, depth in found.items()},
}
for place, (words, tables) in zip((left, right), both.items()):
    with place:
        if all(table.empty for table in tables.values()):
            st.info(f"No image is called {name}.")
            continue
        show_figure(expression_view.taken_figure(tables, words), alt=words)
st.caption(
    f"First: shares of the {count(support)} faces labelled {name}. Then: shares of the faces "
    f"that a model calls {name}. Bars are the 95 % intervals."
)
cells = [(name, other) for other in found["A"].away["class"].head(2)]
cells += [(other, name) for other in found["A"].here["class"].head(2)]
with st.container(horizontal=True):
    for label, predicted in cells:
        st.page_link(
            **cell_link("misclassified", label, predicted, which="a"), width="content",
            label=f"Faces: {label} → {predicted}", icon=":material/gallery_thumbnail:",
        )  # fmt: skip

st.subheader("Do people agree with its labels?", anchor=False)
given = by_the_datasets_labels(selection, "This section goes").a
raters = expression_view.raters(given, part, name)
if raters is None:
    st.caption(face_loading.no_votes(selection.a.run))
else:
    st.markdown(raters_in_words(name, raters))
    show_figure(
        expression_view.votes_figure(raters.votes, name), alt=f"FER+'s votes on faces of {name}"
    )

st.subheader("On which images it is hardest", anchor=False)
slices = {key: depth.slices.head(SLICES) for key, depth in found.items()}
if slices["A"].empty:
    st.caption("Nothing that is known of these images tells some of them from the others.")
else:
    worst = stacked(slices)
    titles = list(map(slice_title, worst.pop("property"), worst["slice"]))
    told = slices_in_words(worst.assign(slice=titles), {"accuracy": "recall"}, f"all {name}")
    st.dataframe(told, hide_index=True)
    st.caption(
        f"The {SLICES} slices of its own faces with the lowest recall. Of so many some are low by "
        "chance: the corrected p (Holm) says which are not."
    )

samples = selection.samples
images = image_loading.images(selection.a.run)
paired_b = selection.b if selection.pair else None
never, typical = expression_view.extremes(selection.a, paired_b, part, name)
open_chosen(samples, images, selection, never=never["row"], typical=typical["row"])
first, most = extremes_in_words(name, selection)
st.subheader("Never right, and most typical", anchor=False)
who = " or ".join(selection.paired_models)
st.markdown(
    f"Of {count(support)} faces labelled {name}, {count(len(never))} are right with no "
    f"seed of {who}, and {count(len(typical))} with every one."
)
if images.missing:
    images_missing(selection.a.run, images, "Its faces would be shown here.")
else:
    for order, words, faces in (
        ("never", f"Never right{first} ({min(TILES, len(never))})", never),
        ("typical", most, typical),
    ):
        st.markdown(f"**{words}**")
        if faces.empty:
            st.caption("There is none.")
        else:
            face_grid(faces.head(TILES), images, selection, order)

st.subheader("Where its faces lie", anchor=False)
keys = list(selection.paired_models)
one_of_these("features", keys)
key = one_of("Features of", keys, "features")
company = expression_view.company(selection, key, name)
if company is None:
    extras_view.not_computed(key, models[key].run)
else:
    around = company.neighbours
    if around.empty:
        st.caption(f"No face labelled {name} is on this map.")
    else:
        show_figure(company.figure, alt=f"{name} on {key}'s map")
        st.markdown(f"{letter(key)}: {neighbours_in_words(name, around)}")
        columns = {
            "class": "neighbour's label", "share": "of all", "right": "around those found",
            "wrong": "around those missed", "everywhere": "on the whole map",
        }  # fmt: skip
        numbers: dict[str, Format] = dict.fromkeys(list(columns.values())[1:], wording.percent)
        st.dataframe(readable(around.rename(columns=columns), numbers), hide_index=True)
        whose = "" if models[key].single else f" of {seed_title(models[key].run)}"
        st.caption(
            f"The {NEIGHBOURS} nearest faces of each, on a map{whose} that is made from the "
            "features before the classifier (t-SNE): it keeps neighbours together, distances mean "
            "little."
        )
        st.page_link(
            **link("embedding", features=key.lower(), true=name), label="The whole map",
            icon=":material/scatter_plot:",
        )  # fmt: skip

st.subheader("What one could do", anchor=False)
disputed = raters if selection.labels == "dataset" else None
facts = Facts(name, found["A"], disputed, selection.a.run.home.learned_from, difference)
st.markdown("\n".join(f"- {sentence}" for sentence in what_one_could_do(facts)))
st.caption(
    "Computed from A's figures above, by fixed rules: where to look first, not what is sure to "
    "help."
)
