"""The figures of `fercore.figures` as pages show them: each drawn once."""

import plotly.graph_objects as go

from dashboard.base.figures import drawn_once
from dashboard.base.turns import out_of_turn
from fercore.figures import classes, confusion, curves, reliability, slices, withheld
from fercore.scoring.grouped.predictions import GroupPredictions

class_difference_figure = drawn_once(classes.class_difference_figure)
class_figure = drawn_once(classes.class_figure)
confusion_figure = drawn_once(confusion.confusion_figure)
curves_figure = drawn_once(out_of_turn()(curves.curves_figure))  # bands of many seeds take seconds
difference_figure = drawn_once(confusion.difference_figure)
recall_figure = drawn_once(withheld.recall_figure)
reliability_figure = drawn_once(reliability.reliability_figure)
slices_figure = drawn_once(slices.slices_figure)
wanted_figure = drawn_once(withheld.wanted_figure)


@drawn_once
def curves_at(
    tables: dict[str, GroupPredictions], kind: str, threshold: float, taught: str | None = None
) -> go.Figure:
    """The curves, which stay as they are, with points on them that move."""
    return curves.marked_at(curves_figure(tables, kind), tables, kind, threshold, taught)
