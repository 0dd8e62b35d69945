"""The cells of a protocol computed one after the other through the door: tuned, measured, kept."""

from __future__ import annotations

import hashlib
import queue
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from capt_engine import records
from capt_engine.api import Engine
from capt_engine.cli.run_job import OnEvent, ending, failed
from capt_engine.cli.terminal import ProgressLine
from capt_engine.formatting import budget, duration, percent
from capt_engine.protocols.cache import Tuned, WorkFolder
from capt_engine.protocols.data import Pictures, StudyPictures
from capt_engine.protocols.definitions import Cell, Settings, evaluate_request, tune_request
from capt_engine.runs.versions import commit

_POLL_S = 2.0
_SETTINGS = (
    "lambda_",
    "alpha",
    "epochs",
    "batch_size",
    "lr",
    "eps",
    "attack_steps",
    "attack_step_size",
    "attack_loss",
)
_VERSIONS = ("capt-explorer", "python", "torch")


class _Refused(Exception):
    """A job failed."""

    def __init__(self, failure: records.Failure, *, fatal: bool = False) -> None:
        super().__init__(failure.message)
        self.failure, self.fatal = failure, fatal or bool(failure.traceback)


@dataclass
class CellRun:
    """Computes every cell that is not there yet, in order; those that another process works on are waited for at the end."""

    cells: Sequence[Cell]
    settings: Settings
    folder: WorkFolder
    pictures: Pictures | StudyPictures
    device: str
    progress: ProgressLine
    batch: int = 0

    def __post_init__(self) -> None:
        self._events: queue.SimpleQueue[records.Event] = queue.SimpleQueue()
        self._engine: Engine | None = None
        # That of the code which is loaded now; the checkout may move on while the cells are computed.
        self._commit = commit()
        self._refused: dict[str, records.Failure] = {}
        self._spent_s: list[float] = []

    def run(self) -> None:
        """Tune and measure each cell (prompts on a data set) that has no file in the work folder yet; write its file.

        Cells that failed in an earlier run are tried again; those of another process are waited for. A cell that fails
        is written as failed. Raises KeyboardInterrupt when interrupted, JobEnded where a failure makes going on
        useless.
        """
        # Failures of an earlier run get another chance, as their cause may have been mended; those of this run do not.
        left = [cell for cell in self.cells if not self._is_done(cell, failures=False)]
        self.progress.say(f"{len(self.cells) - len(left)} of {len(self.cells)} cells are there already.")
        retried = {cell for cell in left if self._is_done(cell)}
        try:
            while left:
                busy = []
                for cell in left:
                    if cell not in retried and self._is_done(cell):
                        continue
                    retried.discard(cell)
                    if not self._compute(cell):
                        busy.append(cell)
                if len(busy) == len(left):
                    self.progress.show(0, 0, f"waiting for {len(busy)} cells of another process", None)
                    time.sleep(_POLL_S)
                left = busy
        except _Refused as refused:
            self.progress.clear()
            raise failed(refused.failure) from None
        finally:
            self.progress.clear()
            if self._engine is not None:
                self._engine.close(timeout_s=5)

    def _is_done(self, cell: Cell, *, failures: bool = True) -> bool:
        found = self.folder.read(self.settings.cell_key(cell))
        return found is not None and (failures or not found.failure)

    def _compute(self, cell: Cell) -> bool:
        """Tune where need be, measure and keep; False where another process is at it."""
        started_s = time.monotonic()
        key = self.settings.cell_key(cell)
        with self.folder.claimed(key) as is_ours:
            if not is_ours:
                return False
            try:
                tuned = self._tuned(cell)
                if tuned is None:
                    return False
                outcome = self._measured(cell) | asdict(tuned)
            except _Refused as refused:
                if refused.fatal:
                    raise
                outcome = {"failure": f"{refused.failure.message} {refused.failure.hint}".strip()}
            about = {
                "name": cell.name,
                "cell": asdict(cell),
                "setting": asdict(self.settings[cell.dataset]),
                "versions": _versions(),
                "commit": self._commit,
            }
            self.folder.write(key, about | outcome)
        self._spent_s.append(time.monotonic() - started_s)
        left = sum(not self._is_done(other) for other in self.cells)
        mean_s = sum(self._spent_s) / len(self._spent_s)
        remaining = f"about {duration(left * mean_s)} left" if left else "that was the last"
        self.progress.say(
            f"{len(self.cells) - left} of {len(self.cells)} cells: {cell.name}: {_outcome(outcome)} "
            f"({duration(self._spent_s[-1])}; {remaining})"
        )
        return True

    def _tuned(self, cell: Cell) -> Tuned | None:
        """Tune the cell's prompts, unless they are there; say how they were tuned, None where another process is tuning them."""
        if cell.recipe is None:
            return Tuned()
        from capt_engine.tuning.state import state_path

        key, started_s = self.settings.recipe_key(cell.recipe), time.monotonic()
        if key in self._refused:
            raise _Refused(self._refused[key])
        out = self.folder.prompts(key)
        with self.folder.claimed(key) as is_ours:
            if not is_ours:
                return None
            # Both are there when a run was killed between writing the prompts and removing its state.
            if out.exists() and not state_path(out).exists():
                return self.folder.tuned(key) or Tuned()
            place = self._place(cell.recipe.dataset)
            request = tune_request(cell.recipe, self.settings[cell.recipe.dataset], place, str(out), self.device)
            steps: list[records.TuneStep] = []
            try:
                result = self._result(request, f"{cell.recipe.name}: tuning", partial(self._news, steps))
            except _Refused as refused:
                self._refused[key] = refused.failure
                raise
            assert isinstance(result, records.TuneResult)
            tuned = Tuned(time.monotonic() - started_s, _alpha_by_epoch(steps))
            self.folder.write_tuned(key, tuned)
        return tuned

    def _news(self, steps: list[records.TuneStep], event: records.Event) -> None:
        """Keep the steps of tuning, and show what it has noticed; epochs are in the progress already."""
        for news in event.news if isinstance(event, records.TuneNewsReady) else ():
            if isinstance(news, records.TuneStep):
                steps.append(news)
            elif isinstance(news, str) and "starting from the beginning" not in news:
                self.progress.say(news)

    def _measured(self, cell: Cell) -> dict[str, object]:
        """The cell's answers, picture by picture."""
        prompts = None if cell.recipe is None else str(self.folder.prompts(self.settings.recipe_key(cell.recipe)))
        setting = self.settings[cell.dataset]
        request = evaluate_request(cell, setting, self._place(cell.dataset), prompts, self.device)
        request = replace(request, options=replace(request.options, batch_size=self.batch))
        rows: list[records.PictureRow | records.FailedPicture] = []

        def news(event: records.Event) -> None:
            if isinstance(event, records.RowsReady):
                rows.extend(
                    row
                    for row in event.rows
                    if isinstance(row, records.FailedPicture) or row.prompt_id == (prompts or records.NO_PROMPTS)
                )

        result = self._result(request, f"{cell.name}: measuring", news)
        assert isinstance(result, records.AnalyzeResult)
        return {
            **answers(rows, [budget(eps) for eps in setting.budgets]),
            "n": result.n,
            "n_failed": result.n_failed,
            "clean_accuracy": result.clean_accuracy,
            "model_sha256": result.model_sha256,
            "prompts_sha256": result.prompts_sha256,
            "device": result.device,
            "evaluate_s": result.wall_s,
        } | ({} if prompts is None else _tuned_with(prompts))

    def _place(self, dataset: str) -> tuple[str, str]:
        return self.pictures.place(dataset, self._show)

    def _show(self, done: int = 0, total: int = 0, note: str = "") -> None:
        self.progress.show(done, total, note, None)

    def _result(self, request: records.Request, note: str, on_event: OnEvent) -> records.Result:
        """One job to its end; raises _Refused, and KeyboardInterrupt after an interrupt."""
        if self._engine is None:
            self._engine = Engine(self._events.put, device=self.device)
        done = sum(self._is_done(cell) for cell in self.cells)
        where = f"cell {done + 1} of {len(self.cells)}: {note}, "
        end = ending(self._engine, self._events, request, self.progress, on_event, where)
        if isinstance(end, records.JobCancelled):
            raise KeyboardInterrupt
        if isinstance(end, records.JobFailed | records.EngineFailed):
            raise _Refused(end.failure, fatal=isinstance(end, records.EngineFailed))
        return end.result


def answers(rows: Sequence[records.PictureRow | records.FailedPicture], budgets: Sequence[str]) -> dict[str, object]:
    """Return which pictures were answered right, clean and at each budget, from the rows of one set of prompts.

    rows: one per picture and budget. budgets: budgets as `formatting.budget` writes them. Returns two keys. "right":
    for "clean" and each budget a text of one character per picture, "1" right, "0" wrong, "-" not measured. "pictures":
    a hash of the pictures in their order.
    """
    paths = list(dict.fromkeys(row.path for row in rows))
    right = {name: dict.fromkeys(paths, "-") for name in ("clean", *budgets)}
    pictures = dict.fromkeys(paths, "-")
    for row in rows:
        if isinstance(row, records.FailedPicture):
            continue
        pictures[row.path] = row.sha256
        right["clean"][row.path] = _mark(row.classes[row.clean.winner] == row.label)
        if row.skipped:
            # It was wrong before, or an attack has broken it: no attack can make it right.
            right[budget(row.threat.eps)][row.path] = _mark(False)
        elif row.attacked is not None:
            kept = _mark(row.classes[row.attacked.winner] == row.label)
            right[budget(row.threat.eps)][row.path] = kept
    digest = hashlib.sha256("\n".join(pictures.values()).encode()).hexdigest()[:16]
    return {"right": {name: "".join(marks.values()) for name, marks in right.items()}, "pictures": digest}


def _alpha_by_epoch(steps: Sequence[records.TuneStep]) -> tuple[float, ...]:
    """The mean of α in each epoch; nothing where the first epochs are not among the steps, as after a resumed run."""
    by_epoch: dict[int, list[float]] = {}
    for step in steps:
        by_epoch.setdefault(step.epoch, []).append(step.alpha_mean)
    if list(by_epoch) != list(range(1, len(by_epoch) + 1)):
        return ()
    return tuple(round(statistics.fmean(values), 4) for values in by_epoch.values())


def _tuned_with(prompts: str) -> dict[str, object]:
    """Return the settings that the prompts were really tuned with, as their file has them, and what was noticed on the way."""
    from capt_engine.model.checkpoints import read_document

    document = read_document(Path(prompts))
    shape = {"coupling": document.shape.coupling, "n_ctx": document.shape.n_ctx, "depth": document.shape.depth}
    settings = {name: document.settings[name] for name in _SETTINGS if name in document.settings}
    return {"tuned_with": shape | settings, "tuning_notes": document.notes}


def _mark(right: bool) -> str:
    return "1" if right else "0"


def _outcome(outcome: dict[str, object]) -> str:
    right = outcome.get("right")
    if not isinstance(right, dict):
        return f"failed: {outcome.get('failure')}"
    return ", ".join(
        f"{name} {percent(text.count('1') / max(1, len(text) - text.count('-')))}" for name, text in right.items()
    )


def _versions() -> str:
    from capt_engine.runs.versions import versions

    found = versions()
    return ", ".join(f"{name} {found[name]}" for name in _VERSIONS if name in found)
