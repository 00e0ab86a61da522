"""Which parameters decide each page's view, under which keys, and what they may be.

Keys stay when the words on the screen change; where both are words, this is the one place that
knows which key stands for which.
"""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboard.base import address, index_sets, keys, loading
from dashboard.base.address import PAGE, Parameter, choice, number
from dashboard.base.navigation import page_path
from dashboard.base.own_slices import NOTHING, attributes, crossable, own_slices
from dashboard.base.selecting import fitting_view
from dashboard.base.selection import ANY, NO_MODEL, WHOLE_RANGE, default_pair
from fercore.analysis.review import VERDICTS
from fercore.analysis.what_if import SCALES
from fercore.groups.group import Group
from fercore.labels import CLASSES
from fercore.predict.sample_photos import SAMPLE_PHOTOS
from fercore.scoring.ece import BINS
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.labelling import LABELS
from fercore.scoring.predictions import PARTS
from fercore.scoring.slices import SLICE_KEYS, SLICES, slice_title
from fercore.study.references import published

NORMALISATIONS = {"row": "share of the label", "column": "share of the prediction", "none": "count"}
CURVES = {"roc": "ROC", "pr": "Precision and recall"}
PROBABILITIES = {"trained": "as trained", "scaled": "temperature-scaled"}
ORDERS = {
    "sure": "most confident",
    "unsure": "least confident",
    "loss": "highest loss",
    "margin": "narrowest margin",
    "seeds": "most seeds wrong",
}
PAIRS = {"alike": "most alike", "differ": "labels differ"}
COLOURINGS = {"label": "label", "prediction": "prediction", "outcome": "right or wrong"}
FACES_FROM = {"images": "one of the images", "photo": "a photo"}
LOOKED_AT = {"photos": "photos", "clip": "a clip"}
CROSS_ONE, CROSS_OTHER, GAPS_BY = "cross-one", "cross-other", "gaps-by"
WEBCAM_MODELS = {"a": "A", "b": "B", "both": "A and B"}
WISHES = {"precision": "precision", "alarms": "false alarms"}
STUDY_IMAGES = {name: PARTS[name] for name in ("clean", "private")}  # the plan's go first
STUDY_CURVES = ("cnn", "cnn_lstm", "cnn_lstm_mean", "cnn_lstm-low-rate")  # shown at first

_WHICH = {
    "a": "A wrong",
    "b": "B wrong",
    "a-alone": "A wrong, B right",
    "b-alone": "A right, B wrong",
    "both": "both wrong",
    "alike": "both wrong alike",
    "always": "all seeds of both wrong",
    "all": "all",
}
_SLICES = {ANY: ANY} | {
    SLICE_KEYS[name, part]: slice_title(name, part)
    for name, parts in SLICES.items()
    for part in parts
}
_OF_CELL = frozenset({keys.MODEL_A, keys.MODEL_B, *keys.CELL})
_OF_FACES = frozenset({keys.WHICH, "order", keys.SEEDS_WRONG})


def _of_classes(key: str, title: str, **more) -> Parameter:
    return choice(key, title, (ANY, *CLASSES), **more)


def _label_shown(key: str, otherwise: str = "happy") -> Parameter:
    """A class that is looked at: the label that is selected, until another is chosen."""

    def selected() -> str:
        return otherwise if st.session_state[keys.TRUE] == ANY else st.session_state[keys.TRUE]

    return choice(key, "label", CLASSES, selected, after=frozenset({keys.TRUE}))


def _range(text: str) -> tuple[int, int]:
    low, high = map(int, text.split("-"))
    if not WHOLE_RANGE[0] <= low <= high <= WHOLE_RANGE[1]:
        raise ValueError(text)
    return low, high


def _now(key: str, title: str, options: Callable[[], dict[str, str]], otherwise: str) -> Parameter:
    """A choice among options that people add to and take from, by their keys in the URL."""

    def write(value: str) -> str:
        return {name: key for key, name in options().items()}[value]

    return Parameter(key, title, lambda: otherwise, lambda text: options()[text], write,
                     words=lambda value: value or "the first one")  # fmt: skip


def _groupings() -> dict[str, str]:
    return {"": ""} | attributes()


def _percents(key: str, title: str) -> Parameter:
    return Parameter(key, title, lambda: WHOLE_RANGE, _range, lambda pair: "{}-{}".format(*pair),
                     words=lambda pair: "{} to {} %".format(*pair))  # fmt: skip


def _shared(models: Sequence[Group]) -> list[Parameter]:
    """Those of every page: they stand in the sidebar."""
    pair = []
    if models:
        first, second = default_pair(list(models))
        named = [model.name for model in models]
        of_model = partial(choice, always=True)
        pair = [
            of_model(keys.MODEL_A, "run of A", named, first),
            of_model(keys.MODEL_B, "run of B", [*named, NO_MODEL], second),
        ]
    return [
        *pair,
        choice(keys.PART, "part of the images", tuple(loading.every_part()), words=PARTS.get),
        choice(keys.LABELS, "kind of labels", tuple(LABELS), words=LABELS.get),
        _of_classes(keys.TRUE, "label"),
        _of_classes(keys.PREDICTED, "class that A says"),
        _of_classes(keys.PREDICTED_B, "class that B says"),
        choice(keys.SLICE, "slice", _SLICES | own_slices()),
        _percents(keys.CONFIDENCE, "confidence"),
    ]


_FACE = number(
    keys.FACE, "face", low=-(2**63), high=2**63 - 1, words=lambda _: "none", after=frozenset({PAGE})
)
_EXPLAIN = choice("explain", "explanation", {"off": False, "on": True})
_FEATURES = choice("features", "model", {"a": "A", "b": "B"})
_SAMPLES = {name.replace(" ", "-"): name for name in SAMPLE_PHOTOS}

_OWN: dict[str, list[Parameter]] = {
    "overview": [choice("beside", "published figure", (ANY, *(one.key for one in published())))],
    "confusion": [
        choice("normalise", "share", tuple(NORMALISATIONS), words=NORMALISATIONS.get), _EXPLAIN
    ],
    "per_class": [choice(keys.METRIC, "metric", CLASS_METRICS)],
    "roc_and_pr": [
        choice("curve", "curve", tuple(CURVES), words=CURVES.get),
        number("threshold", "threshold", 0.0, 1.0, 0.5),
        _label_shown("about"),
        _EXPLAIN,
    ],
    "calibration": [
        choice("probabilities", "kind of probabilities", PROBABILITIES),
        number("unsure", "share of unsure answers", 0, 90, 20),
        number("point", "point of the figure", 1, BINS, BINS // 2),
        _EXPLAIN,
    ],
    "misclassified": [
        choice(keys.WHICH, "kind of mistakes", _WHICH, fitting_view, after=_OF_CELL),
        choice("order", "order", tuple(ORDERS), words=ORDERS.get),
        _percents(keys.SEEDS_WRONG, "share of seeds"),
        number("page", "page of faces", 1, 10**6, 1, after=keys.SHARED | _OF_FACES),
        _FACE,
    ],
    "good_enough": [
        choice("wish", "kind of wish", tuple(WISHES), words=WISHES.get),
        choice("surely", "sureness", {"off": False, "on": True}),
        *(number(f"precision-{name}", f"precision of {name}", 0, 100, 80) for name in CLASSES),
        *(number(f"alarms-{name}", f"share of {name}", 0.0, 100.0, 3.0) for name in CLASSES),
    ],
    "expression": [_label_shown("expression", otherwise="fear"), _FEATURES, _FACE],
    "slices": [
        _now(CROSS_ONE, "property that is crossed", crossable, NOTHING),
        _now(CROSS_OTHER, "property that it is crossed with", crossable, NOTHING),
        _now(GAPS_BY, "attribute of the gaps", _groupings, ""),
        _FACE,
    ],
    "embedding": [
        _FEATURES,
        choice("colouring", "colouring", COLOURINGS),
        Parameter(
            keys.LASSO, "choice of faces on the map", tuple, index_sets.read, index_sets.written,
            words=lambda _: "none", after=keys.SHARED | {"features"},
        ),
        _FACE,
    ],
    "robustness": [_label_shown("example")],
    "data_audit": [choice("pairs", "kind of pairs", tuple(PAIRS), words=PAIRS.get), _FACE],
    "review": [
        choice("verdict", "verdict", (ANY, *VERDICTS)),
        _of_classes("label", "label"),
        number("verdict_page", "page of faces", 1, 10**6, 1, after=frozenset({"verdict", "label"})),
        _FACE,
    ],
    "does_the_lstm_lose": [
        choice("images", "part of the images", tuple(STUDY_IMAGES), words=STUDY_IMAGES.get),
        Parameter(
            "curves", "learning curves", lambda: list(STUDY_CURVES),
            lambda text: [name for name in text.split(",") if name], ",".join,
        ),
    ],
    "pretraining": [
        choice("images", "part of the images", tuple(STUDY_IMAGES), words=STUDY_IMAGES.get),
    ],
    "predict": [
        choice("look", "kind of picture", tuple(LOOKED_AT), words=LOOKED_AT.get),
        choice("sample", "sample", _SAMPLES, lambda: None),
    ],
    "what_if": [
        choice("from", "kind of face", tuple(FACES_FROM), words=FACES_FROM.get),
        number("row", "face", low=-(2**63), high=2**63 - 1, words=lambda _: "the first one"),
        choice("sample", "sample", _SAMPLES, lambda: None),
        choice("along", "curve", tuple(SCALES), words=lambda name: SCALES[name].title),
    ],
    "webcam": [
        choice("models", "choice of models", WEBCAM_MODELS, lambda: "A and B"),
        number("smoothing", "smoothing", 0.0, 2.0, 0.3),
        choice("mirror", "mirror", {"on": True, "off": False}),
    ],
}  # fmt: skip


def follow(page: str) -> None:
    """`address.follow` with the parameters of every page and of this one."""
    address.follow(page, _shared(loading.models()), _OWN)


def keep_face() -> None:
    """Into the URL which face is open now, where a dialog has gone on to another."""
    address.keep(_FACE)


def cell_link(page: str, true: str = ANY, predicted: str = ANY, **changes: str) -> dict:
    """A `link` that selects one cell and nothing else."""
    cell = dict(zip(keys.CELL, (true, predicted, ANY)))
    everything = {keys.SLICE: ANY, keys.CONFIDENCE: "0-100"}
    return link(page, **everything, **cell, **changes)


def link(page: str, **changes: str) -> dict:
    """Arguments of `st.page_link` for a page, with the view that is shared and these changes.

    changes: by key, as the URL has them.
    """
    return {
        "page": page_path(page),
        "query_params": address.query(keys.SHARED, _OWN.get(page, ()), changes),
    }


def class_link(name: str) -> dict:
    """A `link` to what there is to say of one class."""
    return link("expression", expression=name)
