"""The faces of a report, where they are asked for: what the two models get wrong."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from fercore.data import FaceSet
from fercore.figures.pictures import png_url
from fercore.report.parts import Faces, Section, Text, Tile
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.grouped.samples import sample_table
from fercore.scoring.samples import view_mask
from fercore.wording import count, percent

_VIEWS = ("A wrong, B right", "A right, B wrong", "both wrong")
_EACH = 16


def faces_section(a: GroupPredictions, b: GroupPredictions, faces: FaceSet | None) -> Section:
    """The faces on which the wrong one is most confident, of each kind; the first ones where it is
    not known how sure it is.
    """
    title = "Faces"
    if faces is None:
        return Section("faces", title, [Text("The images are not on this machine.")])
    samples = sample_table(a, b)
    place = faces.positions(samples["pixels"].to_numpy())
    samples = samples.assign(place=place)[place >= 0]
    kinds = []
    for view in _VIEWS:
        wrong = "b" if view == "A right, B wrong" else "a"
        found = samples[view_mask(samples, view)]
        found = found.sort_values(f"{wrong}_confidence", ascending=False, kind="stable")
        tiles = [_tile(line, wrong, faces) for line in found.head(_EACH).to_dict("records")]
        which = f"the {len(tiles)} with the most confident mistakes"
        if (b if wrong == "b" else a).labels_only:
            which = f"{len(tiles)} of {count(len(found))}"
        kinds.append(Faces(f"{view}: {which}", tiles))
    warning = (
        "They show people who were not asked. Look at them for your own work, and do not pass them "
        "on."
    )
    return Section("faces", title, [Text(warning), *kinds])


def _tile(line: Mapping[Hashable, Any], wrong: str, faces: FaceSet) -> Tile:
    said, sure = line[f"{wrong}_predicted"], float(line[f"{wrong}_confidence"])
    how = "" if np.isnan(sure) else f", {percent(sure, 0)}"
    words = f"{line['label']} → {said}{how}"
    face = Image.fromarray(np.asarray(faces.images[int(line["place"])]))
    return Tile(png_url(face), words)
