"""The charts of the Evaluate page: which there are, what they show, and what of it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import acted_evaluation as acted
import pytest
from conftest import Bench
from evaluating import dropped, finished, last, play, press
from fakes import READY
from finding import named
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QListView
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.widgets.segments import Segments


@pytest.fixture
def page(bench: Bench, qtbot: QtBot, tmp_path: Path) -> Iterator[EvaluatePage]:
    """The page, shown, on an engine that is ready; runs are kept in a folder of the test's."""
    bench.desk.store.folder = tmp_path / "runs"
    page = EvaluatePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    qtbot.waitExposed(page)
    play(bench, READY)
    yield page
    page.leave()


def test_a_curve_has_its_chart(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Budgets below it, chance as a level, and the budget that the verdict is about."""
    dropped(bench, page, tmp_path)
    bench.desk.evaluation.choices.set_curve(True)
    finished(bench, acted.curve())
    assert page.results.curve.isVisible()
    assert page.results.curve.chart.description().startswith("ε 127.5: right 0")
    assert "chance 33" in page.results.curve.chart.description()
    assert "ε = 4/255" in page.results.curve.note.text()


def test_corruptions_have_their_table(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Kinds × severities in shades with the mean of each; nobody attacked, so nothing about attacks is shown."""
    dropped(bench, page, tmp_path)
    bench.desk.evaluation.choices.attack.set_attack("corruptions")
    finished(bench, acted.corruptions())
    results = page.results
    assert results.corruptions.isVisible()
    assert [results.corruptions.grid.text_of(0, column) for column in range(3)] == [
        "75.0 %",
        "50.0 %",
        "62.5 %",
    ]
    assert "1 under every corruption" in results.corruptions.note.text()
    assert not results.attacks.isVisible()
    assert not named(results.confusion, Segments, "State of the pictures").isVisible()


@pytest.mark.parametrize(
    ("n", "matrix", "mistakes"), [(16, True, False), (17, True, True), (200, True, True), (201, False, True)]
)
def test_many_classes_show_their_commonest_mistakes(
    n: int, matrix: bool, mistakes: bool, bench: Bench, page: EvaluatePage, tmp_path: Path
) -> None:
    """Up to 200 classes have a matrix; of more than 16 the mistakes that are made most often are listed too."""
    dropped(bench, page, tmp_path)
    bench.desk.evaluation.run.start()
    names = tuple(f"class {number}" for number in range(n))
    shares = tuple(0.5 if number == 3 else 0.01 for number in range(n))
    row = replace(
        acted.row("/a.png", 0, 0), label="class 0", classes=names, clean=r.Verdict(shares, shares), attack=None
    )
    play(bench, r.RowsReady(last(bench), (row,)))
    card = page.results.confusion
    assert (card.grid.isVisible(), card.table.isVisible()) == (matrix, mistakes)
    if matrix:
        assert card.grid.text_of(0, 3) == "1"
        assert card.grid.text_of(0, 0) == ""
    if mistakes:
        assert card.table.shown(1) == ["class 3"]
        card.table.activated.emit(card.table.currentIndex())
        assert card.pictures.title.text() == "1 picture: “class 0”, called “class 3” when clean"


def test_the_charts_of_a_run_are_saved_as_they_are_shown(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The matrix with all its counts, the table with what was not measured left out, the curve over budgets."""
    dropped(bench, page, tmp_path)
    finished(bench, replace(acted.curve(), corruptions=acted.corruptions().corruptions))
    matrix = page.results.confusion.record()
    assert isinstance(matrix, r.ConfusionMatrix)
    assert matrix.counts == ((1, 1, 0), (0, 1, 0), (0, 0, 1))
    assert matrix.alt == "Which class is taken for which: clean. 3 of 4 are right."
    table = page.results.corruptions.record()
    assert isinstance(table, r.HeatMap)
    assert [(row.name, row.shares) for row in table.rows] == [("Fog", (0.75, 0.5)), ("JPEG", (0.75, 0.25))]
    curve = page.results.curve.chart.record()
    assert curve is not None
    assert [point[:2] for point in curve.series[0].points] == [(0.0, 0.75), (2.0, 0.5), (4.0, 0.25), (127.5, 0.0)]
    assert (curve.x_title, curve.x_scale) == ("ε in 1/255", r.LOG)


def test_a_cell_of_the_matrix_shows_its_pictures(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Which pictures were taken for which class, by mouse or Return, and from there to the Explore page."""
    dropped(bench, page, tmp_path)
    finished(bench, acted.result())
    card = page.results.confusion
    assert not card.pictures.isVisible()
    named(card, QAbstractButton, "State of the pictures: Attacked").click()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(card.grid, key)
    assert card.pictures.title.text() == "1 picture: “dog”, called “cat” when attacked"
    assert card.pictures.findChild(QListView).model().rowCount() == 1
    asked: list[str] = []
    bench.desk.navigation.requested.connect(asked.append)
    press(card.pictures.explore)
    assert asked == ["explore"]
    preview = bench.engine.requests[-1]
    assert isinstance(preview, r.PreviewRequest)
    assert preview.paths == ("/c.png",)
    # The label goes along: it is a right answer there too.
    bench.desk.gallery.add(preview.paths)
    assert bench.desk.gallery.item("/c.png").label == "dog"
    QTest.mouseClick(card.grid, Qt.MouseButton.LeftButton, pos=card.grid.cell_rect(2, 0).center().toPoint())
    assert card.pictures.title.text() == "No picture: “emu”, called “cat” when attacked"
    assert not card.pictures.explore.isVisible()
    named(card, QAbstractButton, "State of the pictures: Clean").click()
    assert not card.pictures.isVisible()


def test_the_measurements_are_shown_picture_by_picture(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Each picture that the first attack changed counts once, in the measurement that is picked; α of plain text is none."""
    dropped(bench, page, tmp_path)
    bench.desk.evaluation.run.start()
    rows = tuple(
        replace(one, metrics=(("alpha", 0.5), ("js", 0.1), ("psnr", 40.0 + number)))
        for number, one in enumerate(acted.quick())
        if isinstance(one, r.PictureRow)
    )
    play(bench, r.RowsReady(last(bench), rows), r.JobFinished(last(bench), acted.result()))
    card = page.results.distribution
    assert card.isVisible()
    assert [card.measure.itemText(number) for number in range(card.measure.count())] == ["JS divergence", "PSNR"]
    record = card.chart.record()
    assert record is not None
    assert [one.value for one in record.bins] == [0.0, 1.0, *[0.0] * 8]
    assert card.chart.description().startswith("pictures 3, median 0.1")
    card.measure.setCurrentIndex(1)
    card.measure.on_activated(1)
    assert "dB" in card.chart.record().x_title  # type: ignore[union-attr]


def test_the_classes_of_a_run_are_saved(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """A bar for the clean and one for the attacked pictures of every class."""
    dropped(bench, page, tmp_path)
    finished(bench, acted.result())
    record = page.results.classes.table.record()
    assert record is not None
    assert record.series == ("clean", "attacked")
    assert [(bar.name, bar.value, bar.series) for bar in record.bars] == [
        ("cat", 0.5, 0), ("cat", 0.0, 1), ("dog", 1.0, 0), ("dog", 0.0, 1), ("emu", 1.0, 0), ("emu", 1.0, 1),
    ]  # fmt: skip
