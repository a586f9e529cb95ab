"""Plots as SVG, drawn here: bars by day, in one colour or several that are stacked.

A plot is a picture of a table that stands beside it: that is for whoever cannot see the plot, and
for whoever wants the numbers. No style is inline: colours come from the style sheet by class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 12, 26
_GAP = 0.28
"""Of a bar's place, left free."""

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TICKS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers over time under one name. `kind` is the class that gives them their colour."""

    name: str
    kind: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn: a series of values for each label, stacked where there are several.

    `money`: they are dollars. `limit` is a line across, with a name.
    """

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    money: bool = False
    limit: float | None = None
    limit_name: str = ""

    @property
    def empty(self) -> bool:
        """Is there nothing to see?"""
        return not any(any(one.values) for one in self.series)

    def written(self, value: float) -> str:
        """Return one of its numbers as text."""
        if not self.money:
            return f"{value:,.0f}"
        return f"${value:,.2f}" if value >= 0.01 or value == 0 else "<$0.01"


def draw(plot: Plot) -> Markup:
    """Return the plot as one SVG element."""
    tops = [sum(one.values[at] for one in plot.series) for at in range(len(plot.labels))]
    step = _step(max([*tops, 0.0]), whole=not plot.money)
    top = step * TICKS
    limit = plot.limit if plot.limit is not None and plot.limit <= top else None
    parts = [
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, _summary(plot, tops)
        )
    ]
    parts += [_rule(plot, step * at, top) for at in range(TICKS + 1)]
    parts += _bars(plot, top)
    if limit is not None:
        y = _y(limit, top)
        parts.append(
            Markup('<line class="limit" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                _LEFT, WIDTH - _RIGHT, y, y
            )
        )
        parts.append(
            Markup('<text class="limit-name" x="{}" y="{}" text-anchor="end">{}</text>').format(
                WIDTH - _RIGHT, max(y - 4, 9), plot.limit_name
            )
        )
    parts += _dates(plot)
    return Markup("").join([*parts, Markup("</svg>")])


def _summary(plot: Plot, tops: Sequence[float]) -> str:
    """Say in a sentence what somebody would see at a glance."""
    if plot.empty or not plot.labels:
        return f"{plot.title}: nothing yet."
    highest = max(range(len(tops)), key=tops.__getitem__)
    every = ", ".join(f"{one.name} {plot.written(sum(one.values))}" for one in plot.series)
    return (
        f"{plot.title}, {plot.labels[0]} to {plot.labels[-1]}: {every}; "
        f"most on {plot.labels[highest]}. The table below has the numbers."
    )


def _bars(plot: Plot, top: float) -> list[Markup]:
    place = (WIDTH - _LEFT - _RIGHT) / max(1, len(plot.labels))
    width = place * (1 - _GAP)
    bars = []
    for at, label in enumerate(plot.labels):
        x = _LEFT + place * at + place * _GAP / 2
        under = 0.0
        for one in plot.series:
            value = one.values[at]
            if not value:
                continue
            y, y_end = _y(under + value, top), _y(under, top)
            said = f"{label}: {one.name} {plot.written(value)}"
            bars.append(
                Markup(
                    '<rect class="column {}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}">'
                    "<title>{}</title></rect>"
                ).format(one.kind, x, y, width, max(0.8, y_end - y), escape(said))
            )
            under += value
    return bars


def _rule(plot: Plot, value: float, top: float) -> Markup:
    y = _y(value, top)
    return Markup(
        '<line class="rule" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>'
    ).format(_LEFT, WIDTH - _RIGHT, y, y, _LEFT - 8, y + 4, plot.written(value))


def _dates(plot: Plot) -> list[Markup]:
    """Write the first, the last and some labels between, as many as there is room for."""
    number = len(plot.labels)
    place = (WIDTH - _LEFT - _RIGHT) / max(1, number)
    every = max(1, -(-number // 6))
    shown = [at for at in range(number) if at % every == 0]
    return [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            _LEFT + place * (at + 0.5), HEIGHT - 6, plot.labels[at]
        )
        for at in shown
    ]


def _y(value: float, top: float) -> float:
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 2)


def _step(highest: float, *, whole: bool) -> float:
    """Return a round number of which TICKS reach the highest value; whole ones, or whole cents."""
    wanted = max(highest, 1e-6 if not whole else TICKS) / TICKS
    size = 1.0
    while size * 10 <= wanted:
        size *= 10
    while size > wanted:
        size /= 10
    step = next(size * one for one in _STEPS if size * one >= wanted * (1 - 1e-9))
    return max(1.0, float(round(step + 0.49))) if whole else max(step, 0.01)
