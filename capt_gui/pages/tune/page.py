"""The Tune page: the header with the steps, the step in front, Back and Next; it assembles them and asks about old projects."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.records import Failure
from capt_gui.pages.tune.projects_menu import ProjectsMenu
from capt_gui.pages.tune.question_bar import QuestionBar
from capt_gui.pages.tune.step import Step
from capt_gui.pages.tune.step_rail import COMPLETE, LOCKED, NOW, OPEN, StepRail
from capt_gui.pages.tune.steps import STEPS
from capt_gui.panels.chart_saving import AllCharts
from capt_gui.panels.page import Menus, Page
from capt_gui.plain_text import set_tooltip
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.runs_model import when
from capt_gui.view_models.tune.project import KEEP, RESUME, START_OVER, KeptProject
from capt_gui.view_models.tune.state import METHOD
from capt_gui.widgets.actions import undo_actions
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.layout import fill

_REOPEN, _ANEW = "reopen", "anew"


class TunePage(Page):
    """Wizard of five steps; each can be left and come back to."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.project = desk.tuning.project
        self.rail = StepRail(desk.theme)
        self.projects = ProjectsMenu(desk.theme, self.project)
        self.question_bar = QuestionBar(desk.theme)
        self._question_room = QWidget()
        self._stack = QStackedWidget()
        self.steps: list[Step] = []
        # the step whose `prepare_next` is under way, and the step that is wanted in the end
        self._waiting = self._wanted = -1
        self._back = QPushButton(self.tr("Back"))
        self._next = QPushButton()
        self.reason = ElidedLabel(text_role="muted")
        self.reason.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for info in STEPS:
            step = info.make(desk)
            self.steps.append(step)
            self._stack.addWidget(step)
            self.rail.add(self.tr(info.title), self.tr(info.summary))
            step.changed.connect(self.on_changed)
            step.done.connect(self.on_done)
            step.held.connect(self.on_held)
            step.advised.connect(self.on_advised)
        self.actions_by_menu = self._make_actions()
        self._lay_out()
        self._connect()
        self.on_moved()
        self.on_listed()

    @property
    def step(self) -> Step:
        """Return the step of the wizard that is shown now."""
        return self.steps[self._stack.currentIndex()]

    def take(self, mime: QMimeData) -> bool:
        """Hand what was dropped, `mime`, to the step in front, or say that its files were not taken; return False without a file."""
        if self.step.take(mime):
            return True
        if not mime.hasUrls():
            return False
        hint = self.tr("To begin with other pictures, go to step 1.")
        self.say("info", self.tr("What you dropped was not taken."), hint)
        return True

    def leave(self) -> None:
        """Stop what only a visible step needs, and save the project, as the window closes."""
        self.step.leave()
        self.project.save_now()

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the step in front up to date as this page is shown, and move the focus to it, or to an open question.

        Qt handles `event` too.
        """
        super().showEvent(event)
        self.step.enter()
        self.question_bar.focus_first()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop what only a visible step needs, as another page comes to the front; Qt handles `event` too."""
        super().hideEvent(event)
        self.step.leave()

    def on_moved(self) -> None:
        """Show the step that the project is at, or the earlier one where something is missing."""
        number = min(self.project.state.step, len(self.steps) - 1)
        # where the ground has gone (pictures that were moved away) it leads back to the step that says so; later steps that were
        # reached once may only be waiting for the engine
        if self._open_until() < METHOD or number > self.project.state.reached:
            number = min(number, self._open_until())
        self._waiting = -1
        if number != self.project.state.step:
            self.project.change(step=number)
        if number != self._stack.currentIndex():
            self.step.leave()
            self._stack.setCurrentIndex(number)
            if self.isVisible():
                self.step.enter()
        self.on_changed()

    def on_changed(self) -> None:
        """Show which steps are done, open or locked, and enable Next, or disable it and show the reason."""
        here, until, reached = self._stack.currentIndex(), self._open_until(), self.project.state.reached
        states, reasons = [], []
        for number in range(len(self.steps)):
            passed = number < reached and number < until
            locked = number > min(until, max(here, reached) + 1)
            states.append(NOW if number == here else LOCKED if locked else COMPLETE if passed else OPEN)
            reason = self.steps[until].blocked_because if number > until else self.tr("The step before comes first.")
            reasons.append(reason if locked else "")
        self.rail.set_states(states, reasons)
        self._back.setVisible(here > 0)
        last = here == len(self.steps) - 1
        self._next.setVisible(not last)
        reason = "" if last else self.step.blocked_because
        if not last:
            self._next.setText(self.tr("Next: {}").format(self.tr(STEPS[here + 1].title)))
        may = not reason and self._waiting != here
        if self._next.hasFocus() and not may:
            self._back.setFocus()
        self._next.setEnabled(may)
        self._next.setAccessibleDescription(reason)
        set_tooltip(self._next, reason)
        self.reason.set_text(reason)
        self._forward.setEnabled(may and not last)
        self._backward.setEnabled(here > 0)

    def on_listed(self) -> None:
        """Ask the user about the project changed last: to resume it, or what becomes of its interrupted tuning.

        The question is hidden where there is no such project.
        """
        offered = self.project.offered
        if self.project.is_interrupted:
            state = self.project.state
            self._ask_interrupted(state.title, state.epoch, state.epochs)
        elif offered is not None and offered.state.is_underway:
            self._ask_interrupted(offered.state.title, offered.state.epoch, offered.state.epochs)
        elif offered is not None:
            self._ask_to_resume(offered)
        else:
            self.question_bar.hide()
        self._fit_top()

    def on_answered(self, answer: str) -> None:
        """Open the project changed last, or begin anew, as the user answered the question about it.

        answer: "reopen" or "anew"; for interrupted tuning RESUME, KEEP (end with the best epoch so far) or START_OVER.
        """
        offered = self.project.offered
        if answer == _ANEW:
            self.project.dismiss_offer()
        elif offered is None or self.project.open(offered.id):
            if answer in (RESUME, KEEP, START_OVER):
                self.project.answer(answer)
            self.on_listed()
        self.step.enter()

    def on_back(self) -> None:
        """Show the step before the present one; do nothing at the first one."""
        if self._stack.currentIndex() > 0:
            self.project.go(self._stack.currentIndex() - 1)

    def on_next(self) -> None:
        """Show the next step, once the step in front has written what that one needs; do nothing while it is closed."""
        self._continue(self._stack.currentIndex() + 1)

    def on_done(self) -> None:
        """Show the next step, now that the step in front has finished its work, and go on if a later one was asked for.

        Do nothing if no move was under way.
        """
        here = self._stack.currentIndex()
        if self._waiting == here:
            wanted = self._wanted
            self._waiting = -1
            self.project.go(here + 1)
            self.on_changed()
            if wanted > here + 1:
                self._continue(wanted)

    def on_held(self) -> None:
        """Stay on the step in front, because it could not finish the work that the next one needs."""
        self._waiting = -1
        self.on_changed()

    def on_advised(self) -> None:
        """Move the keyboard focus to the Next button, because the work of the step in front is done."""
        self.on_changed()
        self._next.setFocus(Qt.FocusReason.TabFocusReason)

    def on_picked(self, number: int) -> None:
        """Show step `number` (from 0); on the way forward every step in between first finishes its work, as with Next."""
        if number > self._stack.currentIndex():
            self._continue(number)
        else:
            self.project.go(number)
        # the header shows what is in front, not what was wished for
        self.on_changed()

    def on_failed(self, failure: Failure) -> None:
        """Show the message and the hint of `failure` in the banner, and stay on the step in front."""
        self._waiting = -1
        super().on_failed(failure)
        self.on_changed()

    def on_dismissed(self) -> None:
        """Hide the room above the step, as its message was dismissed, unless a question stands there."""
        self._fit_top()

    def _continue(self, wanted: int) -> None:
        here = self._stack.currentIndex()
        if self.step.may_continue and here < len(self.steps) - 1 and self._waiting != here:
            self._waiting, self._wanted = here, wanted
            self.on_changed()
            self.step.prepare_next()

    def _ask_interrupted(self, title: str, epoch: int, epochs: int) -> None:
        if epoch:
            how_far = (
                self.tr("after epoch {} of {}").format(epoch, epochs)
                if epochs
                else self.tr("after epoch {}").format(epoch)
            )
            hint = self.tr("What was learned until then is kept on disk.")
            answers: tuple[tuple[str, str], ...] = (
                (RESUME, self.tr("Resume")),
                (KEEP, self.tr("Keep what there is")),
                (START_OVER, self.tr("Start over")),
            )
        else:
            how_far = self.tr("in its first epoch")
            hint = self.tr("Nothing was learned yet; the settings are kept.")
            answers = ((RESUME, self.tr("Tune again")), (START_OVER, self.tr("Change the settings first")))
        # what a run is asked for depends on what the engine offers
        waiting = self.desk.engine.waiting_text
        question = self.tr("Tuning of “{}” was interrupted {}.").format(title, how_far)
        self.question_bar.ask(question, waiting or hint, answers, may_answer=not waiting)

    def _ask_to_resume(self, offered: KeptProject) -> None:
        step = min(offered.state.step, len(STEPS) - 1)
        hint = self.tr("Step {} of {}: {} · {}").format(
            step + 1, len(STEPS), self.tr(STEPS[step].title), when(offered.written)
        )
        answers = ((_REOPEN, self.tr("Resume")), (_ANEW, self.tr("Start anew")))
        self.question_bar.ask(self.tr("Resume “{}”?").format(offered.state.title), hint, answers)

    def _open_until(self) -> int:
        """The furthest step that is open: the first one that does not let anybody on."""
        for number, step in enumerate(self.steps[:-1]):
            if not step.may_continue:
                return number
        return len(self.steps) - 1

    def _fit_top(self) -> None:
        """The room above the step goes with what was in it."""
        self._question_room.setVisible(not self.question_bar.isHidden())

    def _make_actions(self) -> Menus:
        self._forward = self.add_action(self.tr("&Next step"), self.on_next, "Alt+Right")
        self._backward = self.add_action(self.tr("&Previous step"), self.on_back, "Alt+Left")
        self.charts = AllCharts(self, self.desk)
        new = self.add_action(self.tr("New pro&ject"), self.projects.on_new, "Ctrl+Shift+N")
        own = [action for step in self.steps for action in step.run_actions()]
        return {
            "&File": [
                new,
                None,
                *(action for step in self.steps for action in step.file_actions()),
                self.charts.action,
            ],
            "&Edit": [*undo_actions(self, self.desk.tuning.scan.undo)],
            "&Run": [*own, None, self._forward, self._backward],
        }

    def _lay_out(self) -> None:
        header, footer = QFrame(), QFrame()
        header.setProperty("stepHeader", True)
        footer.setProperty("stepFooter", True)
        self._next.setProperty("primary", True)
        fill(QHBoxLayout(header), (self.rail, 1), self.projects, spacing=16, margins=(12, 4, 12, 4))
        parts = (self._back, (self.reason, 1), self._next)
        fill(QHBoxLayout(footer), *parts, spacing=16, margins=(20, 10, 20, 10))
        fill(QVBoxLayout(self._question_room), self.question_bar, margins=(20, 12, 20, 0))
        fill(QVBoxLayout(self), header, self._question_room, (self._stack, 1), footer, spacing=0)

    def _connect(self) -> None:
        project = self.project
        project.moved.connect(self.on_moved)
        project.changed.connect(self.on_listed)
        project.listed.connect(self.on_listed)
        project.failed.connect(self.on_failed)
        self.desk.engine.changed.connect(self.on_listed)
        self.question_bar.answered.connect(self.on_answered)
        self.rail.picked.connect(self.on_picked)
        self._back.clicked.connect(self.on_back)
        self._next.clicked.connect(self.on_next)
