"""Training: loss and accuracy by epoch."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.base.figures import drawn_once
from dashboard.base.plain import plain
from fercore.figures.colours import MODEL_COLOURS
from fercore.figures.parts import legend_below, ring, styled
from fercore.groups.group import group_of
from fercore.runs.artifacts import Run
from fercore.runs.words import epoch_choice
from fercore.wording import count, duration

_PANELS = ((1, "loss", 1), (2, "accuracy", 100))  # the last: what a figure is multiplied by


def training_facts(run: Run, epochs: int) -> dict[str, str]:
    """How a run was trained, for people, a line each."""
    info, hardware, seconds = run.info, run.info["hardware"], run.info["seconds"] or 0.0
    return {
        "recipe": plain(f"{group_of(run).recipe_name}: {run.recipe.summary}"),
        "trained on": f"{plain(run.dataset)}, "
        f"{count(sum(info['dataset']['counts']['Training']))} images",
        "epochs": f"{epochs}; {info['best_epoch']} was {epoch_choice(run)}",
        "parameters": count(info["parameters"] or 0),
        "operations per image": f"{(info['flops_per_image'] or 0) / 1e6:.0f} MFLOP",
        "time": f"{duration(seconds)}, {duration(seconds / epochs)} per epoch",
        "made on": plain(
            f"{hardware['processor']}, threads: {hardware['threads']}, {hardware['precision']}"
            if hardware
            else "–"
        ),
        "seed": plain(info["seed"]),
    }


@drawn_once
def history_figure(
    histories: dict[str, pd.DataFrame],
    best: Mapping[str, int | None],
    seeds: Mapping[str, pd.DataFrame] | None = None,
) -> go.Figure:
    """Loss and accuracy by epoch; dotted on Training, solid on PublicTest, a ring at the choice.

    seeds: the histories of a group, with a column that tells its seeds apart; drawn faintly.
    """
    figure = make_subplots(rows=1, cols=2, subplot_titles=("loss", "accuracy"))
    for key, every in (seeds or {}).items():
        _add_seeds(figure, key, every)
    for key, history in histories.items():
        _add_parts(figure, key, history)
        _add_choice(figure, key, history[history["epoch"] == best[key]])
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(ticksuffix=" %", col=2)
    title, columns = "Loss and accuracy by epoch", {"y": "loss, or accuracy in %"}
    return legend_below(styled(figure, title, height=480, wide=True, columns=columns))


def _add_parts(figure: go.Figure, key: str, history: pd.DataFrame) -> None:
    for part, title, dash in (("train", "Training", "dot"), ("val", "PublicTest", "solid")):
        label = f"{key} {title}"
        for column, name, factor in _PANELS:
            figure.add_scatter(
                x=history["epoch"], y=factor * history[f"{part}_{name}"], mode="lines",
                line={"color": MODEL_COLOURS[key], "dash": dash, "width": 2}, name=label,
                legendgroup=label, showlegend=column == 1, row=1, col=column,
                hovertemplate=f"{label}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
            )  # fmt: skip


def _add_choice(figure: go.Figure, key: str, chosen: pd.DataFrame) -> None:
    for column, name, factor in _PANELS:
        figure.add_scatter(
            x=chosen["epoch"], y=factor * chosen[f"val_{name}"], mode="markers", marker=ring(key),
            name=f"{key} chosen epoch", showlegend=False, row=1, col=column,
            hovertemplate=f"{key} chosen epoch %{{x}}: %{{y:.3g}}<extra></extra>",
        )  # fmt: skip


def _add_seeds(figure: go.Figure, key: str, histories: pd.DataFrame) -> None:
    """One line for all seeds, broken between them: PublicTest's."""
    broken = [
        pd.concat([own, own.tail(1).assign(epoch=None)]) for _, own in histories.groupby("seed")
    ]
    lines = pd.concat(broken)
    for column, name, factor in _PANELS:
        figure.add_scatter(
            x=lines["epoch"], y=factor * lines[f"val_{name}"], mode="lines", hoverinfo="skip",
            line={"color": MODEL_COLOURS[key], "width": 1}, opacity=0.3, name=f"{key}, each seed",
            legendgroup=f"{key} seeds", showlegend=column == 1, row=1, col=column,
        )  # fmt: skip
