"""Step 5 of the wizard: what the tuned prompts are worth on pictures they never saw, and where they go."""

from __future__ import annotations

import csv
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    AnalyzeResult,
    AttackSpec,
    Check,
    EvaluateRequest,
    Failure,
    RunOptions,
    SaveTunedRequest,
    ThreatModel,
    TunedSaved,
)
from capt_gui.bridge import Bridge, Job
from capt_gui.view_models import formatting
from capt_gui.view_models.class_rows import ClassRow, class_rows, worse_checks
from capt_gui.view_models.one_job import JobState, OneJob
from capt_gui.view_models.run_store import RunStore
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.method_model import MethodModel
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.view_models.tune.state import DONE

MOST_MEASURED = 500
"""So many test pictures are measured on at the most, evenly over the classes: an interval of ± 4 points, in minutes, not in hours."""


class TuneResultModel(OneJob):
    """`changed`: the evaluation, its progress, or what was saved. `saved(TunedSaved)`; `failed(Failure)`: saving could not be done."""

    changed = Signal()
    progressed = Signal()
    saved = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        project: TuneProject,
        method: MethodModel,
        run: TuneRun,
        store: RunStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(bridge, parent)
        self._project = project
        self._method = method
        self._tuning = run
        self._store = store
        self._saving: Job | None = None
        self._resumed = False
        self._forget()
        project.opened.connect(self.on_opened)
        run.changed.connect(self.on_run_changed)

    def _forget(self) -> None:
        self.result: AnalyzeResult | None = None
        self.failure: Failure | None = None
        self.saving: TunedSaved | None = None
        self.folder = ""

    @property
    def is_saving(self) -> bool:
        """True if the prompts are being put in their place."""
        return self._saving is not None and self._saving.is_running

    @property
    def prompts_file(self) -> Path:
        """The prompts file that the run wrote."""
        return self._project.folder / "prompts.safetensors"

    @property
    def command(self) -> str:
        """The command that makes the same prompts again; empty while it is not known."""
        if self.saving is not None and self.saving.command:
            return self.saving.command
        return self._tuning.command

    def report_problem(self) -> str:
        """Why there is no report of it; empty where there is."""
        kept = self._project.state.test_run
        if not kept or self.result is None:
            return self.tr("There is a report once the test pictures are measured.")
        if self._store.folder is None or Path(kept).parent != self._store.folder:
            return self.tr("Runs are not kept for reports: the Run menu of the Explore page can change that.")
        return ""

    def attack_text(self) -> str:
        """The attack that measures."""
        return tune_text.attack(self._method.test_eps, self._project.state.test_steps)

    def measure(self) -> None:
        """Evaluate the test share, unless that was done or is under way."""
        if self.is_running or self.result is not None or self._project.state.run != DONE:
            return
        kept = self._project.state.test_run
        resume = bool(kept) and Path(kept).is_dir()
        keep = kept if resume else self._store.new_folder() or str(self._project.test_folder)
        self.failure, self._resumed = None, resume
        self._run(
            self.request(keep, resume=resume),
            progressed=self.progressed,
            finished=self.on_measured,
            failed=self.on_measuring_failed,
            ended=self.on_measuring_ended,
        )
        # at once, so that what is measured before a crash need not be measured again
        self._project.change(test_run=keep)
        self.progress = JobState(text=self.tr("Waiting for its turn"))
        self.changed.emit()
        self.progressed.emit()

    def measure_again(self) -> None:
        """Evaluate once more, from the first picture, with the present attack."""
        self.cancel()
        self._project.change(test_run="")
        self.result = None
        self.measure()

    def request(self, keep: str, *, resume: bool = False) -> EvaluateRequest:
        """Plain text (A) against the tuned prompts (B) on the test share, each attacked by its own PGD."""
        state, made_by = self._project.state, self._tuning.made_by
        eps = self._method.test_eps
        attacks = (AttackSpec("pgd", (("steps", state.test_steps),)),) if eps > 0 else ()
        return EvaluateRequest(
            data=str(self._project.split_file),
            split="test",
            attacks=attacks,
            limit=MOST_MEASURED,
            options=RunOptions(
                model=made_by.model if made_by else state.model,
                prompts=None,
                compare=str(self.prompts_file),
                template=made_by.template if made_by else state.template,
                threat=ThreatModel(eps=eps),
                seed=state.seed,
                keep=keep,
                resume=resume,
                with_pictures=True,
            ),
        )

    def share_text(self) -> str:
        """On how many of the untouched pictures the figures rest, where it is not all of them."""
        if self.result is None or self.result.n < MOST_MEASURED:
            return ""
        n_test = _test_pictures(self._project.split_file)
        if n_test <= self.result.n + self.result.n_failed:
            return ""
        return self.tr(
            "Measured on {} of the {} untouched pictures, evenly over the classes; `capt evaluate` on the split file measures all of them."
        ).format(f"{self.result.n:,}", f"{n_test:,}")

    def headline(self) -> tuple[str, str]:
        """The verdict in words, and the figures it rests on."""
        return tune_text.headline(self.result) if self.result is not None else ("", "")

    def effect(self) -> str:
        """Return "better", "worse" or "unclear", of the attacked pictures first; empty without a result."""
        return formatting.outcome(self.result)

    def tests(self) -> tuple[str, ...]:
        """The paired tests as sentences."""
        return formatting.paired_tests(self.result, self.tr("with plain text"), self.tr("with the tuned prompts"))

    def advice(self) -> tuple[str, ...]:
        """Advice where it did not help."""
        return () if self.result is None else tune_text.advice(self.result, self._project.state.shots)

    def classes(self) -> tuple[ClassRow, ...]:
        """Class by class, in the order of the data."""
        return () if self.result is None or self.result.compared is None else class_rows(self.result)

    def checks(self) -> tuple[Check, ...]:
        """The engine's checks of the measurement; of one that was made on both sides, the worse answer."""
        return () if self.result is None else worse_checks(self.result)

    def save(self, folder: str = "") -> None:
        """Install the prompts, or write them with a model card into a new folder."""
        if self.is_saving:
            return
        state = self._project.state
        runs = (state.test_run,) if self.result is not None and Path(state.test_run).is_dir() else ()
        name = state.title or self.tr("Tuned prompts")
        self.folder = folder
        request = SaveTunedRequest(
            str(self.prompts_file), name, state.notes, state.licence, folder, runs, made_by=self._tuning.made_by
        )
        self._saving = self._bridge.run(request, finished=self.on_saved, failed=self.failed, ended=self.changed)
        self.changed.emit()

    def on_opened(self) -> None:
        """Another project, or another run of this one: what was measured belongs to the one before."""
        self._abandon()
        if self._saving is not None:
            # what was asked for is still put in its place
            self._saving.ignore()
        self._forget()
        self.changed.emit()

    def on_run_changed(self) -> None:
        """A new run has begun: the prompts that are measured are gone, and the engine has better things to do."""
        if self._tuning.is_running and (self.is_running or self.result is not None or self.failure is not None):
            self.on_opened()

    def on_measured(self, result: AnalyzeResult) -> None:
        """Take what the prompts are worth."""
        self.result = result
        self._store.on_kept(self._project.state.test_run)

    def on_measuring_failed(self, failure: Failure) -> None:
        """Take why it could not be measured, or measure from the first picture."""
        if self._resumed:
            # what was kept is another measurement by now, or damaged: it stays, and this one begins anew
            self._project.change(test_run="")
            self.measure()
        else:
            self.failure = failure

    def on_measuring_ended(self) -> None:
        """The evaluation is over, however it ended."""
        self.changed.emit()
        self.progressed.emit()

    def on_saved(self, result: TunedSaved) -> None:
        """The prompts are in their place."""
        self.saving = result
        if not self.folder:
            self._project.change(saved=result.prompts.id)
        self.saved.emit(result)


def _test_pictures(split: Path) -> int:
    """Count the test pictures of a written split; 0 where it cannot be read."""
    try:
        with split.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            return sum(line.get("split") == "test" for line in csv.DictReader(file))
    except (OSError, csv.Error):
        return 0
