"""The outcome of a tuning run: its epochs and remarks, the document of its checkpoint, and its summary."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import torch

from capt_engine.model.checkpoints import Document, MadeFor
from capt_engine.model.memory import peak_bytes
from capt_engine.records import PromptsInfo, Share, TuneEpoch, TuneRequest, TuneResult
from capt_engine.runs.versions import version
from capt_engine.tuning.methods import METHODS
from capt_engine.tuning.run_inputs import Pictures, RunInputs
from capt_engine.tuning.validation import STEPS

OVERFITTED_AFTER = 3
"""So many epochs in a row in which validation rises clean and falls under attack are called over-fitting."""


@dataclass
class Found:
    """The results of a run so far.

    best_epoch: of the highest validation score, the last one where nothing is validated. zero_shot: clean and robust shares of plain
    text. stopped_after: the epoch after which it was to stop and keep the best, 0 where it was not.
    """

    epochs: list[TuneEpoch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    best_epoch: int = 0
    zero_shot: tuple[Share | None, Share | None] = (None, None)
    ended: str = ""
    stopped_after: int = 0

    def end(self, done: int, epochs: int, stop_after: int, kept: str, patience: int = 0) -> None:
        """Write down, in words, why the run ended after `done` of `epochs` epochs.

        stop_after: the epoch after which it was asked to stop, 0 for none. kept: what was kept, in words. patience:
        after so many epochs without gain it stopped early.
        """
        # By the same words and number, whether it was to stop from the beginning or was stopped on the way.
        if done == stop_after:
            self.stopped_after = done
            self.ended = f"stopped after epoch {done} of {epochs}, as asked, and kept {kept}"
        elif done < epochs:
            self.ended = f"stopped early, as {patience} epochs had brought nothing on the validation pictures"
        else:
            self.ended = f"ran all {epochs} epochs"

    def kept(self, patience: int) -> TuneEpoch:
        """Return the epoch whose prompts are kept: the best one after an early stop, else the last one.

        patience: epochs without gain after which the run stops early; 0: never, so that only a run that was stopped on
        request keeps its best epoch.
        """
        number = self.best_epoch if patience or self.stopped_after else self.epochs[-1].epoch
        return next(one for one in self.epochs if one.epoch == number)


def score(one: TuneEpoch) -> int:
    """Return the number of right answers of the epoch `one`, clean plus attacked; the best epoch has the highest.

    What was not measured counts 0.
    """
    return (one.clean.k if one.clean else 0) + (one.robust.k if one.robust else 0)


def overfits(epochs: Sequence[TuneEpoch]) -> bool:
    """Return True if in each of the last three epochs clean validation accuracy rose and robust accuracy fell.

    epochs: all epochs so far, in order. False where fewer were run, or where no such accuracies were measured.
    """
    last = epochs[-1 - OVERFITTED_AFTER :]
    shares = [(one.clean, one.robust) for one in last]
    if len(last) <= OVERFITTED_AFTER or any(clean is None or robust is None for clean, robust in shares):
        return False
    counts = [(clean.k, robust.k) for clean, robust in shares if clean and robust]
    return all(after[0] > before[0] and after[1] < before[1] for before, after in itertools.pairwise(counts))


def document(inputs: RunInputs, found: Found, parameters: int, batch_size: int) -> Document:
    """Make the description that tuned prompts carry in their file: method, model, settings, data and accuracies.

    inputs: the inputs of the run. found: its results. parameters: the number of learned values. batch_size: the one in
    use at the end. Nothing in it depends on when or how fast the run was.
    """
    request, pictures = inputs.request, inputs.pictures
    kept = found.kept(request.patience)
    return Document(
        method=inputs.settings.method.name,
        backbone=MadeFor.of(inputs.backbone),
        shape=inputs.settings.shape,
        template=inputs.template,
        classes=tuple(inputs.classes),
        settings=inputs.plain_settings(batch_size)
        | ({"stop_after": found.stopped_after} if found.stopped_after else {}),
        data=inputs.fingerprint(),
        seed=request.seed,
        versions=versions(inputs.settings.method.name),
        figures={
            "data": pictures.drawn.train.name,
            "n_train": len(pictures.train),
            "n_val": len(pictures.val) if pictures.val is not None else 0,
            "parameters": parameters,
            "epochs": len(found.epochs),
            "kept_epoch": kept.epoch,
            "ended": found.ended,
            "validation_attack": f"PGD-{STEPS}, linf, the training budget",
            "zero_shot_clean": _plain(found.zero_shot[0]),
            "zero_shot_robust": _plain(found.zero_shot[1]),
            "clean": _plain(kept.clean),
            "robust": _plain(kept.robust),
        },
        notes="\n".join(note for note in (request.notes, *found.notes) if note),
        licence=request.licence,
    )


def result(
    request: TuneRequest,
    pictures: Pictures,
    found: Found,
    parameters: int,
    seconds: float,
    device: torch.device,
    prompts: PromptsInfo | None = None,
) -> TuneResult:
    """Return the summary of a tuning run that has ended: accuracies, epochs, why it ended, time and memory.

    request: the run. pictures: its pictures. found: its results. parameters: the number of learned values. seconds: how
    long it took. device: where it ran. prompts: facts of the file that was written; None for an image tower.
    """
    kept = found.kept(request.patience)
    return TuneResult(
        out=request.out,
        method=request.method,
        model=request.model,
        classes=pictures.classes,
        shots=request.shots,
        n_train=len(pictures.train),
        n_val=len(pictures.val) if pictures.val is not None else 0,
        epochs=found.epochs[-1].epoch,
        kept_epoch=kept.epoch,
        ended=found.ended,
        clean=kept.clean,
        robust=kept.robust,
        zero_shot_clean=found.zero_shot[0],
        zero_shot_robust=found.zero_shot[1],
        seconds=seconds,
        memory_bytes=peak_bytes(device),
        parameters=parameters,
        prompts=prompts,
        failed=pictures.failed,
        notes=tuple(found.notes),
        stopped_after=found.stopped_after,
    )


def versions(method: str) -> dict[str, str]:
    """Return package name → version, or "absent", for Python and the packages that a result depends on.

    method: the name of the tuning method, whose plug-in package is listed too.
    """
    found = {"python": platform.python_version()}
    found |= {package: version(package) for package in ("capt-explorer", "torch", "open_clip_torch")}
    return found | {one.package: one.version for one in METHODS.plugins() if one.name == method and not one.problem}


def _plain(of: Share | None) -> dict[str, int | float] | None:
    return asdict(of) if of is not None else None
