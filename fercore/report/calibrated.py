"""A report's section, and a card's table, on whether a model is right as often as it says."""

from collections.abc import Mapping

from fercore.errors import RunError
from fercore.figures.reliability import reliability_figure
from fercore.groups.group import Group
from fercore.report.compared import Said, labels_only
from fercore.report.parts import Section, Table, Text, drawing
from fercore.scoring.grouped import calibration
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.wording import count, in_percent, number, with_interval

COVERAGE = 0.8  # of the images, of which a model answers its surest
CALIBRATION_COLUMNS = (
    "probabilities", "n", "debiased ECE %", "plain ECE", "a calibrated model's", "answered",
    "right on those %",
)  # fmt: skip
ECE_TOLD = (
    "ECE: the mean gap between confidence and accuracy. Chance pushes the plain one up, so that "
    "even a calibrated model's is above 0; the debiased one is without that."
)


def calibration_section(models: Mapping[str, Group], said: Said) -> Section:
    """Whether a model is right as often as it says."""
    title = "Calibration"
    if only := labels_only(said):
        return Section("calibration", title, [Text(f"{only} No calibration can be told.")])
    tables = {key: calibration.reliability(group) for key, group in said.items()}
    rows = [row for key in said for row in calibration_rows(key, models[key], said[key])]
    return Section(
        "calibration",
        title,
        [
            drawing(reliability_figure(said, tables), height=460),
            Table(
                [*CALIBRATION_COLUMNS],
                rows,
                f"{ECE_TOLD} Temperatures are fitted on PublicTest. Right on those: accuracy on "
                f"the {number(100 * COVERAGE, 0)} % of the images of which the model is surest.",
            ),
        ],
    )


def calibration_rows(key: str, model: Group, group: GroupPredictions) -> list[list[str]]:
    """A model's lines of the calibration's table, as trained and temperature-scaled; key: 'A'."""
    versions = {f"{key} as trained".strip(): group}
    try:
        fitted = calibration.fit_temperatures(model.home.predictions("public"))
        versions[f"{key} temperature-scaled".strip()] = calibration.with_temperatures(group, fitted)
    except RunError:  # without PublicTest nothing may be fitted
        pass
    rows = []
    for title, version in versions.items():
        scores = calibration.calibration_scores(version)
        answered = calibration.accuracy_at_coverage(version, COVERAGE)
        rows.append(
            [
                title,
                count(len(version)),
                with_interval(*scores.debiased),
                in_percent(scores.ece),
                in_percent(scores.chance),
                count(answered.answered),
                with_interval(answered.accuracy, answered.interval),
            ]
        )
    return rows
