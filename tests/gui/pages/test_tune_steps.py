"""The frame of the Tune page with its first two steps: walked by keyboard, left and come back to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import acted_data
import pytest
from conftest import Bench
from fakes import ActingEngine
from finding import button
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import USES, Assigned, SplitResult
from capt_gui.bridge import Bridge
from capt_gui.pages.tune.data_step import DataStep
from capt_gui.pages.tune.page import TunePage
from capt_gui.pages.tune.split_step import SplitStep
from capt_gui.pages.tune.step_rail import COMPLETE, LOCKED, NOW, OPEN
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.data_warnings import Picked
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.tune.split_rows import TONES
from capt_gui.view_models.tune.state import METHOD, RUNNING, SPLIT, TUNE

PATIENCE_MS = 20_000
COUNTS = {"cat": 8, "dog": 7, "emu": 1}

Open = Callable[[], TunePage]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three classes, one of which is too poor."""
    return acted_data.write_folders(tmp_path / "pictures", COUNTS)


@pytest.fixture
def opened(theme: Theme, tmp_path: Path, qtbot: QtBot) -> Iterator[Open]:
    """Opens the page, with projects on disk, as often as the test asks: each time is another start of the program."""
    bridges: list[Bridge] = []

    def make() -> TunePage:
        bridge = Bridge(ActingEngine)
        bridges.append(bridge)
        desk: Desk = lay_out(bridge, Settings(model="demo"), theme, projects_folder=tmp_path / "projects")
        page = TunePage(desk)
        qtbot.addWidget(page)
        page.resize(1200, 720)
        page.show()
        qtbot.waitExposed(page)
        page.activateWindow()
        return page

    yield make
    for bridge in bridges:
        bridge.close()
        bridge.deleteLater()


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key where the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, key, modifiers)


def drop(page: TunePage, *paths: Path) -> None:
    """Drop files on the page."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    assert page.take(mime)


def data_step(page: TunePage) -> DataStep:
    """Step 1."""
    step = page.steps[0]
    assert isinstance(step, DataStep)
    return step


def split_step(page: TunePage) -> SplitStep:
    """Step 2."""
    step = page.steps[1]
    assert isinstance(step, SplitStep)
    return step


def test_steps_one_and_two_by_keyboard(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """From dropped folders to a written split without a mouse: a poor class is left out with Space, Alt+Right goes on."""
    page = opened()
    assert page.rail.states()[:3] == [NOW, LOCKED, LOCKED]
    assert not button(page, "Next: Split").isEnabled()
    drop(page, pictures)
    step = data_step(page)
    qtbot.waitUntil(lambda: step.table.isVisible() and bool(step.desk.tuning.scan.pictures), timeout=PATIENCE_MS)
    assert page.step.blocked_because == "“emu” has 1 usable picture."
    assert page.reason.text() == "“emu” has 1 usable picture."
    assert button(page, "Next: Split").accessibleDescription() == page.reason.text()
    qtbot.waitUntil(step.table.hasFocus, timeout=PATIENCE_MS)
    press(Qt.Key.Key_End)
    step.table.select_name("emu")
    press(Qt.Key.Key_Space)
    assert page.step.may_continue
    press(Qt.Key.Key_Home)
    step.table.select_name("cat")
    press(Qt.Key.Key_Return)
    assert step.details.grid.hasFocus()
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Space)
    assert step.desk.tuning.scan.usable("cat") == 7
    page.on_next()
    assert page.step is page.steps[SPLIT]
    split = split_step(page)
    qtbot.waitUntil(lambda: split.desk.tuning.split.is_current, timeout=PATIENCE_MS)
    assert split.totals.texts() == ["Train: 8", "Validation: 2", "Test: 4", "Unused: 0"]
    assert split.bars.hasFocus()
    press(Qt.Key.Key_Return)
    assert split.grid.hasFocus()
    page.on_next()
    qtbot.waitUntil(lambda: page.step is page.steps[METHOD], timeout=PATIENCE_MS)
    rows = page.project.split_file.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 14
    assert not any("emu" in row for row in rows)
    assert page.rail.states()[:3] == [COMPLETE, COMPLETE, NOW]
    page.on_back()
    assert page.step is split
    assert page.rail.states()[:3] == [COMPLETE, NOW, OPEN]
    assert page.rail.states()[4] == LOCKED


def test_everything_is_there_after_another_start(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """The last project is offered; going on brings back step, settings and what was left out, without another scan."""
    page = opened()
    drop(page, pictures)
    scan = page.desk.tuning.scan
    qtbot.waitUntil(lambda: bool(scan.pictures), timeout=PATIENCE_MS)
    scan.toggle(Picked(classes=("emu",)))
    page.on_next()
    page.project.change(shots=2)
    page.leave()
    again = opened()
    assert again.question_bar.message() == "Resume “pictures”?"
    assert again.focusWidget() is button(again, "Resume")
    button(again, "Resume").click()
    assert again.focusWidget() is split_step(again).bars
    assert again.step is again.steps[SPLIT]
    assert again.question_bar.isHidden()
    state = again.project.state
    assert (state.shots, state.excluded_classes) == (2, ("emu",))
    qtbot.waitUntil(lambda: again.desk.tuning.split.is_current, timeout=PATIENCE_MS)
    assert split_step(again).settings.shots.choice() == "2"
    assert not again.desk.tuning.scan.is_running


def test_starting_anew_keeps_the_old_project(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """It is still in the menu, from where it opens, and goes only after a second yes."""
    page = opened()
    drop(page, pictures)
    qtbot.waitUntil(lambda: bool(page.desk.tuning.scan.pictures), timeout=PATIENCE_MS)
    page.leave()
    again = opened()
    # Tab comes from the header to the question, and from there to the step
    again.projects.setFocus()
    passed = []
    for _ in range(3):
        QTest.keyClick(again.focusWidget(), Qt.Key.Key_Tab)
        passed.append(again.focusWidget())
    assert passed == [button(again, "Resume"), button(again, "Start anew"), data_step(again).welcome.folder]
    button(again, "Start anew").click()
    assert again.question_bar.isHidden()
    assert again.focusWidget() is data_step(again).welcome.folder
    menu = again.projects
    menu.fill()
    entries = [action for action in menu.menu().actions() if action.data()]
    assert [action.text().split(" · ")[0] for action in entries] == ["pictures"]
    entries[0].trigger()
    assert again.project.state.title == "pictures"
    qtbot.waitUntil(lambda: again.desk.tuning.split.is_current, timeout=PATIENCE_MS)
    asked: list[str] = []

    def answer(yes: bool) -> None:
        menu.confirm = lambda project: bool(asked.append(project.state.title)) or yes  # type: ignore[method-assign]
        menu.fill()
        menu.menu().actions()[-1].menu().actions()[0].trigger()

    answer(False)
    assert len(again.project.projects()) == 1
    answer(True)
    assert asked == ["pictures", "pictures"]
    assert again.project.projects() == ()
    assert (pictures / "cat" / "000.png").exists()


def test_an_interrupted_run_is_asked_about(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """The sentence says how far it came; the answer reaches whoever tunes, with the project open."""
    page = opened()
    drop(page, pictures)
    qtbot.waitUntil(lambda: bool(page.desk.tuning.scan.pictures), timeout=PATIENCE_MS)
    page.project.split_file.write_text("path,label,split\n", encoding="utf-8")
    page.project.change(excluded_classes=("emu",), run=RUNNING, epoch=3, epochs=10, step=3, reached=3)
    page.project.close()
    again = opened()
    told: list[str] = []
    again.project.answered.connect(told.append)
    assert again.question_bar.message() == "Tuning of “pictures” was interrupted after epoch 3 of 10."
    # what a run is asked for depends on what the engine offers
    assert not button(again, "Start over").isEnabled()
    again.desk.bridge.open()
    qtbot.waitUntil(lambda: again.desk.engine.is_ready, timeout=PATIENCE_MS)
    QApplication.processEvents()
    button(again, "Start over").click()
    assert again.step is again.steps[TUNE]
    assert told == ["start over"]
    assert again.project.state.epoch == 0
    assert again.question_bar.isHidden()


def test_what_is_dropped_on_a_later_step_is_not_taken(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """Pictures change in step 1 only; the page says so."""
    page = opened()
    drop(page, pictures)
    scan = page.desk.tuning.scan
    qtbot.waitUntil(lambda: bool(scan.pictures), timeout=PATIENCE_MS)
    scan.toggle(Picked(classes=("emu",)))
    page.on_next()
    drop(page, pictures / "cat")
    assert page.banner.isVisible()
    assert page.project.state.data == (str(pictures),)


def test_a_scan_can_be_cancelled(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """Cancel leads back to the ways in, and the place is among the recent ones."""
    page = opened()
    page.desk.bridge.open()
    engine = page.desk.bridge._engine
    assert isinstance(engine, ActingEngine)
    engine.pace_s = 0.5
    drop(page, pictures)
    step = data_step(page)
    qtbot.waitUntil(step.progress.isVisible, timeout=PATIENCE_MS)
    step.progress.cancel.click()
    qtbot.waitUntil(step.welcome.isVisible, timeout=PATIENCE_MS)
    assert button(page, "pictures").isVisible()


def test_notices_act(opened: Open, pictures: Path, qtbot: QtBot) -> None:
    """The button of a notice does what it says, and the notice goes."""
    page = opened()
    drop(page, pictures)
    step = data_step(page)
    qtbot.waitUntil(lambda: bool(step.notices.messages()), timeout=PATIENCE_MS)
    button(page, "Leave out this class").click()
    assert page.project.state.excluded_classes == ("emu",)
    assert "“emu” has 1 usable picture." not in step.notices.messages()


def test_three_hundred_classes_stay_fluid(bench: Bench, qtbot: QtBot) -> None:
    """Filling the table makes no widget per class, and only the rows in sight ask for pictures."""
    page = TunePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1200, 720)
    page.show()
    step = data_step(page)
    scan = bench.desk.tuning.scan
    before = len(page.findChildren(QWidget))
    scan.result = acted_data.found({f"class {number:03d}": 20 for number in range(300)})
    pictures = (Assigned(f"/{number}/a.png", f"class {number:03d}", "train") for number in range(300))
    scan.on_listed(SplitResult((), tuple(pictures)))
    qtbot.waitUntil(step.table.isVisible, timeout=PATIENCE_MS)
    QApplication.processEvents()
    assert step.table.model().rowCount() == 300
    assert len(page.findChildren(QWidget)) < before + 40
    assert 0 < len(bench.desk.tuning.thumbnails._wanted) < 60
    step.table.set_filter("class 29")
    assert step.table.model().rowCount() == 10


def test_every_use_has_a_colour_and_a_name() -> None:
    """The bars, the tiles and the words speak of the same four uses."""
    assert tuple(TONES) == USES
    assert len(set(TONES.values())) == len(USES)
