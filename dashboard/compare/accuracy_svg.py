"""The Overview's figure: accuracies with their intervals, beside the paper's and the human one.

It is the first thing a person sees, and Plotly takes the browser a second or two to load; so this
one figure is plain SVG. Its menu (`figure_menus.js`) finds its numbers in it.
"""

from html import escape
from typing import NamedTuple

import pandas as pd

from fercore.csv_tables import csv_text
from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.scoring.statistics import Interval
from fercore.study.references import AUTHORS, HUMAN, PAPER, Published
from fercore.wording import interval, percent

TITLE = "Accuracy with 95 % interval"
_WIDTH, _HEIGHT = 480, 234  # narrow: on a telephone the letters are still read
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 20, 18, 162  # edges of the plotting area
_LINE = 20  # from one line of words to the next
_NO_INTERVAL = (float("nan"), float("nan"))
_MARGIN = 0.03  # of accuracy, left and right of what is drawn


class Score(NamedTuple):
    """A model's accuracy with its interval, and of a group each seed's; shares from 0 to 1."""

    key: str  # 'A' or 'B'
    accuracy: float
    interval: Interval
    seeds: tuple[float, ...] = ()


def accuracy_svg(
    scores: list[Score],
    *,
    references: bool,
    published: Published | None = None,
    dark: bool = False,
) -> str:
    """An SVG figure; `references` adds the paper's and the human accuracy, FER2013's alone, and
    where one is given a published one, which says what it was chosen on.
    """
    lines = {f"{AUTHORS}, {model}": value for model, value in PAPER.items()} if references else {}
    if references and published:
        lines[f"{published.model}, caveat below"] = published.accuracy
    drawn = [value for score in scores for value in (*score.interval, *score.seeds)]
    drawn += [*lines.values(), *HUMAN] if references else []
    low, high = max(0.0, min(drawn) - _MARGIN), min(1.0, max(drawn) + _MARGIN)

    def x(share: float) -> float:
        return round(_LEFT + (share - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    parts = [*_axis(low, high, x), *(_references(x, lines) if references else [])]
    for row, score in enumerate(scores):
        parts += _point(score, x, _TOP + (row + 1) * (_BOTTOM - _TOP) / (len(scores) + 1))
    height = _HEIGHT + _LINE * max(0, len(lines) - len(PAPER))
    text = "#fafafa" if dark else "#31333f"  # Streamlit's own
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" fill="{text}" '
        f'font-size="13" font-family="sans-serif">'
        f"<metadata>{escape(_numbers(scores, lines))}</metadata>{''.join(parts)}</svg>"
    )


def _numbers(scores: list[Score], lines: dict[str, float]) -> str:
    """What is drawn, as CSV, in percent."""
    rows: list[tuple[str, float, float, float]] = []
    for score in scores:
        rows += [(f"{score.key}, each seed", seed, *_NO_INTERVAL) for seed in score.seeds]
        rows.append((score.key, score.accuracy, *score.interval))
    rows += [(name, accuracy, *_NO_INTERVAL) for name, accuracy in lines.items()]
    if lines:
        rows.append(("human", sum(HUMAN) / 2, *HUMAN))
    value = "accuracy, %"
    table = pd.DataFrame(rows, columns=["trace", value, f"{value} low", f"{value} high"])
    table.iloc[:, 1:] = (100 * table.iloc[:, 1:]).round(10)
    return csv_text(table)


def in_words(scores: list[Score]) -> str:
    """The figure for those who cannot see it."""
    said = (f"{s.key} {percent(s.accuracy)} {interval(s.interval)}" for s in scores)
    return f"{TITLE}: {'; '.join(said)}"


def _axis(low: float, high: float, x) -> list[str]:
    ticks = [tick / 100 for tick in range(0, 101, 5) if low <= tick / 100 <= high]
    marks = [
        f'<text x="{x(tick)}" y="{_BOTTOM + 20}" text-anchor="middle" opacity="0.7">'
        f"{100 * tick:.0f} %</text>"
        for tick in ticks
    ]
    path = f"M{_LEFT} {_BOTTOM}H{_WIDTH - _RIGHT}"
    line = f'<path d="{path}" stroke="{REFERENCE_COLOUR}" opacity="0.5"/>'
    return [line, *marks]


def _references(x, lines: dict[str, float]) -> list[str]:
    band = (
        f'<rect x="{x(HUMAN.low)}" y="{_TOP}" width="{x(HUMAN.high) - x(HUMAN.low):.1f}" '
        f'height="{_BOTTOM - _TOP}" fill="{REFERENCE_COLOUR}" opacity="0.18"/>'
        f'<text x="{x(HUMAN.high)}" y="{_TOP - 4}" text-anchor="end" opacity="0.8">'
        "human 65 ± 5</text>"
    )
    marks = [
        f'<path d="M{x(value)} {_TOP}V{_BOTTOM}" stroke="{REFERENCE_COLOUR}" stroke-width="2" '
        f'stroke-dasharray="7 5"/><text x="{x(value)}" y="{_BOTTOM + 42 + row * _LINE}" '
        f'text-anchor="{_anchor(x(value))}" opacity="0.8">{name}, {100 * value:.2f} %</text>'
        for row, (name, value) in enumerate(lines.items())
    ]
    return [band, *marks]


def _anchor(x: float) -> str:
    """How a word stands to a place, so that neither edge cuts it."""
    return "start" if x < _WIDTH / 3 else "end" if x > 2 * _WIDTH / 3 else "middle"


def _point(score: Score, x, y: float) -> list[str]:
    colour = MODEL_COLOURS[score.key]
    low, high = (x(bound) for bound in score.interval)
    seeds = "".join(
        f'<circle cx="{x(seed)}" cy="{y}" r="4" fill="{colour}" opacity="0.35"/>'
        for seed in score.seeds
    )
    whiskers = f"M{low} {y}H{high}M{low} {y - 6}V{y + 6}M{high} {y - 6}V{y + 6}"
    return [
        f'<text x="6" y="{y + 5}" font-weight="600">{score.key}</text>{seeds}'
        f'<path d="{whiskers}" stroke="{colour}" stroke-width="3" fill="none"/>'
        f'<circle cx="{x(score.accuracy)}" cy="{y}" r="7" fill="{colour}"/>'
    ]
