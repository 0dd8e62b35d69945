"""The Explore page with two sets of prompts: pickers, aim, verdicts of both, and what goes to disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, SHAPES, TWO_SIDES, analyse_both, picture, summary
from PySide6.QtCore import QCoreApplication, QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    AnalyzeRequest,
    CatalogueChanged,
    Event,
    JobFinished,
    JobId,
    JobStarted,
    PicturesFound,
    Preview,
    PreviewResult,
    PreviewsReady,
    RowsReady,
)
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.widgets.picker import Picker

ONE, TWO = JobId(1), JobId(2)


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ExplorePage]:
    """The page on an engine that offers prompts; token questions are left out of the numbering."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    qtbot.waitExposed(page)
    bench.engine.emit(TWO_SIDES)
    yield page
    page.leave()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """One picture."""
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(0xFF4040)
    image.save(str(tmp_path / "a.png"))
    return str(tmp_path / "a.png")


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it; charts draw themselves one turn at a time."""
    for event in events:
        bench.engine.emit(event)
    for _ in range(6):
        QCoreApplication.processEvents()


def fill(bench: Bench, page: ExplorePage, path: str) -> AnalyzeRequest:
    """Drop the picture, let it be analysed as it was asked."""
    page.open_paths([path])
    preview = Preview(path, 64, 48, picture(160, 120))
    play(bench, PicturesFound(ONE, (path,)), PreviewsReady(ONE, (preview,)), JobFinished(ONE, PreviewResult(1, 0)))
    request = bench.engine.requests[-1]
    assert isinstance(request, AnalyzeRequest)
    rows = analyse_both(path, request, 32)
    play(bench, JobStarted(TWO), RowsReady(TWO, rows), JobFinished(TWO, summary(request)))
    return request


def entries(picker: Picker) -> list[tuple[str, bool]]:
    """What a picker lists, and whether it can be chosen."""
    flags = [picker.model().index(row, 0).flags() for row in range(picker.count())]
    return [(picker.itemText(row), bool(flags[row] & Qt.ItemFlag.ItemIsEnabled)) for row in range(picker.count())]


def test_the_pickers_group_what_there_is(page: ExplorePage) -> None:
    """Plain text, what ships, the user's own, a way to more; for other models with the reason, and B may be nothing."""
    panel = page.settings_column.model
    listed = [
        ("None: plain text prompts", True),
        ("With the program", False),
        ("APT, 16 shots", True),
        ("CAPT, 16 shots", True),
        ("Your own", False),
        ("Mugs, 4 shots", True),
        ("Open a checkpoint…", True),
        ("For another model", False),
        ("Street, CAPT", False),
    ]
    assert entries(panel.picker_a) == listed
    assert entries(panel.picker_b) == [("No comparison", True), *listed]
    assert panel.picker_a.itemData(8, Qt.ItemDataRole.ToolTipRole) == "Made for ViT-B/32."
    assert (panel.picker_a.currentText(), panel.picker_b.currentText()) == (
        "None: plain text prompts",
        "CAPT, 16 shots",
    )


def test_the_pickers_choose(bench: Bench, page: ExplorePage) -> None:
    """What is picked reaches the next request; the button swaps; nothing to swap disables it."""
    panel = page.settings_column.model
    panel.picker_a.picked.emit("toy-apt")
    assert bench.desk.choices.request(()).options.prompts == "toy-apt"
    panel.swap_button.click()
    request = bench.desk.choices.request(())
    assert (request.options.prompts, request.options.compare) == ("toy-capt", "toy-apt")
    assert (panel.picker_a.currentText(), panel.picker_b.currentText()) == ("CAPT, 16 shots", "APT, 16 shots")
    panel.picker_b.picked.emit(panel.picker_b.itemData(0))
    assert bench.desk.choices.request(()).options.compare is None
    assert not panel.swap_button.isEnabled()


def test_a_checkpoint_can_be_opened_from_the_list(
    bench: Bench, page: ExplorePage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry asks for a file; without one the choice stays as it was."""
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"")
    panel = page.settings_column.model
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    panel.picker_b.picked.emit(panel.picker_b.itemData(panel.picker_b.findText("Open a checkpoint…")))
    assert panel.picker_b.currentText() == "CAPT, 16 shots"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    panel.picker_a.picked.emit(panel.picker_a.itemData(panel.picker_a.findText("Open a checkpoint…")))
    assert bench.desk.choices.request(()).options.prompts == str(file)
    assert panel.picker_a.currentText() == "mine"


def test_a_dropped_checkpoint_is_offered_as_b(bench: Bench, page: ExplorePage, path: str, tmp_path: Path) -> None:
    """It is no picture; the banner asks, and the rest of the drop is taken as ever."""
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(name) for name in (path, str(file))])
    assert page.take(mime)
    asked = bench.engine.requests[-1]
    assert getattr(asked, "paths", ()) == (path,)
    assert "mine.safetensors" in page.banner.accessibleName()
    play(bench, JobStarted(ONE), JobFinished(ONE, PreviewResult(1, 0)))
    assert page.banner.isVisible()
    page.banner.action_clicked.emit()
    assert not page.banner.isVisible()
    assert bench.desk.choices.request(()).options.compare == str(file)


def test_an_offer_that_was_dismissed_is_gone(bench: Bench, page: ExplorePage) -> None:
    """Dismissing changes nothing, and the next run may clear the banner again."""
    page.open_paths(["mine.safetensors"])
    assert page.banner.isVisible()
    assert bench.engine.requests == []
    page.banner.dismissed.emit()
    assert not page.banner_room.isVisible()
    assert bench.desk.choices.request(()).options.compare == "toy-capt"


def test_aim_is_asked_only_when_comparing(bench: Bench, page: ExplorePage) -> None:
    """Three ways with a sentence each; without B there is nothing to choose."""
    attack = page.settings_column.attack
    assert attack.aim_box.isVisible()
    assert attack.aim.choice() == "each"
    attack.aim.picked.emit("b")
    assert bench.desk.choices.request(()).options.aim == "b"
    assert "For A it is only a transfer" in attack.aim_text.text()
    bench.desk.model.sides.set_b(None)
    assert not attack.aim_box.isVisible()


def test_both_sides_are_shown(bench: Bench, page: ExplorePage, path: str) -> None:
    """Headline, aim, charts and summary speak of A and B; the old headline makes room."""
    fill(bench, page, path)
    result = page.result
    assert (result.headline.isVisible(), result.pair.isVisible()) == (False, True)
    assert result.pair.text().startswith("A: ")
    assert " · B: " in result.pair.text()
    assert result.aim_line.text() == "A: plain text, B: CAPT, 16 shots. Each was attacked on its own (adaptive)."
    assert " | " in result.charts.bars.description()
    assert all(" | " in text for text in result.charts.consistency.shown().values())
    assert "kept 31.0 %" in result.summary.text()
    assert result.summary.isVisible()
    assert page.minimumSizeHint().width() <= 1280
    assert page.minimumSizeHint().height() <= 740
    bench.desk.analysis.run_all()
    assert not result.summary.isVisible()


def test_without_a_comparison_nothing_of_it_is_left(bench: Bench, page: ExplorePage, path: str) -> None:
    """One side has its headline, its charts and no letters."""
    bench.desk.model.sides.set_b(None)
    fill(bench, page, path)
    result = page.result
    assert (result.headline.isVisible(), result.pair.isVisible(), result.aim_line.isVisible()) == (True, False, False)
    assert not result.triptych.side_switch.isVisible()
    assert not result.summary.isVisible()
    assert " | " not in result.charts.bars.description()


def test_each_attack_can_be_seen_and_saved(
    bench: Bench, page: ExplorePage, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch shows B's picture, and saving saves what is shown."""
    fill(bench, page, path)
    names: list[str] = []

    def choose(*arguments: object) -> tuple[str, str]:
        names.append(Path(str(arguments[2])).name)
        return str(tmp_path / "saved.png"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    page.on_save()
    page.result.triptych.side_picked.emit("b")
    assert page.result.triptych.titles[2].text().endswith("aimed at B")
    page.on_save()
    assert names == ["a-adversarial-a.png", "a-adversarial-b.png"]
    kept = bench.desk.gallery.pictures(path, "b")
    assert kept is not None
    saved = QImage(str(tmp_path / "saved.png")).convertToFormat(QImage.Format.Format_RGB888)
    assert bytes(saved.constScanLine(0))[:96] == kept.adversarial.rgb[:96]


def test_one_attack_on_both_needs_no_switch(bench: Bench, page: ExplorePage, path: str) -> None:
    """The title and the sentence say on whom it was computed."""
    bench.desk.model.sides.set_aim("a")
    fill(bench, page, path)
    triptych = page.result.triptych
    assert not triptych.side_switch.isVisible()
    assert triptych.titles[2].text() == "Adversarial, aimed at A"
    assert "for B it is a transfer" in page.result.aim_line.text()


def test_old_comparisons_are_marked(bench: Bench, page: ExplorePage, path: str) -> None:
    """Another aim or another partner makes a result old."""
    fill(bench, page, path)
    assert not page.result.outdated_note.isVisible()
    bench.desk.model.sides.set_aim("b")
    assert "other settings" in page.result.outdated_note.text()
    bench.desk.model.sides.set_aim("each")
    assert not page.result.outdated_note.isVisible()


def test_whose_classes_they_are_is_said(bench: Bench, page: ExplorePage) -> None:
    """Classes of the prompts are named as theirs, can be left for the model's own, and restored."""
    panel = page.settings_column.classes_panel
    bench.desk.model.sides.set_a("my-mugs")
    assert panel.editor.classes() == ("mug", "cup", "jug")
    assert "Mugs, 4 shots" in panel.source.text()
    panel.use_model.click()
    assert panel.editor.classes() == SHAPES
    assert panel.source.text().startswith("Your choice")
    panel.editor.restore_clicked.emit()
    assert panel.editor.classes() == ("mug", "cup", "jug")
    bench.desk.model.sides.set_a("none")
    bench.desk.model.sides.set_b(None)
    assert not panel.source.isVisible()
    assert not panel.use_model.isVisible()


def test_a_changed_catalogue_reaches_the_pickers(bench: Bench, page: ExplorePage) -> None:
    """What was tuned meanwhile is listed; what has gone is not."""
    play(bench, CatalogueChanged(READY.catalogue))
    panel = page.settings_column.model
    assert panel.picker_b.currentText() == "No comparison"
    play(bench, CatalogueChanged(TWO_SIDES.catalogue))
    assert panel.picker_b.currentText() == "CAPT, 16 shots"
