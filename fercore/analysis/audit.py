"""What is wrong with a dataset, and what that does to the scores on it. Without torch."""

from dataclasses import dataclass
from threading import Lock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.analysis.neighbours import NEAR_DUPLICATE, ThumbnailIndex, near_duplicate_pairs
from fercore.data.faceset import FaceSet
from fercore.data.kept import Tables, kept
from fercore.data.votes import Votes
from fercore.labels import CLASSES, USAGES
from fercore.scoring.grouped.comparison import accuracy_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.image_properties import is_constant
from fercore.scoring.predictions import Predictions, image_count

ALL = "all"
_ONE_RANKING = Lock()  # cleanlab keeps what it works on in variables of its module


@dataclass(frozen=True)
class Audit:
    """What `audit` found. Labels are class names, `row` is the image's row in the source.

    counts: usage, a column per class, all.
    groups: one line per group of pixel-identical images, the largest first: images, a column per
    usage, labels ('fear, sad'), conflicting (bool), row (of its first image).
    across: one line per usage: usage, a column per other usage (images whose exact pixels occur
    there too) and for its own usage those that occur there more than once.
    constant: row, usage, label, grey (the mean, from 0 to 255).
    agreement: see `agreement_by_class`. not_a_face: usage, images. Both None without votes.
    """

    counts: pd.DataFrame
    groups: pd.DataFrame
    across: pd.DataFrame
    constant: pd.DataFrame
    agreement: pd.DataFrame | None
    not_a_face: pd.DataFrame | None

    @property
    def surplus(self) -> int:
        """Rows beyond the first of their group of pixel-identical images."""
        return int((self.groups["images"] - 1).sum())

    @property
    def conflicting(self) -> int:
        """Groups of pixel-identical images that carry different labels."""
        return int(self.groups["conflicting"].sum())


def audit(faces: FaceSet, votes: Votes | None = None) -> Audit:
    """Look through a dataset. `votes` must be about its rows: see `votes_for`."""
    inputs = [faces.identity, votes.fingerprint if votes else ""]
    tables = kept("audit", inputs, lambda: _tables(faces, votes))
    return Audit(
        counts=tables["counts"],
        groups=tables["groups"],
        across=tables["across"],
        constant=tables["constant"],
        agreement=tables.get("agreement"),
        not_a_face=tables.get("not_a_face"),
    )


def _tables(faces: FaceSet, votes: Votes | None) -> Tables:
    hashes = faces.pixel_hashes()
    tables = {
        "counts": _counts(faces),
        "groups": _groups(faces, hashes),
        "across": _across(faces, hashes),
        "constant": _constant(faces),
    }
    if votes:
        tables["agreement"] = agreement_by_class(faces.labels, faces.usage, faces.row, votes)
        tables["not_a_face"] = _not_a_face(faces, votes)
    return tables


def near_duplicates(faces: FaceSet) -> pd.DataFrame:
    """Pairs of different usages that are alike but not equal, the most similar first.

    Columns: first, second (positions in the set), similarity, row, usage, label, other_row,
    other_usage, other_label. Takes some seconds on FER2013 the first time; what is found is kept
    in the cache folder.
    """
    pairs = kept(
        "near-duplicates",
        [faces.identity, str(NEAR_DUPLICATE)],
        lambda: {"pairs": near_duplicate_pairs(ThumbnailIndex(faces), NEAR_DUPLICATE)},
    )["pairs"]
    names = np.array(CLASSES)
    for prefix, position in (("", pairs["first"]), ("other_", pairs["second"])):
        pairs[f"{prefix}row"] = faces.row[position]
        pairs[f"{prefix}usage"] = faces.usage[position]
        pairs[f"{prefix}label"] = names[faces.labels[position]]
    return pairs


def near_across(near: pd.DataFrame) -> pd.DataFrame:
    """From `near_duplicates`: usage, other_usage, images of `usage` that have one in the other."""
    pairs = [(later, USAGES[i]) for k, later in enumerate(USAGES) for i in range(k)]
    images = [
        near.loc[(near["usage"] == a) & (near["other_usage"] == b), "first"].nunique()
        for a, b in pairs
    ]
    return pd.DataFrame(pairs, columns=["usage", "other_usage"]).assign(images=images)


def agreement_by_class(
    labels: NDArray[np.int64], usage: NDArray[np.str_], rows: NDArray[np.int64], votes: Votes
) -> pd.DataFrame:
    """How often FER+'s raters give the label: a line per usage and class, and one for 'all'.

    labels (N,) are indices, usage (N,) names, rows (N,) FER2013's. Columns: usage, class, n;
    agreeing, labels of the plurality (`Votes.agreement_with`), and their share, from 0 to 1;
    majority, labels with more than half of the votes, and majority_share. Classes without images
    are left out.
    """
    frame = pd.DataFrame({"usage": usage, "class": np.array(CLASSES)[labels]})
    frame["agrees"] = votes.agreement_with(labels, rows)
    frame["most"] = votes.majority_for(labels, rows)
    frame = pd.concat([frame, frame.assign(**{"class": ALL})])
    table = frame.groupby(["usage", "class"]).agg(
        n=("agrees", "size"), agreeing=("agrees", "sum"), share=("agrees", "mean"),
        majority=("most", "sum"), majority_share=("most", "mean"),
    )  # fmt: skip
    order = [(part, name) for part in USAGES for name in (*CLASSES, ALL)]
    return table.reindex([key for key in order if key in table.index]).reset_index()


def label_issues(predictions: Predictions) -> pd.DataFrame:
    """Images whose label the model's probabilities speak against, the most doubtful first.

    Found by confident learning (Northcutt et al., 2021; cleanlab): it estimates per pair of
    classes how many labels are wrong, and takes that many of the least probable ones. Columns:
    row, pixels (hash), label, predicted (class names), quality (the probability of the label,
    from 0 to 1). The index is the image's position in `predictions`. Without a line where all
    labels are one class; of a class of one image none is found. Raises `RunError` without images.
    """
    image_count(predictions)
    arrays = predictions.rows, predictions.pixels, predictions.labels, predictions.probs
    inputs = [array.tobytes() for array in arrays]
    return kept("label-issues", inputs, lambda: {"issues": _ranked_labels(predictions)})["issues"]


def _ranked_labels(predictions: Predictions) -> pd.DataFrame:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels, probs = predictions.labels, predictions.probs
    doubtful = np.zeros(len(labels), bool)
    if len(np.unique(labels)) > 1:  # cleanlab holds classes against each other
        with _ONE_RANKING:
            doubtful = find_label_issues(labels, probs, n_jobs=1)
    quality = get_label_quality_scores(labels, probs, method="self_confidence")
    names = np.array(CLASSES)
    table = pd.DataFrame(
        {
            "row": predictions.rows,
            "pixels": predictions.pixels,
            "label": names[labels],
            "predicted": names[predictions.predicted],
            "quality": quality,
        }
    )
    return table[doubtful].sort_values("quality", kind="stable")


def scores_by_part(group: GroupPredictions, properties: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on all images, without and on exact copies, and where FER+ agrees with the label.

    Columns: subset, n, accuracy (from 0 to 1, a mean over seeds) with its interval. `properties`
    is `slices.slice_properties` of the same images; parts it knows nothing of, and empty ones, are
    left out.
    """
    parts = {"all images": np.ones(len(group), bool)}
    if "duplicate" in properties:
        copies = properties["duplicate"].to_numpy()
        parts |= {"without exact copies": ~copies, "the exact copies": copies}
    if "agreement" in properties:
        parts["FER+ agrees with the label"] = properties["agreement"].to_numpy()
    rows = []
    for name, keep in parts.items():
        if keep.any():
            own = group.where(keep)
            rows.append((name, len(own), float(own.correct.mean()), *accuracy_interval(own)))
    return pd.DataFrame(rows, columns=["subset", "n", "accuracy", "accuracy_low", "accuracy_high"])


def _counts(faces: FaceSet) -> pd.DataFrame:
    table = pd.DataFrame(faces.counts().values(), columns=CLASSES)
    table.insert(0, "usage", USAGES)
    return table.assign(all=table[list(CLASSES)].sum(axis=1))


def _groups(faces: FaceSet, hashes: NDArray[np.int64]) -> pd.DataFrame:
    frame = pd.DataFrame({"hash": hashes, "row": faces.row, "label": faces.labels})
    for usage in USAGES:
        frame[usage] = faces.usage == usage
    frame = frame[frame.duplicated("hash", keep=False)]
    groups = frame.groupby("hash", sort=False)
    table = groups[list(USAGES)].sum().astype(int)
    table.insert(0, "images", groups.size())
    table["labels"] = groups["label"].agg(_names).astype(str)
    table["conflicting"] = groups["label"].nunique() > 1
    table["row"] = groups["row"].min()
    return table.sort_values(["images", "row"], ascending=[False, True], ignore_index=True)


def _names(labels: pd.Series) -> str:
    return ", ".join(CLASSES[label] for label in sorted(set(labels)))


def _across(faces: FaceSet, hashes: NDArray[np.int64]) -> pd.DataFrame:
    _, group = np.unique(hashes, return_inverse=True)
    rank = np.array([USAGES.index(usage) for usage in faces.usage])
    holds = np.zeros((group.max(initial=-1) + 1, len(USAGES)), np.int64)  # images by group, usage
    np.add.at(holds, (group, rank), 1)
    others = holds[group]
    others[np.arange(len(rank)), rank] -= 1  # not the image itself
    table = pd.DataFrame(
        [(others[rank == k] > 0).sum(0) for k in range(len(USAGES))], columns=USAGES
    )
    table.insert(0, "usage", USAGES)
    return table


def _constant(faces: FaceSet) -> pd.DataFrame:
    flat = np.flatnonzero(is_constant(faces.images))
    return pd.DataFrame(
        {
            "row": faces.row[flat],
            "usage": faces.usage[flat],
            "label": np.array(CLASSES)[faces.labels[flat]],
            "grey": faces.images[flat].mean((1, 2)).round(),
        }
    )


def _not_a_face(faces: FaceSet, votes: Votes) -> pd.DataFrame:
    none = votes.not_a_face(faces.row)
    images = [int(none[faces.usage == usage].sum()) for usage in USAGES]
    return pd.DataFrame({"usage": USAGES, "images": images})
