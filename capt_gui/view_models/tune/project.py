"""The project in front of the wizard: its state, its folder, and the projects before it."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.errors import CaptError
from capt_engine.records import Failure
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

    def __init__(self, home: Path | None = None, parent: QObject | None = None) -> None:
        """home: where projects are kept; None for a place that goes with the program (safe mode, tests)."""
        super().__init__(parent)
        self._home = home
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._is_reported = False
        # the name of the project's folder
        self.id = _new_id()
        self.state = TuneState()
        # it was opened with a run that had not ended, and nobody has said yet what to do with it
        self.is_interrupted = False
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.save_now)
        # the project that was touched last, until one is begun or opened
        self.offered = next(iter(self.projects()), None)

    @property
    def folder(self) -> Path:
        """The folder of this project; made when it is first needed."""
        return self._home_folder() / self.id

    @property
    def split_file(self) -> Path:
        """The CSV that says which picture is used for what; written by step 2."""
        return self.folder / "split.csv"

    @property
    def test_folder(self) -> Path:
        """The folder of the evaluation on the test pictures."""
        return self.folder / "test"

    @property
    def is_busy(self) -> bool:
        """True if tuning goes on in this project, so that no other can be opened."""
        return self.state.is_underway and not self.is_interrupted

    def change(self, **fields: Any) -> None:
        """Change fields of the state by name; the same values again change nothing."""
        state = replace(self.state, **fields)
        if state == self.state:
            return
        self.state = state
        # defaults that settle while the project is still empty do not answer the question
        if state.data:
            self.offered = None
        self._timer.start()
        self.changed.emit()

    def go(self, step: int) -> None:
        """Bring a step to the front."""
        if step != self.state.step:
            self.change(step=step, reached=max(step, self.state.reached))
            self.save_now()
            self.moved.emit(step)

    def take(self, data: tuple[str, ...]) -> None:
        """Begin with these pictures: in this project while nothing was tuned in it, else in a new one, so that results stay."""
        if self.state.run != IDLE or self.state.saved:
            self.start_new()
        self.change(step=DATA, reached=DATA, data=data, excluded=(), excluded_classes=(), own_parts=False)
        self.save_now()
        self.moved.emit(DATA)

    def start_new(self) -> None:
        """Put this project away and begin an empty one; nothing is written until it has pictures."""
        self.save_now()
        self.id, self.state, self.is_interrupted, self.offered = _new_id(), TuneState(), False, None
        self._tell_opened()

    def open(self, project: str) -> bool:
        """Open a kept project; False when it cannot be read."""
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
        """Say what to do with the interrupted run of this project: RESUME, KEEP or START_OVER."""
        self.is_interrupted = False
        if answer == START_OVER:
            self.change(run=IDLE, epoch=0)
        self.go(TUNE)
        self.answered.emit(answer)
        self.changed.emit()

    def dismiss_offer(self) -> None:
        """Start anew: the offered project stays on disk."""
        self.offered = None
        self.listed.emit()

    def remove(self, project: str) -> None:
        """Remove a project's folder, which holds none of the user's pictures; one that tuning works in stays."""
        folder = self._home_folder() / project
        if (project == self.id and self.is_busy) or not _OURS.fullmatch(project) or not project_file.is_project(folder):
            return
        if project == self.id:
            self._timer.stop()
            self.id, self.state, self.is_interrupted = _new_id(), TuneState(), False
            self._tell_opened()
        shutil.rmtree(folder, ignore_errors=True)
        if self.offered is not None and self.offered.id == project:
            self.offered = None
        self.listed.emit()

    def projects(self) -> tuple[KeptProject, ...]:
        """All projects on disk that can be read, the one that was touched last first."""
        home = self._home if self._home is not None else self._temporary and Path(self._temporary.name)
        if not home:
            return ()
        try:
            folders = [folder for folder in home.iterdir() if _OURS.fullmatch(folder.name)]
        except OSError:
            return ()
        kept = [(folder.name, project_file.load(folder)) for folder in folders if project_file.is_project(folder)]
        found = [KeptProject(name, own.state, own.written) for name, own in kept if own is not None]
        return tuple(sorted(found, key=lambda project: (project.written, project.id), reverse=True))

    def save_now(self) -> None:
        """Write the state at once; an empty project is not worth a file, and never replaces one."""
        self._timer.stop()
        if not self.state.data:
            return
        try:
            project_file.save(self.state, self.folder)
        except CaptError as problem:
            logging.getLogger(__name__).warning("The project could not be saved: %s", problem)
            if not self._is_reported:
                self._is_reported = True
                text = self.tr("The project could not be saved. {}").format(problem.message)
                hint = self.tr("Make room on the disk; the wizard goes on meanwhile.")
                self.failed.emit(Failure(type(problem).__name__, text, hint))

    def close(self) -> None:
        """The window closes."""
        self.save_now()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

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
