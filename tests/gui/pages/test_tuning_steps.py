"""Steps 3 to 5 of the wizard on an engine that acts: their laws, and a walk from the method to the explorer by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import READY, TWO_SIDES, ActingEngine
from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from capt_gui.bridge import Bridge
from capt_gui.pages.tune.method_step import MethodStep
from capt_gui.pages.tune.result_step import ResultStep
from capt_gui.pages.tune.run_step import RunStep
from capt_gui.pages.tune.step import Step
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.navigation import EXPLORE, REPORT
from capt_gui.view_models.tune.state import DONE, PAUSED

# the page's header and footer, the rail and the status bar take the rest of 1280 × 800
ROOM = QSize(1202, 612)
STEPS: tuple[Callable[[Desk], Step], ...] = (MethodStep, RunStep, ResultStep)


class Acted:
    """A desk on an acting engine."""

    def __init__(self, theme: Theme, tmp_path: Path) -> None:
        made: list[ActingEngine] = []
        ready = replace(READY, catalogue=replace(READY.catalogue, prompts=TWO_SIDES.catalogue.prompts))

        def make(on_event: object) -> ActingEngine:
            made.append(ActingEngine(on_event, ready=ready))  # type: ignore[arg-type]
            return made[0]

        self.bridge = Bridge(make)
        self.desk = lay_out(self.bridge, Settings(model="demo"), theme, tmp_path / "runs", tmp_path / "projects")
        self.bridge.open()
        self.engine = made[0]


@pytest.fixture
def acted(theme: Theme, qtbot: QtBot, tmp_path: Path) -> Iterator[Acted]:
    """The desk with the catalogue there, and a project with pictures."""
    acted = Acted(theme, tmp_path)
    qtbot.waitUntil(lambda: acted.desk.engine.is_ready)
    acted.desk.tuning.project.change(data=("/fruits",))
    yield acted
    acted.bridge.close()
    acted.bridge.deleteLater()


def shown(step: Step, qtbot: QtBot) -> None:
    """Bring a step to the front, as the page would."""
    qtbot.addWidget(step)
    step.resize(ROOM)
    with qtbot.waitActive(step):
        step.show()
        step.activateWindow()
    step.enter()


def tune(acted: Acted, qtbot: QtBot) -> None:
    """A whole run."""
    acted.desk.tuning.run.start()
    qtbot.waitUntil(lambda: acted.desk.tuning.run.is_done)


def press(button: QPushButton) -> None:
    """Press a button with the keyboard."""
    assert button.isVisible()
    assert button.isEnabled()
    QTest.keyClick(button, Qt.Key.Key_Space)


def focusable(step: QWidget) -> list[QWidget]:
    """Every visible control that Tab should stop at."""
    return [
        widget
        for widget in step.findChildren(QWidget)
        if widget.isVisibleTo(step)
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.window() is step.window()
    ]


@pytest.fixture(params=STEPS, ids=lambda make: make.__name__)
def step(request: pytest.FixtureRequest, acted: Acted, qtbot: QtBot) -> Step:
    """Each step with all it can show, every fold open."""
    tune(acted, qtbot)
    step: Step = request.param(acted.desk)
    shown(step, qtbot)
    if isinstance(step, MethodStep):
        step.expert.set_expanded(True)
        step.others.set_expanded(True)
    if isinstance(step, ResultStep):
        qtbot.waitUntil(lambda: acted.desk.tuning.result.result is not None)
    QCoreApplication.processEvents()
    return step


def test_every_control_has_a_name_and_is_reached_by_tab(step: Step) -> None:
    """A screen reader can say each control, and the keyboard gets to all of them and back."""
    wanted = set(focusable(step))
    silent = [
        type(widget).__name__
        for widget in wanted
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not silent
    reached: set[QWidget] = set()
    for _ in range(2 * len(wanted)):
        QTest.keyClick(QApplication.focusWidget() or step, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        reached.add(focused)
    assert not [f"{type(widget).__name__} {widget.accessibleName()}" for widget in wanted - reached]


def test_every_step_fits_the_small_window_in_both_themes(step: Step, theme: Theme) -> None:
    """Nothing is wider than the room there is; what is higher scrolls."""
    for choice in ("dark", "light"):
        theme.set_choice(choice)
        step.resize(ROOM)
        QCoreApplication.processEvents()
        assert step.size() == ROOM
        area = step.findChild(QScrollArea)
        assert area is not None
        assert area.widget().width() <= area.viewport().width()
        assert not step.grab().isNull()


def test_the_method_is_chosen_by_keyboard(acted: Acted, qtbot: QtBot) -> None:
    """Arrows move between the presets, what trains and what measures follow, and the forecast comes by itself."""
    step = MethodStep(acted.desk)
    shown(step, qtbot)
    method = acted.desk.tuning.method
    qtbot.waitUntil(lambda: method.forecast is not None)
    assert step.forecast.headline.text() == "About 10 minutes, 610 MiB of memory"
    step.presets.focus_taken()
    QTest.keyClick(QApplication.focusWidget() or step, Qt.Key.Key_Right)
    assert acted.desk.tuning.project.state.preset == "balanced"
    assert step.attacks.training.text().startswith("PGD, 3 steps within ε = 1/255")
    assert step.attacks.measuring.text() == "PGD, 100 steps within ε = 1/255"
    qtbot.waitUntil(lambda: method.forecast is not None and not method.is_trying)
    assert step.forecast.quick.isVisible()
    press(step.forecast.quick)
    assert step.presets.choice() == "quick"
    assert step.may_continue


def test_an_expert_setting_is_bold_and_keeps_the_focus(acted: Acted, qtbot: QtBot) -> None:
    """Changing the budget changes what both boxes say, and the form is not torn from under the fingers."""
    step = MethodStep(acted.desk)
    shown(step, qtbot)
    step.expert.set_expanded(True)
    editor = step.form.editor("eps")
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Up)
    assert step.form.editor("eps") is editor
    assert "1.25/255" in step.attacks.training.text()
    assert "1.25/255" in step.attacks.measuring.text()


def test_a_run_is_paused_continued_and_stopped_with_the_best(acted: Acted, qtbot: QtBot) -> None:
    """Each button says what it does; stopping is asked about in words, in place, and refused or agreed to."""
    acted.engine.pace_s = 0.01
    step = RunStep(acted.desk)
    shown(step, qtbot)
    project, run = acted.desk.tuning.project, acted.desk.tuning.run
    assert step.blocked_because == "Tune first."
    buttons = step.controls.buttons
    press(buttons["start"])
    qtbot.waitUntil(lambda: bool(run.epochs))
    press(buttons["pause"])
    qtbot.waitUntil(lambda: project.state.run == PAUSED)
    assert buttons["pause"].text() == "Resume"
    assert step.controls.headline.text().startswith("Paused after epoch 1")
    press(buttons["pause"])
    qtbot.waitUntil(lambda: not run.is_paused)
    press(buttons["stop"])
    assert step.controls.question.isVisible()
    assert "Nothing that was learned is lost" in step.controls.question.accessibleDescription()
    step.controls.on_refused()
    assert run.is_running
    press(buttons["stop"])
    QTest.keyClick(QApplication.focusWidget() or step, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: project.state.run == DONE)
    assert step.may_continue
    assert not step.controls.question.isVisible()


def test_what_was_noticed_stands_as_a_sentence(acted: Acted, qtbot: QtBot) -> None:
    """Notices, charts and pictures are those of the run, also for who comes to the page later."""
    tune(acted, qtbot)
    step = RunStep(acted.desk)
    shown(step, qtbot)
    assert step.notices.sentences() == ("After epoch 2: the batch was halved to 4, as memory ran out.",)
    assert step.charts.accuracy.description().startswith("epoch 3: clean")
    assert step.charts.loss.description().startswith("step 72: cross-entropy")
    assert "of 8 are answered right" in step.strip.accessibleDescription()


def test_the_result_is_read_saved_and_used(acted: Acted, qtbot: QtBot) -> None:
    """Measured on entering, told in words, sorted by key, saved by name, and taken to the explorer and to the report."""
    tune(acted, qtbot)
    step = ResultStep(acted.desk)
    shown(step, qtbot)
    desk = acted.desk
    qtbot.waitUntil(lambda: desk.tuning.result.result is not None)
    assert step.verdict.headline.text().startswith("It helped")
    assert step.verdict.property("verdict") == "better"
    assert step.table.shown(0)[0] == "heart"
    step.save.name.setFocus()
    QTest.keyClicks(step.save.name, "Mugs")
    assert desk.tuning.project.state.name == "Mugs"
    press(step.save.save)
    qtbot.waitUntil(lambda: desk.tuning.project.state.saved == "tuned-here")
    assert step.banner.accessibleName() == "Saved “Mugs”"
    asked: list[str] = []
    desk.navigation.requested.connect(asked.append)
    press(step.save.use)
    assert desk.model.sides.a == "none"
    # the acting engine installs nothing: the file itself is taken
    assert desk.model.sides.b == str(desk.tuning.result.prompts_file)
    press(step.save.report)
    assert asked == [EXPLORE, REPORT]
    press(step.save.copy)
    assert QGuiApplication.clipboard().text() == desk.tuning.result.command != ""


def test_a_result_that_does_not_help_says_so(acted: Acted, qtbot: QtBot) -> None:
    """Chance is not sold as progress, and what to try comes with it."""
    acted.engine.helps = False
    tune(acted, qtbot)
    step = ResultStep(acted.desk)
    shown(step, qtbot)
    qtbot.waitUntil(lambda: acted.desk.tuning.result.result is not None)
    assert step.verdict.headline.text() == "No difference can be told from 120 pictures."
    assert step.verdict.property("verdict") == "unclear"
    assert "More epochs" in step.verdict.advice.text()


def test_a_folder_with_card_and_manifest(acted: Acted, qtbot: QtBot, tmp_path: Path) -> None:
    """The dialog's answer is where it is saved, and the banner leads there."""
    tune(acted, qtbot)
    step = ResultStep(acted.desk)
    step.save.ask = lambda *_: str(tmp_path / "mugs")
    shown(step, qtbot)
    qtbot.waitUntil(lambda: acted.desk.tuning.result.result is not None)
    press(step.save.folder)
    qtbot.waitUntil(step.banner.isVisible)
    assert step.banner.accessibleName() == f"Saved in {tmp_path / 'mugs'}"
    assert acted.desk.tuning.project.state.saved == ""
