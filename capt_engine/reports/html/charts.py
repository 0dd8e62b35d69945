"""Charts of a page as vectors: lines with bands, bars with whiskers, a heat map with counts. Colours are the style sheet's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from capt_engine.records import Bar, BarChart, ConfusionMatrix, LineChart, Series
from capt_engine.reports.html import pictures
from capt_engine.reports.html.text import name, percent, plain, shortened, text

_WIDTH, _HEIGHT = 640, 370
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 18, 40, 60
_STYLES = 6
_MOST_BARS = 80
_BAR = 46
_MOST_CELLS = 40
_CELL = 38
_STEPS = (0.1, 0.25, 0.5, 0.75)
"""A cell of the heat map takes one of five colours, by its share of the row, so that its figure can always be read on it."""

Point = tuple[float, float, float, float]
Rows = Iterable[tuple[str, ...]]


def figure(number: int, caption: str, body: Iterable[str], data: Iterable[str]) -> Iterator[str]:
    """A numbered figure: what is drawn, the caption, and the same figures as a table that can be unfolded."""
    yield '<figure class="chart">\n'
    yield from body
    yield f"<figcaption><b>Figure {number}.</b> {text(caption)}</figcaption>\n"
    yield '<details class="figures"><summary>The figures as a table</summary><div class="scroll">\n'
    yield from data
    yield "</div></details>\n</figure>\n"


def line_chart(chart: LineChart, number: int) -> Iterator[str]:
    """Lines with their intervals as bands."""
    lines = [(one.name, _finite(one)) for one in chart.series]
    points = [point for _, some in lines for point in some]
    share = all(0 <= value <= 1 for point in points for value in point[1:])
    shown = percent if share else _short
    data = (
        (one, _short(x), shown(y), f"{shown(low)} to {shown(high)}") for one, some in lines for x, y, low, high in some
    )
    table = _data(("", chart.x_title, chart.y_title, "95 % interval"), data)
    yield from figure(number, chart.caption, _lines(chart, number, lines, share), table)


def _lines(chart: LineChart, number: int, lines: list[tuple[str, list[Point]]], share: bool) -> Iterator[str]:
    points = [point for _, some in lines for point in some]
    if not points:
        yield '<p class="note">There is nothing to draw.</p>\n'
        return
    shown = percent if share else _short
    across = _ticks(
        min(p[0] for p in points), max(p[0] for p in points), 8, whole=all(p[0] == int(p[0]) for p in points)
    )
    up = [step / 5 for step in range(6)] if share else _ticks(min(p[2] for p in points), max(p[3] for p in points), 6)

    def x_of(value: float) -> float:
        return _LEFT + (value - across[0]) / (across[-1] - across[0]) * (_WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - up[0]) / (up[-1] - up[0]) * (_HEIGHT - _TOP - _BOTTOM)

    yield '<ul class="legend" role="list">'
    for place, (one, _) in enumerate(lines):
        yield f'<li><svg class="s{place % _STYLES}" width="34" height="14" viewBox="0 0 34 14" aria-hidden="true">'
        yield f'<path class="line" d="M1 7H33"/>{_marker(place, 17, 7, "")}</svg> {name(one)}</li>'
    yield "</ul>\n"
    yield _opened("chart-line", number, chart.caption, chart.alt, _WIDTH, _HEIGHT)
    yield '<g class="axis">'
    for tick in up:
        yield f'<path class="rule" d="M{_LEFT} {y_of(tick):.1f}H{_WIDTH - _RIGHT}"/>'
        yield f'<text class="end" x="{_LEFT - 9}" y="{y_of(tick) + 4.5:.1f}">{percent(tick, 0) if share else _short(tick)}</text>'
    base = _HEIGHT - _BOTTOM
    yield f'<path class="base" d="M{_LEFT} {base}H{_WIDTH - _RIGHT}"/>'
    for tick in across:
        yield f'<path class="base" d="M{x_of(tick):.1f} {base}v5"/>'
        yield f'<text class="middle" x="{x_of(tick):.1f}" y="{base + 22}">{_short(tick)}</text>'
    yield f'<text class="title" x="4" y="18">{text(shortened(chart.y_title, 60))}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text class="title middle" x="{middle:.0f}" y="{_HEIGHT - 10}">{text(shortened(chart.x_title, 60))}</text></g>'
    for place, (_, some) in enumerate(lines):
        if any(low < high for _, _, low, high in some):
            edge = [f"{x_of(x):.1f} {y_of(high):.1f}" for x, _, _, high in some]
            edge += [f"{x_of(x):.1f} {y_of(low):.1f}" for x, _, low, _ in reversed(some)]
            outline = "L".join(edge)
            yield f'<path class="s{place % _STYLES} band" d="M{outline}Z"/>'
    for place, (one, some) in enumerate(lines):
        yield f'<g class="s{place % _STYLES}">'
        if some:
            path = "L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y, _, _ in some)
            yield f'<path class="line" d="M{path}"/>'
        for x, y, low, high in some:
            said = f"{plain(one)}, {_short(x)}: {shown(y)} ({shown(low)} to {shown(high)})"
            yield _marker(place, x_of(x), y_of(y), said)
        yield "</g>"
    yield "</svg>\n"


def bar_chart(chart: BarChart, number: int) -> Iterator[str]:
    """Bars with their intervals as whiskers, one below the other."""
    data = ((bar.name, percent(bar.value), _interval(bar)) for bar in chart.bars)
    yield from figure(number, chart.caption, _bars(chart, number), _data(("", "Value", "95 % interval"), data))


def _bars(chart: BarChart, number: int) -> Iterator[str]:
    bars = chart.bars[:_MOST_BARS]
    left, right = 8, 24
    height = _BAR * len(bars) + 30

    def x_of(value: float) -> float:
        return left + (min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0) * (_WIDTH - left - right)

    yield _opened("chart-bar", number, chart.caption, chart.alt, _WIDTH, height)
    yield '<g class="axis">'
    for tick in (0, 0.25, 0.5, 0.75, 1):
        yield f'<path class="rule" d="M{x_of(tick):.1f} 4V{height - 26}"/>'
        side = "" if tick == 0 else "middle"
        yield f'<text class="{side}" x="{x_of(tick):.1f}" y="{height - 6}">{percent(tick, 0)}</text>'
    yield "</g>"
    for place, bar in enumerate(bars):
        yield from _bar(bar, place * _BAR, x_of(0), x_of(bar.value), *map(x_of, _ends(bar)))
    yield "</svg>\n"
    if len(chart.bars) > len(bars):
        yield f'<p class="note">The first {len(bars)} of {len(chart.bars)} are drawn; the table below has them all.</p>\n'


def _bar(bar: Bar, top: float, zero: float, end: float, low: float, high: float) -> Iterator[str]:
    middle = top + 31
    said = f"{percent(bar.value)} ({_interval(bar)})"
    yield f'<g class="s0"><title>{text(bar.name)}: {said}</title>'
    yield f'<text class="name" x="{zero:.1f}" y="{top + 17}">{text(shortened(bar.name, 40))}</text>'
    yield f'<text class="value end" x="{_WIDTH - 24}" y="{top + 17}">{percent(bar.value)}</text>'
    yield f'<rect class="fill" x="{zero:.1f}" y="{middle - 8}" width="{max(end - zero, 1):.1f}" height="16"/>'
    if high > low:
        yield f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 5}v10M{high:.1f} {middle - 5}v10"/>'
    yield "</g>"


def _ends(bar: Bar) -> tuple[float, float]:
    return (bar.value, bar.value) if bar.low is None or bar.high is None else (bar.low, bar.high)


def _interval(bar: Bar) -> str:
    low, high = _ends(bar)
    return f"{percent(low)} to {percent(high)}"


def matrix(block: ConfusionMatrix, number: int) -> Iterator[str]:
    """A heat map: rows are the labels, columns the answers. Large ones are drawn a pixel a cell, with their largest confusions told."""
    if len(block.names) > _MOST_CELLS:
        yield from figure(number, block.caption, _dots(block), _confusions(block))
        return
    rows = ((one, *map(str, counts)) for one, counts in zip(block.names, block.counts, strict=True))
    yield from figure(number, block.caption, _cells(block, number), _data(("Label", *block.names), rows))


def _cells(block: ConfusionMatrix, number: int) -> Iterator[str]:
    labels = [shortened(one, 18) for one in block.names]
    margin = 26 + 8 * max((len(label) for label in labels), default=0)
    size = _CELL * len(labels)
    yield '<div class="scroll" role="region" tabindex="0" '
    yield f'aria-label="Figure {number}">' + _opened(
        "chart-matrix", number, block.caption, block.alt, margin + size + 60, margin + size + 4, natural=True
    )
    yield f'<g class="axis"><text class="title" x="{margin}" y="14">Answer</text><text class="title end" x="{margin - 8}" y="{margin - 8}">'
    yield "Label</text>"
    for place, (label, whole) in enumerate(zip(labels, block.names, strict=True)):
        centre = margin + _CELL * place + _CELL / 2
        yield f'<text class="end" x="{margin - 8}" y="{centre + 4.5:.1f}"><title>{text(whole)}</title>{text(label)}</text>'
        yield f'<text x="{centre:.1f}" y="{margin - 8}" transform="rotate(-50 {centre:.1f} {margin - 8})">{text(label)}</text>'
    yield "</g>"
    for row, counts in enumerate(block.counts):
        total = sum(counts)
        for column, count in enumerate(counts):
            share = count / total if total else 0.0
            step = sum(share > edge for edge in _STEPS) + 1 if count else 0
            x, y = margin + _CELL * column, margin + _CELL * row
            kind = "d" if row == column else "e"
            yield f'<g class="{kind}{step}"><rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}"/>'
            yield f'<text class="middle" x="{x + (_CELL - 1) / 2}" y="{y + 23}">{count or ""}</text></g>'
    yield "</svg></div>\n"
    yield '<ul class="legend" role="list"><li>Share of the row:</li>'
    for step, edge in enumerate((*_STEPS, 1.0), 1):
        swatch = "".join(
            f'<g class="{kind}{step}"><rect x="{x}" width="15" height="14"/></g>' for kind, x in (("d", 0), ("e", 17))
        )
        yield f'<li><svg width="32" height="14" viewBox="0 0 32 14" aria-hidden="true">{swatch}</svg> to {percent(edge, 0)}</li>'
    yield "<li>(blue: right, orange: wrong, empty: none)</li></ul>\n"


def _dots(block: ConfusionMatrix) -> Iterator[str]:
    counts = np.array(block.counts, np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = len(block.names)
    yield f'<img class="dots" alt="{text(block.alt)}" width="{size}" height="{size}" src="{pictures.shares(shares)}">\n'
    yield '<p class="note">A dot a cell, rows the labels and columns the answers: blue is right, orange is wrong, white is none.</p>\n'


def _confusions(block: ConfusionMatrix) -> Iterator[str]:
    found = [
        (-count, row, column)
        for row, counts in enumerate(block.counts)
        for column, count in enumerate(counts)
        if count and row != column
    ]
    most = sorted(found)[:50]
    rows = ((block.names[row], block.names[column], str(-count)) for count, row, column in most)
    yield f"<p>The {len(most)} most frequent of {len(found)} kinds of confusion.</p>\n"
    yield from _data(("Label", "Answer", "Pictures"), rows)


def _data(titles: tuple[str, ...], rows: Rows) -> Iterator[str]:
    yield '<table class="data"><thead><tr>'
    yield "".join(f'<th scope="col">{text(title)}</th>' if title else "<td></td>" for title in titles)
    yield "</tr></thead><tbody>\n"
    for first, *others in rows:
        cells = "".join(f"<td>{text(other)}</td>" for other in others)
        yield f'<tr><th scope="row">{text(first)}</th>{cells}</tr>\n'
    yield "</tbody></table>\n"


def _opened(kind: str, number: int, caption: str, alt: str, width: int, height: int, natural: bool = False) -> str:
    size = f' width="{width}" height="{height}"' if natural else ""
    return (
        f'<svg class="{kind}" role="img" aria-labelledby="f{number}t f{number}d" viewBox="0 0 {width} {height}"{size}>'
        f'<title id="f{number}t">{text(caption)}</title><desc id="f{number}d">{text(alt)}</desc>'
    )


def _marker(place: int, x: float, y: float, said: str) -> str:
    shapes = (
        "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0",
        "m-4.2-4.2h8.4v8.4h-8.4z",
        "m0-5.4l5.2 9h-10.4z",
        "m0-5.6l5.6 5.6l-5.6 5.6l-5.6-5.6z",
    )
    title = f"<title>{text(said)}</title>" if said else ""
    return f'<path class="mark" d="M{x:.1f} {y:.1f}{shapes[place % len(shapes)]}">{title}</path>'


def _finite(series: Series) -> list[Point]:
    return sorted(point for point in series.points if all(map(math.isfinite, point)))


def _ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round values from below `low` to above `high`, at most `most` + 2 of them; whole: none between whole numbers."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(size * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (size * factor) <= most)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def _short(value: float) -> str:
    return f"{value:.4g}"
