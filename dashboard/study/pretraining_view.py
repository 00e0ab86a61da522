"""The answers on the page on pretraining, from its study's results."""

from dashboard.base.charts import show_figure
from dashboard.study import study_figures
from dashboard.study.study_view import told
from fercore.study.pretraining import FEW, FREEZING, GAIN, WINNER, Pretraining

_FIGURES = {  # a topic's title of the figure beneath its answer
    GAIN: "ImageNet's weights against fresh ones, points",
    WINNER: "What pretraining adds to a head's distance to the CNN, points",
    FEW: "Pretrained on fewer images against from scratch on all, points",
    FREEZING: "A frozen trunk against one that learns, points",
}


def answers(results: Pretraining) -> None:
    """Each question with its answer and figure."""
    for answer in results.answers:
        told(answer)
        own = results.contrasts[results.contrasts["family"] == answer.topic]
        if len(own):
            title = _FIGURES[answer.topic]
            show_figure(study_figures.contrasts_figure(own, title), alt=title)
        if answer.topic == FEW and len(results.curve):
            show_figure(
                study_figures.shares_figure(results.curve), alt="Accuracy by share of Training"
            )
