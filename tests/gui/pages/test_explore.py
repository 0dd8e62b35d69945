"""The Explore page: what it shows at each moment, and what its controls ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import EVERYDAY, IMAGENET, PHOTO_CLASSES, READY, SHAPES, analyse, picture
from finding import button, words
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, Qt, QUrl
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    EngineFailed,
    Event,
    FailedPicture,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    PicturesFound,
    Preview,
    PreviewRequest,
    PreviewResult,
    PreviewsReady,
    RowsReady,
    ThreatModel,
    UnknownWord,
    WordsChecked,
)
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.widgets import class_editor

ONE, TWO = JobId(1), JobId(2)
SUMMARY = AnalyzeResult(2, 1, "model", 1.0, None, 0.5, None, (), (), ThreatModel(), "demo", "none", "cpu", 1.0, 2.0)


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ExplorePage]:
    """The page, shown, on an engine that is ready; token questions are left out of the numbering."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    qtbot.waitExposed(page)
    bench.engine.emit(READY)
    yield page
    page.leave()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    """Two good pictures and a bad one."""
    for name, color in (("a.png", 0xFF4040), ("b.png", 0x4040FF)):
        image = QImage(320, 240, QImage.Format.Format_RGB32)
        image.fill(color)
        image.save(str(tmp_path / name))
    (tmp_path / "c.png").write_bytes(b"no picture")
    return str(tmp_path / "a.png"), str(tmp_path / "b.png"), str(tmp_path / "c.png")


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def fill(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> AnalyzeRequest:
    """Drop the files, let them be previewed and analysed."""
    page.open_paths(list(files))
    good, bad = files[:2], FailedPicture(files[2], "This is no picture.", "Save it as PNG.")
    previews = (*(Preview(path, 320, 240, picture(160, 120)) for path in good), bad)
    play(bench, PicturesFound(ONE, files), PreviewsReady(ONE, previews), JobFinished(ONE, PreviewResult(3, 1)))
    request = bench.engine.requests[-1]
    assert isinstance(request, AnalyzeRequest)
    rows = tuple(analyse(path, request, 32) for path in good)
    play(bench, JobStarted(TWO), RowsReady(TWO, rows), JobFinished(TWO, SUMMARY))
    return request


def test_a_newcomer_is_welcomed(page: ExplorePage) -> None:
    """Without pictures the welcome is in front, the gallery is away, and Run says what is missing."""
    assert page.welcome.isVisible()
    assert not page.gallery.isVisible()
    assert "Ready" in page.welcome.facts["device"].text()


def test_the_first_result_takes_the_centre(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Dropped pictures are analysed, the first one is shown with its headline, one bad file stops nothing."""
    request = fill(bench, page, files)
    assert request.paths == files[:2]
    assert page.gallery.isVisible()
    assert page.gallery.view.current_key() == files[0]
    assert page.result.headline.text().endswith("ε\u00a0=\u00a04/255")
    assert page.gallery.count_label.text().startswith("2 of 3")
    page.gallery.view.select_path(files[2])
    assert (page.result.headline.text(), page.result.details.text()) == ("This is no picture.", "Save it as PNG.")


def test_the_right_answer_decides_what_is_said(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Unlabelled, a change is a change; typed, it is a model that was fooled, or one that was wrong all along; taken back, a change."""
    fill(bench, page, files)
    row = bench.desk.gallery.item(files[0]).row
    assert row is not None
    assert row.attacked is not None
    before, after = row.classes[row.clean.winner], row.classes[row.attacked.winner]
    assert before != after
    field, said = page.result.label, page.result.headline
    assert field.isVisible()
    for typed, words_of_it in (
        ("", ": changed"),
        (before, ": fooled"),
        (after, ": the attack made it right"),
        ("", ": changed"),
    ):
        field.setText(typed)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert words_of_it in said.text()
    field.setText("no such name")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "not among the names" in page.result.outdated_note.text()
    assert page.gallery.count_label.text().startswith("2 of 3 · 2 changed")


def test_the_verdict_names_the_list_of_classes(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Below the headline stands the number of class names among which it was chosen, and whose they are."""
    panel = page.settings_column.classes_panel
    panel.picker.picked.emit("everyday")
    assert panel.editor.classes() == EVERYDAY
    assert panel.picker.currentText() == "Everyday words (3)"
    assert fill(bench, page, files).options.classes == EVERYDAY
    assert page.result.details.text().startswith("Demo CLIP (toy world), among 3 everyday words · ")


def test_the_verdict_names_classes_that_were_typed(
    bench: Bench, page: ExplorePage, files: tuple[str, str, str]
) -> None:
    """Names that were typed, yesterday perhaps, are called the user's own, with the first of them."""
    bench.desk.changes.write_classes(("cat", "dog"), "a {}.")
    fill(bench, page, files)
    assert "among 2 class names of your own (cat, dog) · " in page.result.details.text()


def test_a_long_list_is_read_once(bench: Bench, page: ExplorePage, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often choices change, 1,000 names are parsed no more than once; writing in the list makes it the user's own."""
    panel = page.settings_column.classes_panel
    readings: list[int] = []
    parse = class_editor.parse_classes
    monkeypatch.setattr(class_editor, "parse_classes", lambda text: readings.append(1) or parse(text))
    panel.picker.picked.emit("imagenet")
    for step in range(1, 30):
        bench.desk.choices.attack.set_eps(step / 255)
    assert panel.editor.classes() == IMAGENET
    assert len(readings) <= 1
    panel.editor.findChild(QPlainTextEdit).appendPlainText("emu")
    panel.on_written()
    assert bench.settings.classes == {"demo": [*IMAGENET, "emu"]}
    assert panel.picker.currentText() == "Your own list"


def test_old_results_are_marked(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Changed settings mark what was made before, until they are back."""
    fill(bench, page, files)
    assert not page.result.outdated_note.isVisible()
    bench.desk.choices.attack.set_eps(8 / 255)
    assert "other settings" in page.result.outdated_note.text()
    bench.desk.choices.attack.set_eps(4 / 255)
    assert not page.result.outdated_note.isVisible()


def test_waiting_for_the_engine_is_said(bench: Bench, qtbot: QtBot) -> None:
    """Work asked before the engine is ready is submitted, and the page says what it waits for."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.show()
    page.intake.take_paths(["/pictures"])
    assert isinstance(bench.engine.requests[0], PreviewRequest)
    assert page.result.isVisible()
    assert page.result.details.text() == "Starting the engine…"
    play(bench, JobCancelled(ONE))
    assert page.welcome.isVisible()


def test_run_becomes_cancel(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """While work is under way the actions and the button stand for Cancel."""
    fill(bench, page, files)
    assert page.run_action.isEnabled()
    page.run_action.trigger()
    assert (page.run_action.isEnabled(), page.cancel_action.isEnabled()) == (False, True)
    play(bench, JobProgress(JobId(3), 1, 4, "Attacking", 2.0))
    assert "about 2 s left" in page.settings_column.job_bar.text()
    page.cancel_action.trigger()
    assert bench.engine.cancelled == [JobId(3)]
    play(bench, JobCancelled(JobId(3)))
    assert (page.run_action.isEnabled(), page.cancel_action.isEnabled()) == (True, False)


def test_failures_appear_in_the_banner(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """An expected failure is a sentence on the page; the next run takes it away."""
    fill(bench, page, files)
    page.run_action.trigger()
    play(bench, JobFailed(JobId(3), Failure("DeviceProblem", "Out of memory.", "Use the CPU.")))
    assert page.banner.isVisible()
    page.run_action.trigger()
    assert not page.banner_room.isVisible()


def test_an_engine_that_cannot_start_is_said(bench: Bench, page: ExplorePage) -> None:
    """No torch, no analysis: the banner says so, the welcome too."""
    play(bench, EngineFailed(Failure("DeviceProblem", "torch could not be imported.", "Install it again.")))
    assert page.banner.isVisible()
    assert "torch could not be imported." in page.welcome.facts["device"].text()


def test_clear_goes_back_to_the_welcome(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Clear empties the gallery; the files stay."""
    fill(bench, page, files)
    page.on_clear()
    assert page.welcome.isVisible()
    assert all(Path(path).exists() for path in files)


def test_all_that_was_removed_comes_back(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Ctrl+A, Delete: the banner says how many went, and brings them back; so does Undo in the menu, after Clear too."""
    fill(bench, page, files)
    before = bench.desk.gallery.paths()
    page.gallery.view.selectAll()
    QTest.keyClick(page.gallery.view, Qt.Key.Key_Delete)
    assert bench.desk.gallery.rowCount() == 0
    assert page.banner.accessibleName() == f"{len(before)} pictures were taken off the gallery."
    button(page.banner, "Undo").click()
    assert bench.desk.gallery.paths() == before
    assert page.gallery.view.current_key() in before
    page.on_clear()
    undo = next(action for action in page.menus()["&Edit"] if action is not None)
    assert undo.text() == f"Undo remove {len(before)} pictures"
    undo.trigger()
    assert bench.desk.gallery.paths() == before


def test_undo_in_the_editor_goes_on_on_the_page(bench: Bench, page: ExplorePage) -> None:
    """What was typed is undone by the editor; where it has nothing left, the key undoes the choice of a list before."""
    QCoreApplication.processEvents()
    names = page.settings_column.classes_panel.editor.findChild(QPlainTextEdit)
    assert names is not None
    bench.desk.changes.set_class_list("everyday")
    everyday = bench.desk.choices.classes
    names.setFocus()
    for typed in (True, False):
        if typed:
            QTest.keyClicks(names, "x")
        event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        event.ignore()
        QCoreApplication.sendEvent(names, event)
        assert event.isAccepted() == typed
        names.undo()
    assert bench.desk.choices.classes == everyday
    bench.desk.changes.undo.undo()
    assert bench.desk.choices.classes == SHAPES
    assert names.toPlainText().split("\n")[0] == SHAPES[0]


def test_a_picture_is_chosen_again_after_all_were_removed(
    bench: Bench, page: ExplorePage, files: tuple[str, str, str]
) -> None:
    """Removing every card leads back to the welcome, and the next drop shows its first picture."""
    fill(bench, page, files)
    page.gallery.view.remove_requested.emit(list(files))
    assert page.welcome.isVisible()
    page.open_paths(["more"])
    play(bench, PicturesFound(JobId(3), (files[1],)))
    assert page.gallery.view.current_key() == files[1]


def test_new_pictures_can_wait_for_run(bench: Bench, page: ExplorePage) -> None:
    """The Run menu holds the switch."""
    action = page.menus()["&Run"][-1]
    assert action is not None
    assert action.isChecked()
    action.trigger()
    assert not bench.settings.auto_run


def test_paste_takes_files_and_bare_pictures(bench: Bench, page: ExplorePage) -> None:
    """Files come as they are, also without a name; pixels get a file in a folder of ours, which goes when the page is left."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/pictures/a.png")])
    assert page.take(mime)
    assert bench.engine.requests[-1] == PreviewRequest(("/pictures/a.png",))
    mime = QMimeData()
    image = QImage(4, 3, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    mime.setImageData(image)
    assert page.take(mime)
    request = bench.engine.requests[-1]
    assert isinstance(request, PreviewRequest)
    kept = Path(request.paths[0])
    assert QImage(str(kept)).pixelColor(1, 1).name() == "#336699"
    mime = QMimeData()
    mime.setData("image/jpeg", b"\xff\xd8\xffbytes of a file")
    assert page.take(mime)
    request = bench.engine.requests[-1]
    assert isinstance(request, PreviewRequest)
    raw = Path(request.paths[0])
    assert (raw.suffix, raw.read_bytes()) == (".jpeg", b"\xff\xd8\xffbytes of a file")
    page.leave()
    assert not kept.exists()
    assert not raw.exists()
    assert not page.take(QMimeData())


def test_the_adversarial_picture_is_saved_exactly(
    bench: Bench, page: ExplorePage, files: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is the adversarial picture, byte for byte; without one a sentence says so."""
    target = tmp_path / "saved.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    page.on_save()
    assert page.banner.isVisible()
    fill(bench, page, files)
    page.on_save()
    pictures = bench.desk.gallery.pictures(files[0])
    assert pictures is not None
    saved = QImage(str(target)).convertToFormat(QImage.Format.Format_RGB888)
    lines = [bytes(saved.constScanLine(y))[: saved.width() * 3] for y in range(saved.height())]
    assert b"".join(lines) == pictures.adversarial.rgb
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target / "below.png"), ""))
    page.on_save()
    assert page.banner.isVisible()


def test_the_open_dialogs_remember_the_folder(
    bench: Bench, page: ExplorePage, files: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both dialogs hand over what was chosen; the next one starts there."""
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (list(files[:1]), ""))
    page.intake.on_open_files()
    assert bench.settings.last_folder == str(Path(files[0]).parent)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/pictures")
    page.intake.on_open_folder()
    assert bench.settings.last_folder == "/pictures"
    assert bench.engine.requests == [PreviewRequest(files[:1]), PreviewRequest(("/pictures",))]


def test_the_filter_keeps_what_matches(bench: Bench, page: ExplorePage, files: tuple[str, str, str]) -> None:
    """Words filter by name, class and state."""
    fill(bench, page, files)
    page.gallery.search.setText("FAILED")
    assert page.gallery.rows.rowCount() == 1
    page.gallery.search.setText("png b.")
    assert page.gallery.rows.rowCount() == 1
    page.gallery.search.clear()
    assert page.gallery.rows.rowCount() == 3


def test_the_right_column_follows_the_choices(bench: Bench, page: ExplorePage) -> None:
    """Another model brings its classes; another norm its budget; the warning of the demo model is shown."""
    column = page.settings_column
    assert any("toy world" in line for line in words(column.model))
    assert column.classes_panel.editor.classes() == SHAPES
    bench.desk.model.set_model("photos")
    assert column.classes_panel.editor.classes() == PHOTO_CLASSES
    unknown = UnknownWord(PHOTO_CLASSES[0], 78, (PHOTO_CLASSES[0],))
    bench.desk.words.checked.emit(WordsChecked((unknown,)))
    assert column.classes_panel.editor.words.said() == unknown.sentence
    bench.desk.choices.attack.set_norm("l2")
    assert column.attack.strength.value() == 0.5
    bench.desk.choices.attack.set_steps(7)
    assert column.attack.effort.value() == 7
    assert dict(column.attack.form.values())["steps"] == 7


def test_the_knobs_change_the_request(bench: Bench, page: ExplorePage) -> None:
    """What is turned on the right is what the next job works with."""
    attack = page.settings_column.attack
    attack.strength.value_changed.emit(8 / 255)
    attack.effort.value_changed.emit(50)
    attack.target.picked.emit("cone")
    request = bench.desk.choices.request(())
    assert (request.options.threat.eps, request.options.threat.target) == (8 / 255, "cone")
    assert request.attack is not None
    assert dict(request.attack.values) == {"steps": 50}
