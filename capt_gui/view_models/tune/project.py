"""The project in front of the wizard: its state, its folder, and the projects before it."""

from __future__ import annotations

import logging
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine import trash
from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.errors import CaptError
from capt_engine.records import Failure
from capt_gui.translate import spoken
from capt_gui.view_models.tune import project_file
from capt_gui.view_models.tune.state import DATA, IDLE, TUNE, TuneState

DELAY_MS = 800
RESUME, KEEP, START_OVER = "resume", "keep", "start over"
"""The answers to "Tuning was interrupted"."""

_OURS = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


@dataclass(frozen=True)
class KeptProject:
    """One of the projects on disk."""

    id: str
    state: TuneState
    written: str


class TuneProject(QObject):
    """Holds the `state`; each `change` reaches the disk a moment later, a change of step at once.

    `changed`: a field of the state. `opened`: another project is in front. `moved(step)`: the step in front. `listed`: there are
    more or fewer projects. `answered(answer)`: what to do with an interrupted run, one of the three answers; the project is open and
    at its fourth step by then. `failed(Failure)`: the disk refused.
    """

    changed = Signal()
    opened = Signal()
    moved = Signal(int)
    listed = Signal()
    answered = Signal(str)
    failed = Signal(object)

    def __init__(
        self, home: Path | None = None, parent: QObject | None = None, model: Callable[[], str] = lambda: DEFAULT_MODEL
    ) -> None:
        """home: where projects are kept; None for a place that goes with the program (safe mode, tests). model: gives a new one's model."""
        super().__init__(parent)
        self._home = home
        self._model = model
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._is_reported = False
        # the name of the project's folder
        self.id = _new_id()
        self.state = TuneState(model=model())
        # it was opened with a run that had not ended, and nobody has said yet what to do with it
        self.is_interrupted = False
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.save_now)
        # a sentence about a project that could not be read, for the window to show once
        self.notice = ""
        if home is not None:
            self._notice(trash.empty(home, what="project"))
        # the project that was touched last, until one is begun or opened
        self.offered = next(iter(self.projects()), None)

    @property
    def folder(self) -> Path:
        """The folder of this project, named by its id; it may not exist before the first save."""
        return self._home_folder() / self.id

    @property
    def split_file(self) -> Path:
        """The path of the CSV that says which picture is for train, validation or test; step 2 writes it."""
        return self.folder / "split.csv"

    @property
    def test_folder(self) -> Path:
        """The folder that keeps the evaluation on the test pictures if runs are not kept for reports."""
        return self.folder / "test"

    @property
    def is_busy(self) -> bool:
        """True if tuning is running or paused in this project now; an interrupted run does not count."""
        return self.state.is_underway and not self.is_interrupted

    def change(self, **fields: object) -> None:
        """Set fields of `state` by their names; they are saved a moment later, and `changed` is emitted.

        Nothing happens if all values are the same as before. Raises TypeError for a name that is no field.
        """
        changed: dict[str, Any] = fields
        state = replace(self.state, **changed)
        if state == self.state:
            return
        self.state = state
        # defaults that settle while the project is still empty do not answer the question
        if state.data:
            self.offered = None
        self._timer.start()
        self.changed.emit()

    def go(self, step: int) -> None:
        """Bring a step of the wizard (DATA to RESULT, 0 to 4) to the front, save the project and emit `moved`."""
        if step != self.state.step:
            self.change(step=step, reached=max(step, self.state.reached))
            self.save_now()
            self.moved.emit(step)

    def take(self, data: tuple[str, ...]) -> None:
        """Begin at step 1 with the pictures at the paths `data`, none of them left out.

        If tuning was begun in this project, it is put away with its results, and the pictures go into a new one.
        """
        if self.state.run != IDLE or self.state.saved:
            self.start_new()
        self.change(step=DATA, reached=DATA, data=data, excluded=(), excluded_classes=(), own_parts=False)
        self.save_now()
        self.moved.emit(DATA)

    def start_new(self) -> None:
        """Save this project and bring a new, empty one to the front; nothing of it is written until it has pictures."""
        self.save_now()
        self.id, self.state, self.is_interrupted, self.offered = _new_id(), TuneState(model=self._model()), False, None
        self._tell_opened()

    def open(self, project: str) -> bool:
        """Save this project and open the one on disk whose id (the name of its folder) is `project`.

        Return False, and emit `failed`, if it cannot be read; then this project stays in front.
        """
        self.save_now()
        kept = project_file.load(self._home_folder() / project)
        if kept is None:
            self.failed.emit(
                Failure("BadRequest", self.tr("This project can no longer be read."), self.tr("Begin a new one."))
            )
            return False
        project_file.keep_copy(self._home_folder() / project)
        self.id, self.state, self.offered = project, kept.state, None
        self.is_interrupted = kept.state.is_underway
        self._tell_opened()
        return True

    def answer(self, answer: str) -> None:
        """Take the user's decision about the interrupted run, bring step 4 to the front and emit `answered`.

        answer: RESUME goes on, KEEP ends with the best epoch so far, START_OVER forgets it, and begins none.
        """
        self.is_interrupted = False
        if answer == START_OVER:
            self.change(run=IDLE, epoch=0)
        self.go(TUNE)
        self.answered.emit(answer)
        self.changed.emit()

    def dismiss_offer(self) -> None:
        """Stop offering to open the project that was used last; it stays on disk."""
        self.offered = None
        self.listed.emit()

    def remove(self, project: str) -> None:
        """Move the folder of the project with this id to the trash, with prompts and results, but none of the user's pictures.

        Nothing happens if tuning is under way in it or if it is no project; a disk that refuses is told by `failed`. If
        it is in front, an empty one replaces it.
        """
        folder = self._home_folder() / project
        if (project == self.id and self.is_busy) or not _OURS.fullmatch(project) or not project_file.is_project(folder):
            return
        try:
            trash.discard(folder)
        except CaptError as problem:
            self.failed.emit(Failure(type(problem).__name__, spoken(problem.message), spoken(problem.hint)))
            return
        if project == self.id:
            self._timer.stop()
            self.id, self.state, self.is_interrupted = _new_id(), TuneState(model=self._model()), False
            self._tell_opened()
        if self.offered is not None and self.offered.id == project:
            self.offered = None
        self.listed.emit()

    def put_back(self, project: str) -> None:
        """Move the project with this id back from the trash; a disk that refuses is told by `failed`."""
        try:
            trash.put_back(self._home_folder() / project)
        except CaptError as problem:
            self.failed.emit(Failure(type(problem).__name__, spoken(problem.message), spoken(problem.hint)))
        self.listed.emit()

    def removed(self) -> tuple[KeptProject, ...]:
        """Return the projects in the trash that can be read, the one that was removed last first."""
        gone = [one for one in trash.discarded(self._home_folder()) if _OURS.fullmatch(one.run.name)]
        kept = [(one.run.name, project_file.load(one.place)) for one in reversed(gone)]
        return tuple(KeptProject(name, own.state, own.written) for name, own in kept if own is not None)

    def projects(self) -> tuple[KeptProject, ...]:
        """Return all projects on disk that can be read, the one that was written last first."""
        home = self._home if self._home is not None else self._temporary and Path(self._temporary.name)
        if not home:
            return ()
        try:
            folders = [folder for folder in home.iterdir() if _OURS.fullmatch(folder.name)]
        except OSError:
            return ()
        kept = [
            (folder.name, project_file.load(folder, self._notice))
            for folder in folders
            if project_file.is_project(folder)
        ]
        found = [KeptProject(name, own.state, own.written) for name, own in kept if own is not None]
        return tuple(sorted(found, key=lambda project: (project.written, project.id), reverse=True))

    def save_now(self) -> None:
        """Write the state to disk at once; a project without pictures is not written.

        A disk that refuses is told by `failed`, the first time only.
        """
        self._timer.stop()
        if not self.state.data:
            return
        try:
            project_file.save(self.state, self.folder)
        except CaptError as problem:
            logging.getLogger(__name__).warning("The project could not be saved: %s", problem)
            if not self._is_reported:
                self._is_reported = True
                text = self.tr("The project could not be saved. {}").format(spoken(problem.message))
                hint = self.tr("Make room on the disk; the wizard goes on meanwhile.")
                self.failed.emit(Failure(type(problem).__name__, text, hint))

    def close(self) -> None:
        """Save the project as the window closes; if projects have no lasting place (safe mode), delete them all."""
        self.save_now()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _notice(self, sentence: str) -> None:
        self.notice = self.notice or sentence

    def _home_folder(self) -> Path:
        if self._home is not None:
            return self._home
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="capt-tuning-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    def _tell_opened(self) -> None:
        self.opened.emit()
        self.changed.emit()
        self.moved.emit(self.state.step)
        self.listed.emit()


def _new_id() -> str:
    # local time, because people read it; two projects of one second are told apart by the end of the name
    return f"{datetime.now().astimezone().strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
