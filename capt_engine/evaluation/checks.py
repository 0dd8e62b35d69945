"""The checks of an evaluation that run the model again, on some of the run's pictures.

Sources: Carlini et al. 2019 (arXiv 1902.06705), Athalye et al. 2018, the flags of AutoAttack, Zimmermann et al. 2022 (arXiv 2206.13991).
The quick ones are in `checks.quick`, the others in `checks.full`; those that need only rows are in `checks.from_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from capt_engine.attacks.base import Threat
from capt_engine.checks.context import CheckContext
from capt_engine.checks.forecast import PICTURES
from capt_engine.checks.full import FULL_CHECKS
from capt_engine.checks.quick import QUICK_CHECKS
from capt_engine.checks.subset import BATCH_SIZES, Subset, logits_of
from capt_engine.checks.table import CHECKS, in_order
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadImage
from capt_engine.evaluation.course import Input
from capt_engine.evaluation.known import Known
from capt_engine.evaluation.plan import Plan
from capt_engine.model.devices import free_memory, is_out_of_memory
from capt_engine.progress import Progress
from capt_engine.records import NO_PROMPTS, Check
from capt_engine.runs.manifest import digest
from capt_engine.wrappers.remembered import Remembered, remembered
from capt_engine.wrappers.resizing import pixels_for

LIVE = QUICK_CHECKS | FULL_CHECKS


def live_checks(
    work: Plan, pictures: Sequence[Input], progress: Progress, known: Known | None = None
) -> tuple[Check, ...]:
    """Make the checks of an evaluation that ask the models again, on every model of the plan, and return their results.

    work: the plan; its level of checks says which are made, "off" none. pictures: the pictures to ask about. Of several
    models' results of one check the worst is returned; where memory runs out, the result says "not run". progress:
    called at each step; what it raises (Cancelled) ends the checks. known: the result store, which is asked first.
    """
    if not PICTURES[work.checks] or not pictures:
        return ()
    progress(0, 0, "checking the evaluation")
    for batch_size in BATCH_SIZES:
        try:
            return in_order(*_of_variants(work, pictures, progress, batch_size, known))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            # The rows are there already; a check is not worth losing them.
            free_memory(work.classifier.device)
    return tuple(one.result("The device has no room for it.") for one in CHECKS)


def _of_variants(
    work: Plan, pictures: Sequence[Input], progress: Progress, batch_size: int, known: Known | None
) -> list[tuple[Check, ...]]:
    keys = tuple(one.photo.sha256 for one in pictures)
    asked = bytes.fromhex(digest([*keys, *(str(one.label) for one in pictures)])) + bytes(8)
    images = torch.stack([one.seen for one in pictures]).to(work.classifier.device)
    labels = torch.tensor([one.label for one in pictures], device=images.device)
    results = []
    for variant in work.variants:
        model = variant.classifier
        name = variant.id if len(work.variants) > 1 else ""
        checks = None if known is None else known.checks(variant.id, asked)
        if checks is None:
            # Attacks begin at the clean pictures and end at some that they have asked about: none is computed twice.
            asked_once = remembered(model)
            clean = logits_of(asked_once, images, batch_size)
            memory = asked_once if isinstance(asked_once, Remembered) else None
            subset = Subset(name, model, images, labels, keys, work.seed, clean, progress, batch_size, memory)
            frozen = None if model is work.frozen else work.frozen
            baseline = work.baseline or frozen
            transfer_model = work.source.classifier if work.source is not None else baseline
            checks = run_checks(
                CheckContext(subset, work.leading, _threat(work), work.checks == "full", transfer_model, baseline)
            )
            if known is not None:
                known.keep_checks(variant.id, asked, checks)
        results.append(_named(checks, name))
    return results


def run_checks(context: CheckContext) -> tuple[Check, ...]:
    """Return the result of every check that asks a model again, on the model and pictures of `context`.

    A check that cannot be made there has the status "not_run".
    """
    return tuple(CHECKS[name].result(check(context)) for name, check in LIVE.items())


def _named(checks: Sequence[Check], name: str) -> tuple[Check, ...]:
    """The checks with the name of the prompts in their messages, "" where the run has one set only."""
    if not name:
        return tuple(checks)
    measured = f"Measured: {'plain text' if name == NO_PROMPTS else name}."
    return tuple(
        replace(one, message=f"{one.message} {measured}") if one.status != "not_run" else one for one in checks
    )


def some_of(work: Plan, items: Sequence[Item]) -> list[Input]:
    """Read as many of the pictures `items` as the checks of the plan `work` want, spread over the whole list.

    A picture that cannot be read, or has another size than the first one, is left out.
    """
    wanted = PICTURES[work.checks]
    step = max(1, len(items) // max(1, wanted))
    found: list[Input] = []
    for item in items[::step][:wanted]:
        try:
            one = Input(*pixels_for(work.classifier, item.path), item.label)
        except BadImage:
            continue
        # At their own sizes only those of one size can be looked at together.
        if not found or found[0].seen.shape == one.seen.shape:
            found.append(one)
    return found


class Spread:
    """Pictures for the checks out of a stream of unknown length: at most twice as many as wanted are kept, at even distances."""

    def __init__(self, wanted: int) -> None:
        self._wanted, self._step, self._count = wanted, 1, 0
        self._kept: list[Input] = []

    def add(self, picture: Input) -> None:
        """Take the next picture of the stream, and keep it if its turn has come.

        Where too many are kept then, every second one is dropped.
        """
        if self._wanted and self._count % self._step == 0:
            self._kept.append(picture)
            if len(self._kept) == 2 * self._wanted:
                self._kept, self._step = self._kept[::2], 2 * self._step
        self._count += 1

    def chosen(self) -> list[Input]:
        """Return as many of the pictures taken so far as were wanted, at even distances; all where there were fewer."""
        step = max(1, len(self._kept) // max(1, self._wanted))
        return self._kept[::step][: self._wanted]


def _threat(work: Plan) -> Threat:
    at = [one.threat for one in work.planned_attacks if one.threat.eps == work.threat.eps]
    return replace(at[0], targeted=False) if at else Threat()
