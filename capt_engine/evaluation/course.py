"""One picture's way through the attacks of a plan: which of them are still run on it, and the rows that come of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capt_engine import formatting
from capt_engine.data.images import Photo
from capt_engine.evaluation.plan import OWN_ANSWER, Plan, PlannedAttack, Variant, carried_over
from capt_engine.records import PictureRow, PictureSet, Verdict
from capt_engine.results.cells import AttackedAnswer


@dataclass(frozen=True)
class Input:
    """A picture of the batch.

    Attributes:
        photo: the facts of its file, without its pixels.
        seen: the pixels that the model takes, (3, h, w) in [0, 1].
        label: the index of its class; None where there is none, and each model's own clean prediction takes its place.
        target: the index of the class that the attacker wants to see on this picture, where each has its own.
    """

    photo: Photo
    seen: Tensor
    label: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Asked:
    """A picture and what is asked of it, without its pixels: the facts of its file, its label and its target, as in Input."""

    photo: Photo
    label: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Start:
    """A model's answer to the clean picture, the index of the class that counts as right, and whether an attack can still succeed."""

    verdict: Verdict
    label: int
    is_open: bool
    time_s: float

    @classmethod
    def of(cls, logits: bytes, label: int | None, target: int | None, time_s: float) -> Start:
        """Read the start from the clean `logits`, k floats of 32 bits.

        label: None where the model's own answer counts as right. target: the class that a targeted attack wants to see,
        None for an untargeted one. time_s: for the answer.
        """
        winner = int(np.argmax(floats(logits)))
        right = winner if label is None else label
        return cls(verdict_of(logits), right, winner == right if target is None else winner != target, time_s)


def floats(logits: bytes) -> NDArray[np.float32]:
    """Return logits, k floats of 32 bits, as an array (k,)."""
    return np.frombuffer(logits, "<f4")


def verdict_of(logits: bytes) -> Verdict:
    """Return the answer that `logits`, k floats of 32 bits, stand for; probabilities in double precision."""
    values = torch.from_numpy(floats(logits).astype(np.float64))
    return Verdict(tuple(values.tolist()), tuple(values.softmax(dim=0).tolist()))


class Course:
    """The way of one picture. Its rows grow by `take`, attack after attack, in the order of the plan.

    asked: the picture. starts: the clean answer of each variant, by its id. frozen: the zero-shot model's answer to the clean picture, ""
    where it was not asked. ood_score: of the clean picture, if known. smallest: the smallest budget that breaks the picture, by the id of
    a variant.
    """

    def __init__(
        self,
        plan: Plan,
        asked: Asked | Input,
        starts: Mapping[str, Start],
        frozen: str,
        ood_score: float | None,
        smallest: Mapping[str, float | None],
    ) -> None:
        self._plan, self._photo, self._label, self._target = plan, asked.photo, asked.label, asked.target
        self._starts, self._frozen, self._ood_score, self._smallest = starts, frozen, ood_score, smallest
        self.rows: list[PictureRow] = []
        why = "at the target before" if plan.threat.targeted else "wrong before"
        skips = plan.skip_broken or plan.until_chance
        # For each pair of evaluated model and source model the reason why it is left out at this and any larger budget, "" for none.
        self._carried = ["" if starts[judge.id].is_open or not skips else why for judge, _ in plan.pairs]
        self._reasons = list(self._carried)
        self._eps: float | None = None
        self._first = next((one for one in plan.planned_attacks if one.threat.eps == plan.threat.eps), None)

    def begin(self, planned: PlannedAttack) -> None:
        """Begin the next attack of the plan, and with it perhaps the next budget."""
        if planned.threat.eps == self._eps:
            return
        if self._eps is not None and self._plan.until_chance:
            at = f"broken at {formatting.budget(self._eps, planned.threat.norm.name)}"
            self._carried = [was or (at if why else "") for was, why in zip(self._carried, self._reasons, strict=True)]
        self._reasons = list(self._carried)
        self._eps = planned.threat.eps

    def is_open(self, pair: int) -> bool:
        """Return True if the attack that has begun is run on the picture for the pair of models of this number."""
        return not self._reasons[pair]

    def row(self, planned: PlannedAttack, pair: int, answer: AttackedAnswer | None, key: str = "") -> PictureRow:
        """Return the row of a pair of models under the attack that has begun, without pictures.

        answer: None where the attack was not run, and the row says why. key: by which the result store is asked for the
        answers at other budgets.
        """
        plan, (judge, source) = self._plan, self._plan.pairs[pair]
        wanted = planned.wanted
        if source.id != judge.id:
            wanted = replace(wanted, knowledge=carried_over(source.id))
        if self._target is not None:
            wanted = replace(wanted, target=judge.classifier.classes[self._target])
        row = replace(
            self._plain_row(judge),
            attack=planned.spec,
            attack_label=planned.label if planned.label != planned.spec.name else "",
            threat=wanted,
            aimed_at=source.id,
            steps=int(getattr(planned.attack, "steps", 0)),
            restarts=int(getattr(planned.attack, "restarts", 0)),
        )
        if planned is self._first and source.id == judge.id:
            row = replace(row, minimal_eps=self._smallest.get(judge.id))
        if answer is None:
            return replace(row, skipped=self._reasons[pair])
        png, jpeg95, jpeg75, resize = answer.survives
        return replace(
            row,
            attacked=verdict_of(answer.logits),
            success=answer.success,
            metrics=answer.metrics,
            survives_png=png,
            survives_jpeg95=jpeg95,
            survives_jpeg75=jpeg75,
            survives_resize=resize,
            # Of many corruptions nothing is measured but the answers.
            alpha_rule="" if plan.is_table else judge.alpha.name,
            time_s=answer.time_s,
            store_key=key,
        )

    def take(self, planned: PlannedAttack, pair: int, row: PictureRow) -> None:
        """Add a row of the attack that has begun; where it broke the picture, the attacks that follow may leave it out."""
        self.rows.append(row)
        if row.success and (self._plan.skip_broken or self._plan.until_chance):
            self._reasons[pair] = f"broken by {planned.label}"

    def clean_rows(self, pictures: PictureSet | None) -> list[PictureRow]:
        """Return the rows of a plan without attacks, one for each variant; pictures: what the model sees, None where not wanted."""
        return [
            replace(self._plain_row(one), time_s=self._starts[one.id].time_s, pictures=pictures)
            for one in self._plan.variants
        ]

    def _plain_row(self, variant: Variant) -> PictureRow:
        plan, photo, start = self._plan, self._photo, self._starts[variant.id]
        classes = variant.classifier.classes
        return PictureRow(
            path=photo.path,
            sha256=photo.sha256,
            width=photo.width,
            height=photo.height,
            label=classes[start.label],
            label_source=OWN_ANSWER if self._label is None else plan.label_source,
            classes=classes,
            clean=start.verdict,
            attacked=None,
            attack=None,
            steps=0,
            restarts=0,
            threat=plan.threat,
            seed=plan.seed,
            success=None,
            metrics=(),
            survives_png=None,
            survives_jpeg95=None,
            time_s=0.0,
            model_id=plan.model,
            prompt_id=variant.id,
            notes=photo.notes,
            frozen=self._frozen,
            ood_score=self._ood_score,
        )
