"""Saving a chart: the report's drawing, a picture of it, or its values, whole or not at all."""

from __future__ import annotations

import io
import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.jobs.chart_saving import chart_bytes, handle_save_chart
from capt_engine.jobs.context import JobContext
from capt_engine.records import CHART_FORMATS, Bar, BarChart, ChartSaved, JobId, LineChart, SaveChartRequest
from capt_engine.reports.svg import draw
from capt_engine.reports.svg.elements import WIDTH, rgb

CHART = BarChart("Two classes", (Bar("red cube", 0.75, 0.6, 0.85), Bar("blue sphere", 0.25)), "Red cube 75 %.")


def save(request: SaveChartRequest, progress: object = lambda *_: None) -> ChartSaved:
    """Answer a request as the worker does."""
    result = handle_save_chart(JobContext(JobId(1), lambda _: None, progress), request)
    assert isinstance(result, ChartSaved)
    return result


@pytest.mark.parametrize("form", CHART_FORMATS)
def test_a_chart_is_saved_in_every_format(tmp_path: Path, form: str) -> None:
    """The file holds what was made, nothing else lies beside it, and saving again gives the same bytes."""
    path = tmp_path / f"chart.{form}"
    saved = save(SaveChartRequest(CHART, str(path), form))
    content = path.read_bytes()
    assert saved == ChartSaved(str(path), len(content))
    assert list(tmp_path.iterdir()) == [path]
    save(SaveChartRequest(CHART, str(path), form))
    assert path.read_bytes() == content == chart_bytes(CHART, form)


def test_the_picture_is_the_drawing() -> None:
    """The PNG is as wide as the drawing twice over, on white, with a bar of the drawing's blue that is three times the other."""
    image = Image.open(io.BytesIO(chart_bytes(CHART, "png"))).convert("RGB")
    drawing = draw(CHART)
    assert drawing is not None
    assert abs(image.width - 2 * WIDTH) <= 1
    assert image.getpixel((2, 2)) == (255, 255, 255)
    blue = tuple(round(0.72 * part + 0.28 * 255) for part in rgb("blue"))
    rows = [
        sum(all(abs(a - b) <= 2 for a, b in zip(image.getpixel((x, y)), blue, strict=True)) for x in range(image.width))
        for y in range(image.height)
    ]
    lengths = [max(some) for has, some in ((k, list(g)) for k, g in itertools.groupby(rows, lambda n: n > 50)) if has]
    assert len(lengths) >= 2
    assert abs(max(lengths) - 3 * min(lengths)) < 30


def test_the_svg_is_a_file_of_its_own() -> None:
    """It names its own space, so that any program can open it, and has the chart's name in it."""
    root = ET.fromstring(chart_bytes(CHART, "svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "Two classes"


def test_what_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    """Another format, a chart without a value, and a folder in the file's place; nothing is left behind."""
    with pytest.raises(UnknownName, match="gif"):
        save(SaveChartRequest(CHART, str(tmp_path / "a.gif"), "gif"))
    empty = LineChart("none", "x", "y", (), "")
    for form in ("svg", "png"):
        with pytest.raises(BadRequest, match="nothing to draw"):
            save(SaveChartRequest(empty, str(tmp_path / "a"), form))
    with pytest.raises(BadRequest, match="folder"):
        save(SaveChartRequest(CHART, str(tmp_path)))
    assert list(tmp_path.iterdir()) == []
    assert save(SaveChartRequest(empty, str(tmp_path / "a.csv"), "csv")).n_bytes > 0
