"""One evaluation under way or done: frozen when it begins, its rows counted as they come, its result, and where it is kept."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.formatting import budget, norm_symbol
from capt_engine.reading import json_if_sound
from capt_engine.records import (
    NO_PROMPTS,
    SUITES,
    AnalyzeResult,
    Check,
    EvaluateRequest,
    FailedPicture,
    Failure,
    KeptRun,
    Pace,
    RowsReady,
    RowsTakenUp,
)
from capt_gui.bridge import About, Bridge
from capt_gui.translate import spoken
from capt_gui.view_models.class_rows import worse_checks
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.view_models.evaluate.tally import EvaluateTally
from capt_gui.view_models.navigation import EVALUATE
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.run_store import RunStore

_MANIFEST = "manifest.json"
_RUN_MANIFEST = f"capt run {_MANIFEST}"


class EvaluateRun(OneJob):
    """The run of an evaluation, and how far it is.

    Signals: `changed`: a run began, ended, or was forgotten; `counted`: more rows are there; `running_changed`;
    `progress_changed(done, total, text)`; `failed(Failure)`; `show_wanted(folder)`: somebody wants to see the run kept there.
    """

    changed = Signal()
    counted = Signal()
    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)
    show_wanted = Signal(str)

    def __init__(
        self, bridge: Bridge, choices: EvaluateChoices, store: RunStore, parent: QObject | None = None
    ) -> None:
        super().__init__(bridge, parent)
        self._choices = choices
        self._store = store
        self.request: EvaluateRequest | None = None
        self.result: AnalyzeResult | None = None
        self.failure: Failure | None = None
        # the counts of the rows that have come; those of a resumed run begin with the rows that its folder has
        self.tally = EvaluateTally(0.0)
        # how many pictures the run takes, as it was asked for
        self.n_pictures = 0
        # how many are said to be done of a run of an earlier session, until its rows are there
        self.n_before = 0
        self._began_s, self._anew = 0.0, True
        # the pace of the runs of this session, and the seconds of loading before them, by what was asked for
        self._paces: dict[EvaluateRequest, tuple[Pace, float]] = {}

    @property
    def is_stopped(self) -> bool:
        """True if a run was begun and is over without a result: it was cancelled or failed."""
        return self.request is not None and not self.is_running and self.result is None

    @property
    def can_resume(self) -> bool:
        """True if a stopped run counted at least one picture and its run folder holds a manifest to go on from."""
        if not self.is_stopped or not self.n_done or self.request is None or not self.request.options.keep:
            return False
        return (Path(self.request.options.keep) / _MANIFEST).is_file()

    @property
    def n_done(self) -> int:
        """The pictures with an answer so far, those of an earlier session too."""
        return max(self.n_before, self.tally.n)

    @property
    def is_kept(self) -> bool:
        """True if the run is kept on disk, so that it can be resumed and reported."""
        return self.request is not None and bool(self.request.options.keep)

    @property
    def is_current(self) -> bool:
        """True if the run on the screen was asked for with the choices as they are now; False without a run."""
        return self.request is not None and self.request == self._choices.request(self.request.options.keep)

    def start(self) -> None:
        """Start an evaluation with the choices as they are now, in a new run folder.

        Nothing happens while a run is under way or the choices do not allow one.
        """
        if not self.is_running and not self._choices.problem():
            self.tally = EvaluateTally(self._choices.request().headline)
            self.n_pictures, self.n_before = self._choices.drawn, 0
            self._submit(self._choices.request(self._store.new_folder()))

    def resume(self) -> None:
        """Go on with the stopped run, with its own settings, in its folder; nothing happens if it cannot be resumed."""
        if self.can_resume and self.request is not None:
            self._submit(_resumed(self.request, resume=True))

    def go_on(self, run: KeptRun) -> None:
        """Go on with the stopped evaluation `run` of an earlier session, with its own settings, in its folder.

        Nothing happens while a run is under way, or if it is no stopped evaluation.
        """
        if not self.is_running and isinstance(run.request, EvaluateRequest):
            options = replace(run.request.options, keep=run.folder, resume=True)
            request = replace(run.request, options=options)
            self.tally = EvaluateTally(request.headline)
            # nobody has looked at the data in this session
            self.n_pictures, self.n_before = 0, run.n
            self._submit(request)

    def show(self, request: EvaluateRequest, result: AnalyzeResult, tally: EvaluateTally, n_pictures: int) -> None:
        """Show the result of a run of an earlier session, with the counts of its rows; nothing happens while a run is under way."""
        if not self.is_running:
            self.request, self.result, self.failure = request, result, None
            self.tally, self.n_pictures, self.n_before = tally, n_pictures, 0
            self.changed.emit()

    def forget(self) -> None:
        """Forget the run's request, result and counts, because other pictures are to come; a run under way is kept."""
        if not self.is_running:
            self.request = self.result = self.failure = None
            self.tally, self.n_before = EvaluateTally(0.0), 0
            self.changed.emit()

    def forecast_s(self) -> float | None:
        """Return the forecast seconds of a run with the present choices, by the last such run's pace; None without one.

        Loading the model and the checks that follow the pictures are counted; neither grows with the pictures.
        """
        known = self._paces.get(_kind_of(self._choices.request()))
        return None if known is None else known[0].seconds(self._choices.drawn) + known[1]

    @property
    def sides(self) -> tuple[str, ...]:
        """The ids of the prompts that the run asks: A's, then B's if two are compared; plain text is NO_PROMPTS."""
        if self.request is None:
            return ()
        options = self.request.options
        prompts = (options.prompts,) if options.compare is None else (options.prompts, options.compare)
        return tuple(one or NO_PROMPTS for one in prompts)

    @property
    def has_attack(self) -> bool:
        """True if the run has an attack, and is not a table of common corruptions."""
        return self.request is not None and bool(self.request.all_attacks) and not self.is_corruption_table

    @property
    def is_corruption_table(self) -> bool:
        """True if the run measures accuracy under several common corruptions (noise, blur), and not attacks."""
        return self.request is not None and self.request.suite.startswith("corruptions")

    @property
    def _is_bound(self) -> bool:
        """True if ε says how far the attacks may go; a patch or a turn has a budget of its own."""
        attacks = {info.name: info for info in self._choices.model.attacks}
        specs = self.request.all_attacks if self.request is not None and self.has_attack else ()
        return any(spec.name not in attacks or attacks[spec.name].norms for spec in specs)

    def results(self) -> tuple[AnalyzeResult, ...]:
        """Return the result of prompts A, and that of B if two were compared; none while there is no result."""
        if self.result is None:
            return ()
        return (self.result, *([] if self.result.compared is None else [self.result.compared.other]))

    def failures(self) -> tuple[FailedPicture, ...]:
        """Return the pictures that the run could not use, each with the reason."""
        return tuple(self.tally.failed.values())

    def checks(self) -> tuple[Check, ...]:
        """Return the engine's checks of the result; of a check made on A and B, the failed one. Empty without a result."""
        return () if self.result is None else worse_checks(self.result)

    def counts(self) -> tuple[str, ...]:
        """Return a line for each set of prompts: pictures right so far, clean and under attack; none before the first."""
        lines = []
        for letter, side in zip("AB", self.sides, strict=False):
            (right, n), (held, attacked) = self.tally.clean(side), self.tally.held(side)
            who = letter if len(self.sides) > 1 else self.tr("So far")
            text = self.tr("{}: {} of {} right clean").format(who, right, n)
            if attacked:
                text += self.tr(", {} of {} right under attack").format(held, attacked)
            lines.append(text)
        return tuple(lines) if self.tally.n else ()

    def settings_text(self) -> str:
        """Return a line on the settings the run was begun with: model, attacks, budget, checks, seed; "" without a run."""
        request, choices = self.request, self._choices
        if request is None:
            return ""
        model = choices.model
        suite = next((spoken(one.label) for one in SUITES if one.name == request.suite), "")
        tests = [suite] if suite else [model.attack_label(spec.name) for spec in request.attacks]
        name, classes = request.options.model, request.options.classes
        parts = [
            model.asked(name, classes) if classes else model.label(name),
            ", ".join(tests) or self.tr("clean only"),
        ]
        if self._is_bound:
            norm = request.options.threat.norm
            parts.append(f"{norm_symbol(norm)} ε = {budget(request.options.threat.eps, norm)}")
        parts += request.options.threat.unusual
        if request.options.threat.target is not None:
            parts.append(self.tr("towards “{}”").format(request.options.threat.target))
        if request.until_chance:
            parts.append(self.tr("curve until chance"))
        levels = {"off": self.tr("checks off"), "cheap": self.tr("checks cheap"), "full": self.tr("checks full")}
        parts.append(levels.get(request.checks, request.checks))
        parts.append(self.tr("seed {}").format(request.options.seed))
        return " · ".join(parts)

    def report_problem(self) -> str:
        """Return a sentence on why no report can be made of this run; "" when one can."""
        if self.result is None or self.request is None:
            return self.tr("There is a report once a run is done.")
        if not self.request.options.keep:
            return self.tr("Runs are not kept: “Keep runs for reports” in the Run menu changes that for the next one.")
        return ""

    def command(self) -> str:
        """Return the command line that repeats the run; "" where the run was not kept."""
        if self.request is None or not self.request.options.keep:
            return ""
        place = Path(self.request.options.keep) / _MANIFEST
        command = str((json_if_sound(place, dict[str, object]) or {}).get("command", ""))
        return shlex.join(["capt", "run", str(place)]) if command == _RUN_MANIFEST else command

    def on_started(self) -> None:
        """Note the present time, from which the run's pace is reckoned."""
        self._began_s = time.monotonic()

    def on_progressed(self) -> None:
        """Emit `progress_changed` with the run's present numbers and line of text."""
        self.progress_changed.emit(*self.progress)

    def on_news(self, event: RowsReady | RowsTakenUp) -> None:
        """Add the rows (pictures with answers) that have arrived, or that a resumed run has already, to the tally; emit `counted`."""
        if isinstance(event, RowsTakenUp):
            # what is there is counted anew, so that nothing counts twice
            if event.begins and self.request is not None:
                self.tally = EvaluateTally(self.request.headline)
            self.tally.take_up(event.rows, event.classes)
        else:
            self.tally.add(event.rows)
        self.counted.emit()

    def on_finished(self, result: AnalyzeResult) -> None:
        """Keep the result, and its pace for later forecasts, unless the run was resumed or found rows in the store."""
        self.result = result
        if self._began_s and self._anew and self.request is not None and not result.rows_from_store:
            seconds, n = time.monotonic() - self._began_s, max(result.n + result.n_failed, 1)
            known = (
                (Pace(0.0, seconds / n, 1), 0.0)
                if result.pace is None
                else (result.pace, max(0.0, seconds - result.wall_s))
            )
            self._paces[_kind_of(self.request)] = known

    def on_failed(self, failure: Failure) -> None:
        """Keep the reason why the run failed, which is announced when the run has ended."""
        self.failure = failure

    def on_ended(self) -> None:
        """Emit `running_changed(False)` and `changed` after any end of the run, and `failed` if it failed."""
        self.running_changed.emit(False)
        self.changed.emit()
        if self.failure is not None:
            self.failed.emit(self.failure)

    def _again(self, request: EvaluateRequest) -> None:
        """Ask the same once more: go on with what the run has kept, else begin anew; nothing happens while another is under way."""
        if self.is_running:
            return
        if request == self.request and self.can_resume:
            self.resume()
            return
        self.tally, self.n_before = EvaluateTally(request.headline), 0
        options = replace(request.options, keep=self._store.new_folder(), resume=False)
        self._submit(replace(request, options=options))

    def _submit(self, request: EvaluateRequest) -> None:
        self.request, self.result, self.failure = _resumed(request, resume=False), None, None
        self._began_s, self._anew = 0.0, not request.options.resume
        self._run(
            request,
            About(EVALUATE, partial(self._again, request), partial(self.show_wanted.emit, request.options.keep)),
            started=self.on_started,
            progressed=self.on_progressed,
            news=self.on_news,
            finished=self.on_finished,
            failed=self.on_failed,
            ended=self.on_ended,
        )
        self.progress_changed.emit(0, 0, self.tr("Waiting for its turn"))
        self.running_changed.emit(True)
        self.changed.emit()


def _kind_of(request: EvaluateRequest) -> EvaluateRequest:
    """The part of a request that decides how long a picture takes."""
    options = replace(request.options, seed=0, template="", keep="", resume=False)
    return replace(request, data="", split="", limit=0, options=options)


def _resumed(request: EvaluateRequest, *, resume: bool) -> EvaluateRequest:
    return replace(request, options=replace(request.options, resume=resume))
