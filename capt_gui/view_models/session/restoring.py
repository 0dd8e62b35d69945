"""The part of a session that takes time to come back: pictures of Evaluate are looked through again, runs are listed first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QObject, Signal

from capt_gui.view_models.desk import Desk
from capt_gui.view_models.session import window_state
from capt_gui.view_models.session.window_state import Evaluated, WindowState


class Restoring(QObject):
    """Puts the choices of a session into the window, and those that must wait as soon as they can be. `said`: as `Page.say`."""

    said = Signal(str, str, str)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._evaluated: Evaluated | None = None
        self._target: str | None = None
        self._reports: tuple[str, ...] = ()
        self._model = ""
        desk.evaluation.data.changed.connect(self.on_data_changed)
        desk.reports.runs.changed.connect(self.on_runs_changed)
        desk.model.offered.connect(self.on_offered)

    def clear(self) -> None:
        """Forget what still waits, and the pictures and the result of Evaluate, unless an evaluation goes on."""
        self._evaluated, self._reports, self._model = None, (), ""
        evaluation = self._desk.evaluation
        if not evaluation.run.is_running:
            evaluation.data.clear()
            evaluation.run.forget()

    def choose(self, state: WindowState, values: Mapping[str, object], folder: Path | None) -> None:
        """Make the choices of a session those of the window. values: its plain values. folder: of its file, None for a journal."""
        desk = self._desk
        self._model = state.chosen.model
        window_state.choose(desk, state)
        if desk.model.is_ready:
            self.on_offered()
        self._reports = state.reports
        self.on_runs_changed()
        runs = desk.store.folder
        if (
            state.last_run
            and runs is not None
            and Path(state.last_run).parent == runs
            and Path(state.last_run).is_dir()
        ):
            desk.store.on_kept(state.last_run)
        if desk.evaluation.run.is_running:
            self.said.emit("info", self.tr("An evaluation goes on, so that page stays as it is."), "")
            return
        self._take(state, folder)
        run = values.get("run")
        shown = window_state.run_of(cast("dict[str, Any]", run) if isinstance(run, dict) else {}, runs)
        if shown is not None:
            desk.evaluation.run.show(shown.request, shown.result, shown.tally, shown.n_pictures)

    def with_pending(self, state: WindowState) -> WindowState:
        """Return the present choices with those that still wait in the place of those they will replace."""
        evaluated = self._evaluated if self._evaluated is not None else state.evaluated
        return replace(state, evaluated=evaluated, reports=self._reports or state.reports)

    def on_data_changed(self) -> None:
        """Choose the part, the classes and the template once the pictures of Evaluate were looked through."""
        data, choices, wanted = self._desk.evaluation.data, self._desk.evaluation.choices, self._evaluated
        if wanted is None or data.is_running or data.place != wanted.place:
            return
        self._evaluated = None
        if data.result is None:
            return
        if wanted.split in {name for name, _ in data.splits}:
            data.set_split(wanted.split)
        choices.set_class_list(wanted.class_list)
        choices.set_template(wanted.template)
        choices.attack.set_target(self._target)

    def on_runs_changed(self) -> None:
        """Choose the runs of the session's report once the list of kept runs is known."""
        runs = self._desk.reports.runs
        if not self._reports or not runs.is_known or runs.is_running:
            return
        wanted, self._reports = self._reports, ()
        if there := [folder for folder in wanted if runs.run(folder) is not None]:
            self._desk.reports.choose(there)

    def on_offered(self) -> None:
        """Say where the session's model is not among those that are there."""
        wanted, self._model = self._model, ""
        if wanted and wanted not in {one.id for one in self._desk.model.catalogue.models}:
            message = self.tr("The session's model, {}, is not installed here.").format(wanted)
            hint = self.tr("{} is chosen in its place; results that were made are as they were.")
            self.said.emit("warning", message, hint.format(self._desk.model.label(self._desk.settings.model)))

    def _take(self, state: WindowState, folder: Path | None) -> None:
        wanted, data = state.evaluated, self._desk.evaluation.data
        if not wanted.place:
            return
        beside = [os.path.normpath(folder / wanted.near)] if wanted.near and folder is not None else []
        place = next((one for one in (*beside, wanted.place) if is_there(one)), "")
        if not place:
            message = self.tr("The pictures of Evaluate, {}, are not where they were.").format(Path(wanted.place).name)
            self.said.emit("warning", message, self.tr("Choose them again on that page."))
            return
        self._target = state.chosen.evaluate_target
        self._evaluated = replace(wanted, place=str(Path(place).absolute()))
        data.take([place])


def is_there(place: str) -> bool:
    """Return True if `place` is a folder or a file of this machine; a name that would ask another machine is not looked at."""
    try:
        return not place.startswith(("\\\\", "//")) and (Path(place).is_dir() or Path(place).is_file())
    except (OSError, ValueError):
        return False
