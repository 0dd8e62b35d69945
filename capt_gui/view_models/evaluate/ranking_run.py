"""Several variants ranked on the pictures of the Evaluate page: which there are, the run that compares them, its table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from capt_engine.formatting import budget, percent
from capt_engine.records import (
    MOST_VARIANTS,
    NO_PROMPTS,
    CompareRequest,
    CompareResult,
    FailedPicture,
    Failure,
    RankedVariant,
    RowsReady,
    RowsTakenUp,
)
from capt_gui.bridge import About, Bridge
from capt_gui.translate import counted, spoken
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.view_models.explore.sides import model_label
from capt_gui.view_models.navigation import EVALUATE
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.run_store import RunStore

_LEVEL = 0.05


@dataclass(frozen=True)
class VariantOption:
    """A variant that can be ranked: the ids of its model and prompts, and the names of both for people."""

    model: str
    prompts: str
    model_label: str
    label: str


class RankingRun(OneJob):
    """Up to six variants evaluated one after the other with the choices of the page, and ranked.

    Signals: `changed`: a run began, ended, or was forgotten; `running_changed`; `progress_changed(done, total, text)`;
    `failed(Failure)`.
    """

    changed = Signal()
    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)

    def __init__(
        self, bridge: Bridge, choices: EvaluateChoices, store: RunStore, parent: QObject | None = None
    ) -> None:
        super().__init__(bridge, parent)
        self._choices = choices
        self._store = store
        self.request: CompareRequest | None = None
        self.result: CompareResult | None = None
        self.failure: Failure | None = None
        self._labels: dict[str, str] = {}

    def offered(self) -> tuple[VariantOption, ...]:
        """Return every variant that can be ranked: plain text on each model, and each set of prompts on its own model.

        Those of the chosen model come first.
        """
        catalogue, chosen = self._choices.model.catalogue, self._choices.model.settings.model
        models = sorted(catalogue.models, key=lambda one: one.id != chosen)
        found = []
        for model in models:
            found.append(VariantOption(model.id, NO_PROMPTS, model.label, self.tr("plain text")))
            found += [
                VariantOption(model.id, one.id, model.label, one.label)
                for one in catalogue.prompts
                if one.model == model.id
            ]
        return tuple(found)

    def usual(self) -> tuple[VariantOption, ...]:
        """Return the variants that are ticked at first: those of the chosen model, as many as a comparison takes."""
        chosen = self._choices.model.settings.model
        return tuple(one for one in self.offered() if one.model == chosen)[:MOST_VARIANTS]

    def problem(self) -> str:
        """Return a few words on why nothing can be ranked now; "" when it can."""
        return self._choices.problem()

    @property
    def is_kept(self) -> bool:
        """True if each variant of the ranking under way is kept as a run of its own."""
        return self.request is not None and all(one.options.keep for one in self.request.evaluations)

    def start(self, variants: tuple[VariantOption, ...]) -> None:
        """Evaluate and rank `variants` with the choices of the page as they are now, each in a run folder of its own.

        Nothing happens while a ranking goes on, where the choices allow none, or for fewer than two or too many variants.
        """
        if self.is_running or self.problem() or not 2 <= len(variants) <= MOST_VARIANTS:
            return
        base = self._choices.request()
        request = CompareRequest(
            tuple(
                replace(
                    base,
                    options=replace(
                        base.options,
                        model=one.model,
                        prompts=None if one.prompts == NO_PROMPTS else one.prompts,
                        compare=None,
                        aim="each",
                        keep=self._store.new_folder(),
                    ),
                )
                for one in variants
            )
        )
        self.go(request)

    def go(self, request: CompareRequest) -> None:
        """Begin the ranking that `request` asks for; nothing happens while another goes on."""
        if self.is_running:
            return
        self.request = request
        self.result = self.failure = None
        self._labels = {}
        self._run(
            self.request,
            About(EVALUATE),
            progressed=self.on_progressed,
            news=self.on_news,
            finished=self.on_finished,
            failed=self.on_failed,
            ended=self.on_ended,
        )
        self.progress_changed.emit(0, 0, self.tr("Waiting for its turn"))
        self.running_changed.emit(True)
        self.changed.emit()

    def forget(self) -> None:
        """Forget the ranking, because other pictures are to come; one under way is kept."""
        if not self.is_running and self.request is not None:
            self.request = self.result = self.failure = None
            self.changed.emit()

    def name(self, one: RankedVariant) -> str:
        """Return the name of a ranked variant for people: its prompts, and its model where several were asked."""
        if self.result is not None and len({variant.model for variant in self.result.variants}) == 1:
            return self._choices.model.sides.label(one.prompts)
        model = model_label(self._choices.model.catalogue, one.model)
        return self.tr("{} on {}").format(self._choices.model.sides.label(one.prompts), model)

    def labels(self, paths: tuple[str, ...]) -> dict[str, str]:
        """Return the labels of the pictures at `paths`, by path, as far as they are known."""
        return {path: self._labels[path] for path in paths if path in self._labels}

    def folders(self) -> tuple[str, ...]:
        """Return the run folders of the ranked variants, the best first; none where runs are not kept."""
        return () if self.result is None else tuple(one.run for one in self.result.variants if one.run)

    def verdict(self) -> tuple[str, str, str]:
        """Return (kind, sentence, line of figures) of the ranking; a kind is one of those of a verdict box.

        All three are "" while there is no result.
        """
        result = self.result
        if result is None or not result.variants:
            return "", "", ""
        best, others = result.variants[0], result.variants[1:]
        n = counted(best.n, "1 picture", "{:,} pictures")
        if not best.n:
            return "failed", self.tr("No picture could be used."), ""
        close = [one for one in others if one.p_holm is None or one.p_holm >= _LEVEL]
        share = best.clean_accuracy if best.robust_accuracy is None else best.robust_accuracy
        if others and all(_right(one) == _right(best) and one.n == best.n for one in others):
            text = self.tr("No variant is ahead: each is right on {} of {}.")
            if best.robust_accuracy is not None:
                text = self.tr("No variant is ahead: under attack each is right on {} of {}.")
            return "unclear", text.format(percent(share), n), ""
        text = self.tr("{} is right most often, on {} of {}.")
        if best.robust_accuracy is not None:
            text = self.tr("{} is right most often under attack, on {} of {}.")
        sentence = text.format(self.name(best), percent(share), n)
        if best.prompts == NO_PROMPTS:
            # prompts are called as their file is, also where a sentence begins
            sentence = sentence[:1].upper() + sentence[1:]
        if not close:
            figures = self.tr("Every other is behind by more than chance.")
        elif len(close) == len(others):
            figures = self.tr("No difference to the others can be told from so many pictures.")
        else:
            figures = self.tr("No difference can be told to: {}.").format(", ".join(map(self.name, close)))
        return ("better" if not close else "unclear"), sentence, figures

    def caption(self) -> str:
        """Return a line on what was done: attacks, budget, time, and how to read the table; "" while there is no result."""
        result = self.result
        if result is None:
            return ""
        threat = result.threat_model
        names = ", ".join(map(self._choices.model.attack_label, result.attacks))
        within = threat.budget or f"ε = {budget(threat.eps, threat.norm)}"
        done = self.tr("{} at {}.").format(names, within) if names else self.tr("Nobody attacked.")
        models = {model_label(self._choices.model.catalogue, one.model) for one in result.variants}
        if len(models) == 1:
            done = self.tr("{}. {}").format(next(iter(models)), done)
        how = self.tr(
            "p: McNemar’s exact test against the best on the same pictures, corrected for the number of variants (Holm). The best "
            "was chosen by these very pictures: of few, its figure is too kind."
        )
        return " ".join((done, how, *map(spoken, result.notes)))

    def on_progressed(self) -> None:
        """Emit `progress_changed` with the present numbers and line of text."""
        self.progress_changed.emit(*self.progress)

    def on_news(self, event: RowsReady | RowsTakenUp) -> None:
        """Remember the labels of the pictures that have been answered, now or before a ranking was gone on with."""
        self._labels |= {row.path: row.label for row in event.rows if not isinstance(row, FailedPicture)}

    def on_finished(self, result: CompareResult) -> None:
        """Keep the table."""
        self.result = result

    def on_failed(self, failure: Failure) -> None:
        """Keep the reason why the ranking failed, which is announced when it has ended."""
        self.failure = failure

    def on_ended(self) -> None:
        """Emit `running_changed(False)` and `changed` after any end, and `failed` if it failed."""
        self.running_changed.emit(False)
        self.changed.emit()
        if self.failure is not None:
            self.failed.emit(self.failure)


def _right(one: RankedVariant) -> int:
    return one.clean if one.robust is None else one.robust
