"""Step 5 of the wizard: what the tuned prompts are worth on pictures they never saw, and where they go."""

from __future__ import annotations

from functools import partial
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
from capt_gui.bridge import About, Bridge, Job
from capt_gui.view_models import formatting
from capt_gui.view_models.class_rows import ClassRow, class_rows, worse_checks
from capt_gui.view_models.navigation import TUNE
from capt_gui.view_models.one_job import JobState, OneJob
from capt_gui.view_models.run_store import RunStore
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.method_model import MethodModel
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.view_models.tune.state import DONE
from capt_gui.view_models.tune.test_share import MOST_MEASURED, test_pictures


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
        """True while the tuned prompts are being installed or written to a folder."""
        return self._saving is not None and self._saving.is_running

    @property
    def prompts_file(self) -> Path:
        """The path of the tuned prompts that the run wrote into the project; the file may not exist yet."""
        return self._project.folder / "prompts.safetensors"

    @property
    def command(self) -> str:
        """The command line that makes the same prompts again; empty while it is not known."""
        if self.saving is not None and self.saving.command:
            return self.saving.command
        return self._tuning.command

    def report_problem(self) -> str:
        """Return a sentence that says why no report of the evaluation can be made; empty if one can."""
        kept = self._project.state.test_run
        if not kept or self.result is None:
            return self.tr("There is a report once the test pictures are measured.")
        if self._store.folder is None or Path(kept).parent != self._store.folder:
            return self.tr("Runs are not kept for reports: the Run menu of the Explore page can change that.")
        return ""

    def attack_text(self) -> str:
        """Describe the attack of the evaluation on the test pictures: "PGD, 100 steps within ε = 1/255"."""
        return tune_text.attack(self._method.test_eps, self._project.state.test_steps)

    def measure(self) -> None:
        """Evaluate the tuned prompts on the test pictures; an evaluation that was interrupted goes on.

        Nothing happens without tuned prompts, or if they are already measured or being measured.
        """
        if self.is_running or self.result is not None or self._project.state.run != DONE:
            return
        kept = self._project.state.test_run
        resume = bool(kept) and Path(kept).is_dir()
        keep = kept if resume else self._store.new_folder() or str(self._project.test_folder)
        self.failure, self._resumed = None, resume
        self._run(
            self.request(keep, resume=resume),
            About(TUNE, again=self.measure, title=self.tr("Measure the tuned prompts on the test pictures")),
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
        """Drop the result, and evaluate the test pictures again from the first one, with the attack that is set now.

        An evaluation still under way is cancelled, and then no new one is begun.
        """
        self.cancel()
        self._project.change(test_run="")
        self.result = None
        self.measure()

    def request(self, keep: str, *, resume: bool = False) -> EvaluateRequest:
        """Return the request that compares the template alone (A) with the tuned prompts (B) on test pictures by PGD.

        keep: the run folder to write. resume: go on with the evaluation in that folder.
        """
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
        """Return a sentence with how many of the test pictures were measured; empty if all or none were."""
        if self.result is None or self.result.n < MOST_MEASURED:
            return ""
        n_test = test_pictures(self._project.split_file)
        if n_test <= self.result.n + self.result.n_failed:
            return ""
        return self.tr(
            "Measured on {} of the {} untouched pictures, evenly over the classes; `capt evaluate` on the split file measures all of them."
        ).format(f"{self.result.n:,}", f"{n_test:,}")

    def headline(self) -> tuple[str, str]:
        """Return the verdict in words, and the figures that it rests on; both empty without a result."""
        return tune_text.headline(self.result) if self.result is not None else ("", "")

    def effect(self) -> str:
        """Return "better", "worse" or "unclear": the tuned prompts against the template alone; empty without a result.

        The paired test on the attacked pictures decides, or that on the clean ones if nothing was attacked.
        """
        return formatting.outcome(self.result)

    def tests(self) -> tuple[str, ...]:
        """Return a sentence for each paired test of the template alone against the tuned prompts.

        The attacked pictures come first, then the clean ones. Empty without a result.
        """
        return formatting.paired_tests(self.result, self.tr("with plain text"), self.tr("with the tuned prompts"))

    def advice(self) -> tuple[str, ...]:
        """Return sentences with what to try next if tuning did not help, or cost clean accuracy; the likeliest first.

        Empty if it helped under attack at no such cost, or without a result.
        """
        return () if self.result is None else tune_text.advice(self.result, self._project.state.shots)

    def classes(self) -> tuple[ClassRow, ...]:
        """Return the clean and robust accuracy of each class, with the template alone and with the tuned prompts.

        They are in the order of the data set; empty without a result.
        """
        return () if self.result is None or self.result.compared is None else class_rows(self.result)

    def checks(self) -> tuple[Check, ...]:
        """Return the engine's checks of whether the evaluation can be trusted; empty without a result.

        If one failed for the template alone or for the tuned prompts, the failed answer is returned.
        """
        return () if self.result is None else worse_checks(self.result)

    def save(self, folder: str = "") -> None:
        """Save the tuned prompts under the project's name, notes and licence; `saved` or `failed` follows.

        folder: a new folder for them and a model card; "" installs them among the program's own prompts. Nothing
        happens while they are being saved.
        """
        if self.is_saving:
            return
        state = self._project.state
        runs = (state.test_run,) if self.result is not None and Path(state.test_run).is_dir() else ()
        name = state.title or self.tr("Tuned prompts")
        self.folder = folder
        request = SaveTunedRequest(
            str(self.prompts_file), name, state.notes, state.licence, folder, runs, made_by=self._tuning.made_by
        )
        about = About(TUNE, again=partial(self.save, folder))
        self._saving = self._bridge.run(request, about, finished=self.on_saved, failed=self.failed, ended=self.changed)
        self.changed.emit()

    def on_opened(self) -> None:
        """Cancel the evaluation and forget its result, because another project or a new run is in front.

        Prompts that are being saved are still saved, but nothing is told of it.
        """
        self._abandon()
        if self._saving is not None:
            # what was asked for is still put in its place
            self._saving.ignore()
        self._forget()
        self.changed.emit()

    def on_run_changed(self) -> None:
        """Cancel the evaluation and forget its result once a new run is under way, which replaces the prompts."""
        if self._tuning.is_running and (self.is_running or self.result is not None or self.failure is not None):
            self.on_opened()

    def on_measured(self, result: AnalyzeResult) -> None:
        """Keep the result of the evaluation, and remember its run folder as that of the last run."""
        self.result = result
        self._store.on_kept(self._project.state.test_run)

    def on_measuring_failed(self, failure: Failure) -> None:
        """Keep in `failure` why the evaluation failed.

        If it was to go on with an earlier one, begin again from the first picture instead.
        """
        if self._resumed:
            # what was kept is another measurement by now, or damaged: it stays, and this one begins anew
            self._project.change(test_run="")
            self.measure()
        else:
            self.failure = failure

    def on_measuring_ended(self) -> None:
        """Emit `changed` and `progressed` after the evaluation has finished, failed or was cancelled."""
        self.changed.emit()
        self.progressed.emit()

    def on_saved(self, result: TunedSaved) -> None:
        """Keep what was saved, note the id of installed prompts in the project, and emit `saved`."""
        self.saving = result
        if not self.folder:
            self._project.change(saved=result.prompts.id)
        self.saved.emit(result)
