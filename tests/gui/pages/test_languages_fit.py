"""Every page in a language of longer words, and in one that is read from the right: nothing is cut, nothing overlaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import acted_evaluation as acted
import pytest
from conftest import Bench
from evaluating import dropped, finished
from fakes import TWO_SIDES, make_row, picture
from PySide6.QtCore import QCoreApplication, QEvent, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from spoken_elsewhere import cut, hebrew, longer, spoken_in

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.pages import PAGES
from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.theme import Theme
from capt_gui.view_models.settings_keeper import SettingsKeeper
from capt_gui.widgets.painting import draw_text

SIZES = ((1280, 800), (960, 600))


@pytest.fixture
def filled(bench: Bench, tmp_path: Path) -> Iterator[Callable[[], MainWindow]]:
    """A function that makes the window, with results on Explore and Evaluate."""
    made: list[MainWindow] = []

    def make() -> MainWindow:
        bench.engine.emit(TWO_SIDES)
        bench.desk.store.folder = tmp_path / "runs"
        window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
        made.append(window)
        window.show()
        window.show_page("explore")
        look(bench, window)
        window.show_page("evaluate")
        page = window.page
        assert isinstance(page, EvaluatePage)
        dropped(bench, page, tmp_path)
        finished(bench, acted.compared())
        return window

    yield make
    for window in made:
        window.close()
        window.deleteLater()


def look(bench: Bench, window: MainWindow) -> None:
    """Drop two pictures on Explore, the second of which cannot be read, and let the engine answer."""
    window.open_paths(["/a.png", "/b.png"])
    number = r.JobId(len(bench.engine.requests))
    bad = r.FailedPicture("/b.png", "The file is empty.", "Fetch it again.")
    previews = (r.Preview("/a.png", 320, 240, picture(160, 120)), bad)
    for event in (
        r.PicturesFound(number, ("/a.png", "/b.png")),
        r.PreviewsReady(number, previews),
        r.JobFinished(number, r.PreviewResult(2, 1)),
    ):
        bench.engine.emit(event)
    QCoreApplication.processEvents()
    request = bench.engine.requests[-1]
    if isinstance(request, r.AnalyzeRequest):
        number = r.JobId(len(bench.engine.requests))
        bench.engine.emit(r.JobStarted(number))
        bench.engine.emit(
            r.RowsReady(number, (make_row("/a.png", classes=12),) * (2 if request.options.compare else 1))
        )
    QCoreApplication.processEvents()


def settle() -> None:
    """Let layouts come to rest."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        QCoreApplication.processEvents()


def test_longer_words_are_not_cut(qapp: QApplication, filled: Callable[[], MainWindow]) -> None:
    """With texts that are 30 % longer, no label, button, tab or header of any page is cut without an ellipsis and a tooltip."""
    found = []
    with spoken_in(qapp, longer):
        window = filled()
        for size in SIZES:
            window.resize(*size)
            for info in PAGES:
                window.show_page(info.key)
                settle()
                found += [f"{info.key} {size[0]}×{size[1]}: {one}" for one in cut(window)]
    assert not found, "\n".join(dict.fromkeys(found))


def test_every_page_opens_from_right_to_left(qapp: QApplication, filled: Callable[[], MainWindow]) -> None:
    """Where one reads from the right, the rail stands on the right, and no two words of a page lie over each other."""
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        with spoken_in(qapp, hebrew):
            window = filled()
            window.resize(*SIZES[0])
            found = []
            for info in PAGES:
                window.show_page(info.key)
                settle()
                assert window.rail.x() > window.page.x()
                found += [f"{info.key}: {one}" for one in overlapping(window)]
            assert not found, "\n".join(found)
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_words_of_a_chart_stay_beside_what_they_name(theme: Theme) -> None:
    """A chart is not mirrored, so that its words begin where they do elsewhere, whatever the direction of reading."""
    image = QImage(200, 20, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    painter = QPainter(image)
    painter.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    draw_text(painter, QRectF(0, 0, 200, 20), "75 %", theme)
    painter.end()
    inked = [x for x in range(200) if any(image.pixelColor(x, y).value() < 128 for y in range(20))]
    assert inked
    assert max(inked) < 60


def overlapping(window: QWidget) -> list[str]:
    """Return the pairs of labels of one parent that lie over each other."""
    found = []
    for parent in [window, *window.findChildren(QWidget)]:
        labels = [
            one for one in parent.children() if isinstance(one, QLabel) and one.isVisibleTo(window) and one.text()
        ]
        for number, one in enumerate(labels):
            found += [
                f"{one.text()!r} over {other.text()!r}"
                for other in labels[:number]
                if one.geometry().intersects(other.geometry())
            ]
    return found
