"""The one drawing of each chart: what it shows, that page and PDF show the same, and that no name breaks it."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace

import pypdfium2
import pytest

from capt_engine.records import (
    MOST_BARS,
    Bar,
    BarChart,
    Bin,
    Chart,
    ConfusionMatrix,
    HeatMap,
    HeatRow,
    Histogram,
    Level,
    LineChart,
    Series,
)
from capt_engine.reports.pdf import theme
from capt_engine.reports.pdf.figure import page_of
from capt_engine.reports.svg import draw, painter, values
from capt_engine.reports.svg.elements import PALETTE, SERIES, WIDTH, Cells, Drawing, Line, Mark, Text
from capt_engine.reports.svg.lettering import plain, width
from capt_engine.resources import resource
from tests.engine.reports.html.test_html_sample import matrix
from tests.engine.reports.pdf.test_pdf_sample import HOSTILE, confusion, curve

SVG = "{http://www.w3.org/2000/svg}"


def line_chart(name: str = "CAPT", scale: str = "log") -> LineChart:
    """Three lines over budgets that span a factor of 32, with chance across."""
    lines = (curve(name, 0.93, 0.2), curve("plain", 0.95, 0.9), curve("noise", 0.94, 0.01))
    levels = (Level("chance, 16.7 %", 1 / 6),)
    return LineChart(name, "ε in 1/255", "Robust accuracy", lines, name, scale, percent=True, levels=levels)


def bar_chart(n: int = 6, name: str = "class") -> BarChart:
    """Bars of rising value with intervals."""
    bars = tuple(Bar(f"{name} {i}", i / n, max(0.0, i / n - 0.1), min(1.0, i / n + 0.1)) for i in range(n))
    return BarChart(name, bars, name)


def pairs() -> BarChart:
    """Two series side by side, some below zero."""
    bars = tuple(Bar(name, value * (1 - 2 * s), series=s) for name, value in (("a", 3.5), ("b", 1.0)) for s in (0, 1))
    return BarChart("pairs", bars, "pairs", percent=False, series=("clean", "attacked"), x_title="Logit")


def histogram(name: str = "α") -> Histogram:
    """Four bins."""
    return Histogram(name, "α", name, tuple(Bin(n / 4, (n + 1) / 4, n / 10, n / 12, n / 8) for n in range(4)), name)


def heat_map(name: str = "Noise") -> HeatMap:
    """Two kinds at three severities, one cell not measured."""
    rows = (
        HeatRow(name, (0.9, 0.5, 0.05), "48.3 %", 0.483, 0.4, 0.56),
        HeatRow("Fog", (1.0, None, 0.0), "50.0 %", 0.5),
    )
    return HeatMap(name, "Corruption", ("1", "2", "3"), rows, name, "Mean", "Fuller is more.")


CHARTS: dict[str, Chart] = {
    "line": line_chart(),
    "line, linear": line_chart(scale="linear"),
    "bars": bar_chart(),
    "many bars": bar_chart(100),
    "pairs": pairs(),
    "histogram": histogram(),
    "heat map": heat_map(),
    "matrix": matrix(6),
    "dense matrix": matrix(80),
}
charts = pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)


def drawn(chart: Chart) -> Drawing:
    """The drawing of a chart that has something to draw."""
    drawing = draw(chart)
    assert drawing is not None
    return drawing


def texts(drawing: Drawing) -> list[str]:
    """All its texts."""
    return [one.text for one in drawing.elements if isinstance(one, Text)]


def pdf_text(drawing: Drawing) -> str:
    """All that can be selected on the drawing's page."""
    with pypdfium2.PdfDocument(page_of(drawing)) as document:
        page = document[0].get_textpage()
        found: str = page.get_text_range()
        page.close()
        return found


def bare(text: str) -> str:
    """Without white space."""
    return "".join(text.split())


def pdf_points(drawing: Drawing) -> set[tuple[int, int]]:
    """The ends of every straight line that the PDF draws, in tenths of the drawing's units."""
    content = b"".join(
        zlib.decompress(part) for part in re.findall(rb"stream\n(.*?)\nendstream", page_of(drawing), re.DOTALL)[:1]
    )
    per_unit, margin = theme.WIDTH / WIDTH * 72 / 25.4, 3 * 72 / 25.4
    top = drawing.height * per_unit + margin
    found = re.findall(r"(-?[\d.]+) (-?[\d.]+) [lm]\b", content.decode("latin-1"))
    return {(round((float(x) - margin) / per_unit), round((top - float(y)) / per_unit)) for x, y in found}


@charts
def test_the_page_and_the_pdf_show_the_same_texts(chart: Chart) -> None:
    """Every tick, name and number of the SVG can be selected in the PDF, and stands in the SVG as text."""
    drawing = drawn(chart)
    root = ET.fromstring("".join(painter.pieces(drawing, "chart")))
    shown = ["".join(one.itertext()).removeprefix(one.findtext(f"{SVG}title") or "") for one in root.iter(f"{SVG}text")]
    assert shown == texts(drawing)
    selected = bare(pdf_text(drawing))
    assert [text for text in shown if bare(text) not in selected] == []


def test_the_curve_runs_through_the_same_places_on_page_and_pdf() -> None:
    """Each point of each line of the SVG is a point of a line of the PDF, and each is marked where it stands."""
    drawing = drawn(line_chart())
    curves = [one for one in drawing.elements if isinstance(one, Line) and one.width == 2.2 and len(one.points) == 7]
    assert len(curves) == 3
    of_pdf = pdf_points(drawing)
    marks = {(one.x, one.y) for one in drawing.elements if isinstance(one, Mark)}
    for one in curves:
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in one.points).replace(".0 ", " ").replace(".0L", "L")
        assert path.removesuffix(".0") in "".join(painter.pieces(drawing, "chart"))
        for x, y in one.points:
            assert (x, y) in marks
            assert any(abs(x - u) <= 1 and abs(y - v) <= 1 for u, v in of_pdf)


@charts
def test_the_same_chart_gives_the_same_bytes(chart: Chart) -> None:
    """As SVG and as PDF; and the SVG is whole XML that names and describes itself."""
    first, second = drawn(chart), drawn(chart)
    assert painter.svg_file(first) == painter.svg_file(second)
    assert page_of(first) == page_of(second)
    root = ET.fromstring(painter.svg_file(first))
    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == (chart.caption, chart.alt)


@charts
def test_nothing_leaves_the_drawing(chart: Chart) -> None:
    """Every text, as wide as it is in DejaVu Sans, and every shape lies inside the drawing's edges."""
    drawing = drawn(chart)
    for one in drawing.elements:
        if isinstance(one, Text) and not one.turn:
            wide = width(one.text, one.size, bold=one.bold)
            left = one.x - {"start": 0, "center": wide / 2, "end": wide}[one.align]
            assert -0.5 <= left <= left + wide <= WIDTH + 0.5, one.text
            assert 0 <= one.y <= drawing.height
        elif isinstance(one, Line):
            assert all(-0.5 <= x <= WIDTH + 0.5 and 0 <= y <= drawing.height for x, y in one.points)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_a_drawing(name: str) -> None:
    """Whatever a class is called, the SVG is whole and holds no element that we do not draw, and the PDF opens."""
    ours = {f"{SVG}{tag}" for tag in ("svg", "title", "desc", "path", "circle", "text")}
    for chart in (line_chart(name), bar_chart(3, name), histogram(name), heat_map(name), confusion((name, "b"))):
        drawing = drawn(replace(chart, alt=name))
        root = ET.fromstring(painter.svg_file(drawing))
        assert {one.tag for one in root.iter()} <= ours
        assert root.findtext(f"{SVG}desc") == plain(name)
        assert pdf_text(drawing)


def test_odd_values_do_not_stop_a_drawing() -> None:
    """No points, none that are numbers, one point, one place for all, zeros alone on a log scale; nothing is NaN in what is drawn."""
    nan = float("nan")
    alone = (Series("s", ((2, 0.5, 0.5, 0.5),)),)
    some: tuple[tuple[Chart, bool], ...] = (
        (LineChart("none", "x", "y", (), ""), False),
        (LineChart("nan", "x", "y", (Series("s", ((nan, 1, 1, 1),)),), ""), False),
        (LineChart("one", "x", "y", alone, "", "log", "log"), True),
        (LineChart("zero", "x", "y", (Series("s", ((0, 0, 0, 0), (0, 0, 0, 0))),), "", "log", "log"), True),
        (
            LineChart("large", "x", "y", (Series("s", ((0, -40, -50, -30), (1, 9e5, 8e5, 1e6))),), "", percent=True),
            True,
        ),
        (LineChart("level", "x", "y", alone, "", levels=(Level("l", nan), Level("m", 1e9))), True),
        (
            LineChart("places", "x", "y", (Series("s", ((0, 1, 1, 1), (1, 2, 2, 2))),), "", x_labels=("a", "b", "c")),
            True,
        ),
        (BarChart("none", (), ""), False),
        (BarChart("beyond", (Bar("b", 1.5, -1, nan), Bar("c", nan)), ""), True),
        (BarChart("zero", (Bar("b", 0.0),), "", percent=False), True),
        (Histogram("none", "x", "y", (), ""), False),
        (Histogram("zero", "x", "y", (Bin(0, 1, 0.0),), ""), True),
        (HeatMap("none", "c", (), (), ""), False),
        (HeatMap("narrow", "c", tuple(f"long name {n}" for n in range(30)), (HeatRow("r", (0.5,) * 30),), ""), True),
        (ConfusionMatrix("none", (), (), ""), False),
        (ConfusionMatrix("one", ("a",), ((0,),), ""), True),
    )
    for chart, draws in some:
        drawing = draw(chart)
        assert (drawing is not None) is draws, chart.caption
        if drawing is not None:
            assert not re.search(
                r'"[^"]*\b(nan|inf)\b[^"]*"', "".join(painter.pieces(drawing, "chart")).replace('aria-labelledby="', "")
            )
            assert page_of(drawing)


def test_of_many_bars_the_first_and_the_last_are_drawn_and_all_are_saved() -> None:
    """One rule for every drawing; a line between them says how many are not drawn."""
    chart = bar_chart(100)
    shown = texts(drawn(chart))
    names = [text for text in shown if text.startswith("class ")]
    assert names == [f"class {i}" for i in (*range(20), *range(80, 100))]
    assert len(names) == MOST_BARS
    assert any("60 between these are not drawn" in text for text in shown)
    assert len(list(values.rows(chart))) == 100
    assert not any("not drawn" in text for text in texts(drawn(bar_chart(40))))


@pytest.mark.parametrize("classes", [2, 16, 17, 26, 27, 100, 200])
def test_a_matrix_has_a_cell_for_each_count(classes: int) -> None:
    """From 2 to 200 classes: a coloured cell where pictures are, blue on the diagonal, orange beside it, at its row and column."""
    chart = matrix(classes)
    drawing = drawn(chart)
    key = drawing.height - 30
    boxes = {
        "d": [box for one in drawing.elements if isinstance(one, Cells) and one.role[0] == "d" for box in one.boxes],
        "e": [box for one in drawing.elements if isinstance(one, Cells) and one.role[0] == "e" for box in one.boxes],
    }
    right = sum(1 for i, counts in enumerate(chart.counts) if counts[i])
    wrong = sum(1 for i, counts in enumerate(chart.counts) for j, count in enumerate(counts) if count and i != j)
    cells = {side: [box for box in some if box[1] < key] for side, some in boxes.items()}
    assert (len(cells["d"]), len(cells["e"])) == (right, wrong)
    width_, height = cells["d"][0][2], cells["d"][0][3]
    # along the diagonal x and y grow together
    places = sorted(
        (x / (width_ + (0 if chart.is_dense else 1)), y / (height + (0 if chart.is_dense else 1)))
        for x, y, *_ in cells["d"]
    )
    steps = {round(x - places[0][0] - (y - places[0][1]), 6) for x, y in places}
    assert steps == {0.0}
    if not chart.is_dense:
        numbers = [text for text in texts(drawing) if text.isdigit()]
        assert sorted(numbers) == sorted(str(count) for counts in chart.counts for count in counts if count)


def test_a_matrix_lists_what_is_confused_most() -> None:
    """The most frequent wrong answers, most frequent first, none that is right."""
    chart = matrix(100)
    found = chart.confusions(30)
    every = sorted((n for i, row in enumerate(chart.counts) for j, n in enumerate(row) if i != j and n), reverse=True)
    assert [n for _, _, n in found] == every[:30]
    assert all(label != answer for label, answer, _ in found)
    at = {name: place for place, name in enumerate(chart.names)}
    assert all(chart.counts[at[label]][at[answer]] == n for label, answer, n in found)


def test_colours_are_those_of_the_style_sheet() -> None:
    """The page's light colours are the drawing's, the dark ones have every name, and each role can be set as fill and as stroke."""
    css = resource("report", "report.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    )
    assert {role: light[role] for role in PALETTE} == PALETTE
    assert set(PALETTE) <= set(dark)
    for role in PALETTE:
        assert f".f-{role} {{ fill: var(--{role}); }}" in css
    for role in (*SERIES, "ink", "muted", "line", "paper"):
        assert f".k-{role} {{ stroke: var(--{role}); }}" in css


def test_every_class_of_a_drawing_is_in_the_style_sheet() -> None:
    """No element keeps its colour for light paper on a dark page."""
    css = resource("report", "report.css").read_text(encoding="utf-8")
    for chart in CHARTS.values():
        for names in re.findall(r'class="([^"]+)"', "".join(painter.pieces(drawn(chart), "chart"))):
            assert all(f".{name} {{" in css for name in names.split())


def test_text_can_be_read_on_every_ground() -> None:
    """In light and dark at least 4.5 : 1, as WCAG asks of text: words on paper, and numbers on the cells that hold them."""
    css = resource("report", "report.css").read_text(encoding="utf-8")
    for part in re.findall(r":root \{(.*?)\}", css, re.DOTALL):
        color = dict(re.findall(r"--([\w-]+): (#\w{6})", part))
        couples = [("ink", "paper"), ("muted", "paper")]
        couples += [("ink", f"{side}{step}") for side in "de" for step in (1, 2, 3)]
        couples += [(f"on-{side}", f"{side}{step}") for side in "de" for step in (4, 5)]
        for one, other in couples:
            assert contrast(color[one], color[other]) >= 4.5, (one, other)


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""

    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_saved_values_are_the_charts_own() -> None:
    """Each number of the CSV reads back as exactly the number of the chart, and a name that a spreadsheet would run is disarmed."""
    chart = line_chart("=1+1")
    header, *rows = csv.reader(io.StringIO(values.csv_bytes(chart).decode("utf-8")))
    assert header == ["Line", "ε in 1/255", "Robust accuracy", "Low", "High"]
    assert rows[0][0] == "'=1+1"
    points = [tuple(map(float, row[1:])) for row in rows[:-1]]
    assert points == [point for one in chart.series for point in one.points]
    assert rows[-1] == ["chance, 16.7 %", "", repr(1 / 6), "", ""]


def test_the_saved_end_of_a_heat_maps_row_is_a_number() -> None:
    """The text at the end of a row is saved as the share that it gives and the ends of its interval, empty where there are none."""
    header, *rows = csv.reader(io.StringIO(values.csv_bytes(heat_map()).decode("utf-8")))
    assert header == ["Corruption", "1", "2", "3", "Mean", "Low", "High"]
    assert rows == [["Noise", "0.9", "0.5", "0.05", "0.483", "0.4", "0.56"], ["Fog", "1.0", "", "0.0", "0.5", "", ""]]


def test_a_log_axis_shows_ratios() -> None:
    """A log axis puts equal ratios at equal distances, with 0 one step below the smallest budget."""
    drawing = drawn(line_chart())
    ticks = {one.text: one.x for one in drawing.elements if isinstance(one, Text) and one.align == "center"}
    places = [ticks[name] for name in ("0.5", "1", "2", "4", "8", "16")]
    steps = [b - a for a, b in itertools.pairwise(places)]
    assert all(math.isclose(step, steps[0], abs_tol=0.01) for step in steps)
    assert math.isclose(places[0] - ticks["0"], steps[0], abs_tol=0.01)
