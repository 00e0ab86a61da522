"""A report on two models as one HTML file, which asks for nothing outside and opens from disk."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import plotly
from plotly.offline import get_plotlyjs

from fercore import __version__
from fercore.analysis.properties import known_properties
from fercore.data import SYNTHETIC, FaceSet
from fercore.errors import DataError
from fercore.groups.finding import is_the_papers
from fercore.groups.group import Group
from fercore.groups.verdict import title_of
from fercore.labels import NOT_FOR
from fercore.report.background import (
    data_section,
    protocol_section,
    study_section,
    terms_section,
)
from fercore.report.calibrated import calibration_section
from fercore.report.compared import (
    class_section,
    confusion_section,
    curve_section,
    slice_section,
    verdict_section,
)
from fercore.report.faces import faces_section
from fercore.report.parts import Section
from fercore.report.templates import environment
from fercore.runs.artifacts import Run
from fercore.runs.commit import git_commit
from fercore.runs.origin import faces_of, votes_of
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.labelling import LABELS
from fercore.scoring.predictions import PARTS, check_paired
from fercore.wording import count, n_equals


def report_html(a: Group, b: Group, part: str = "private", *, with_faces: bool = False) -> str:
    """The report on A and B, runs or groups, on a part of the images: a whole HTML page.

    A further part is one that both are already `on`. with_faces: whether it shows people's faces.
    Raises `RunError` where the two were not scored on the same images of that part.
    """
    models = {"A": a, "B": b}
    said = {key: model.predictions(part) for key, model in models.items()}
    check_paired(said["A"], said["B"])
    return environment().get_template("report.html").render(
        title=title_of(models),
        models={key: model.title for key, model in models.items()},
        facts=_facts(a, said["A"], part),
        sections=_sections(models, said, part, with_faces),
        not_for=NOT_FOR,
        synthetic=any(model.dataset == SYNTHETIC for model in models.values()),
        plotly=get_plotlyjs(),
    )  # fmt: skip


def _sections(
    models: Mapping[str, Group], said: Mapping[str, GroupPredictions], part: str, with_faces: bool
) -> list[Section]:
    a, b = models.values()
    run = a.first_of(said["A"])
    faces, votes = _faces(run), votes_of(run)
    properties = known_properties(run, said["A"].tables[0], faces=faces, votes=votes)
    of_study = [study_section()] if is_the_papers(a, b) and part in PARTS else []
    of_faces = [faces_section(said["A"], said["B"], faces)] if with_faces else []
    return [
        verdict_section(a, b, said, part),
        confusion_section(said),
        class_section(said),
        curve_section(said),
        calibration_section(models, said),
        slice_section(said, properties, measured=faces is not None),
        *of_study,
        *of_faces,
        data_section(run, faces, votes),
        protocol_section(models, _versions(a, b, part, with_faces)),
        terms_section(),
    ]


def _faces(run: Run) -> FaceSet | None:
    with suppress(DataError):
        return faces_of(run)
    return None


def _facts(a: Group, said: GroupPredictions, part: str) -> list[str]:
    """What it is about, in a line below the title."""
    facts = [f"{PARTS.get(part, part)}, {n_equals(len(said))}"]
    if a.labelling:
        left_out = count(a.run.left_out(part))
        facts.append(f"labels: {LABELS[a.labelling.name]}; {left_out} images without left out")
    return facts


def _versions(a: Group, b: Group, part: str, with_faces: bool) -> dict[str, str]:
    faces = " --faces" if with_faces else ""
    labels = f" --labels {a.labelling.name}" if a.labelling else ""
    commit = git_commit()
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "by": f"fercore {__version__}{f', commit {commit}' if commit else ''}",
        "again by": f"fercore report {a.name} {b.name} --part {part}{labels}{faces}",
        "figures": f"Plotly {plotly.__version__}, inside this file",
    }
