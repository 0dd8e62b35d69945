"""One batch of pictures → rows: ask each contestant, attack, ask again, measure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from capt_engine.attacks.base import Draws, Step
from capt_engine.data.images import Photo
from capt_engine.evaluation.plan import OWN_ANSWER, Assault, Contestant, Plan
from capt_engine.evaluation.survival import as_jpeg, as_png, to_bytes
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.model.classifier import Output
from capt_engine.records import Picture, PictureRow, PictureSet, SignedPicture, Verdict


@dataclass(frozen=True)
class Input:
    """What is kept of a picture: `seen` by the model, (3, h, w) in [0, 1], the photo without its own pixels, and its label's index.

    label: None where nobody gave one; then it is each model's own clean prediction.
    """

    photo: Photo
    seen: Tensor
    label: int | None = None


@dataclass(frozen=True)
class _Asked:
    """A contestant's clean answers to a batch, and the labels (n,) it is held to."""

    contestant: Contestant
    clean: Output
    labels: Tensor


def rows_of(work: Plan, inputs: Sequence[Input], tick: Step) -> list[PictureRow]:
    """Rows of a batch: picture by picture, under each assault A's and then B's. Raises Cancelled through `tick`."""
    started_s = time.monotonic()
    tick(0, 0)
    images = torch.stack([one.seen for one in inputs]).to(work.classifier.device)
    asked = [_ask(contestant, images, inputs) for contestant in work.contestants]
    frozen = _frozen(work, images, asked)
    if not work.assaults:
        time_s = (time.monotonic() - started_s) / len(inputs) / len(asked)
        columns = [_clean_rows(work, each, images, inputs, time_s) for each in asked]
    else:
        columns = []
        done = 1
        for assault in work.assaults:
            crafted: dict[str, tuple[Tensor, float]] = {}
            for each in asked:
                if each.contestant in work.crafters:
                    crafted[each.contestant.id] = _attacked(work, assault, each, images, inputs, tick, done)
                    done += assault.attack.work
            tick(done, 0, "measuring")
            for each in asked:
                crafter = each.contestant.id if each.contestant.id in crafted else work.crafters[0].id
                columns.append(_rows(work, assault, each, crafter, images, *crafted[crafter], frozen, inputs))
    return [row for of_one_picture in zip(*columns, strict=True) for row in of_one_picture]


def _ask(contestant: Contestant, images: Tensor, inputs: Sequence[Input]) -> _Asked:
    with torch.no_grad():
        clean = contestant.classifier.output(images)
    own = clean.logits.argmax(dim=1)
    given = torch.tensor([-1 if one.label is None else one.label for one in inputs], device=own.device)
    return _Asked(contestant, clean, torch.where(given < 0, own, given))


def _frozen(work: Plan, images: Tensor, asked: Sequence[_Asked]) -> Tensor:
    for each in asked:
        if each.contestant.classifier is work.frozen:
            return each.clean.logits
    with torch.no_grad():
        return work.frozen(images)


def _attacked(
    work: Plan, assault: Assault, on: _Asked, images: Tensor, inputs: Sequence[Input], tick: Step, done: int
) -> tuple[Tensor, float]:
    """The attacked pictures and the seconds that one of them took."""
    started_s = time.monotonic()
    aims = on.labels if work.target is None else torch.full_like(on.labels, work.target)
    draws = Draws.of(work.seed, [one.photo.sha256 for one in inputs])

    def step(at: int, total: int, note: str = "") -> None:
        tick(done + at, total, f"{assault.spec.name}, {note}" if len(work.assaults) > 1 else note)

    attacked = assault.attack.run(on.contestant.classifier, images, aims, assault.threat, draws, step)
    return attacked, (time.monotonic() - started_s) / len(inputs)


def _rows(
    work: Plan,
    assault: Assault,
    each: _Asked,
    crafter: str,
    images: Tensor,
    attacked: Tensor,
    attack_s: float,
    frozen: Tensor,
    inputs: Sequence[Input],
) -> list[PictureRow]:
    started_s = time.monotonic()
    classifier, clean = each.contestant.classifier, each.clean
    with torch.no_grad():
        adversarial = classifier.output(attacked)
        fooled = _fooled(work, each, adversarial.logits)
        png = _fooled(work, each, classifier(as_png(attacked)))
        jpeg = _fooled(work, each, classifier(as_jpeg(attacked)))
    open_to = _open_to_success(work, each)
    given = (
        images,
        attacked,
        each.labels,
        clean.logits,
        adversarial.logits,
        clean.features,
        adversarial.features,
        frozen,
    )
    # Apple's GPUs have no double precision, which the metrics need.
    outcomes = Outcomes(*(value.cpu() if value.device.type == "mps" else value for value in given))
    measured = [(metric.name, metric.measure(outcomes).double().cpu()) for metric in METRICS]
    verdicts = list(zip(_verdicts(clean), _verdicts(adversarial), strict=True))
    pictures = _picture_sets(images, attacked, assault) if work.with_pictures else [None] * len(inputs)
    own = crafter == each.contestant.id
    wanted = assault.wanted if own else replace(assault.wanted, knowledge=f"transfer from {crafter}")
    time_s = attack_s + (time.monotonic() - started_s) / len(inputs)
    return [
        replace(
            _row(work, each, i, one, time_s, verdicts[i][0], pictures[i]),
            attacked=verdicts[i][1],
            attack=assault.spec,
            threat=wanted,
            aimed_at=crafter,
            steps=int(getattr(assault.attack, "steps", 0)),
            restarts=int(getattr(assault.attack, "restarts", 0)),
            success=bool(fooled[i]) if open_to[i] else None,
            metrics=tuple((name, float(values[i])) for name, values in measured if bool(values[i].isfinite())),
            survives_png=bool(png[i]) if open_to[i] and fooled[i] else None,
            survives_jpeg95=bool(jpeg[i]) if open_to[i] and fooled[i] else None,
        )
        for i, one in enumerate(inputs)
    ]


def _fooled(work: Plan, each: _Asked, logits: Tensor) -> Tensor:
    """Does the answer differ from the label, or is it the target; (n,)."""
    winners = logits.argmax(dim=1)
    return winners != each.labels if work.target is None else winners == work.target


def _open_to_success(work: Plan, each: _Asked) -> Tensor:
    """Is there a right answer to turn, or one that is not the target yet; (n,)."""
    winners = each.clean.logits.argmax(dim=1)
    return winners == each.labels if work.target is None else winners != work.target


def _clean_rows(work: Plan, each: _Asked, images: Tensor, inputs: Sequence[Input], time_s: float) -> list[PictureRow]:
    verdicts = _verdicts(each.clean)
    pictures = _picture_sets(images, images, None) if work.with_pictures else [None] * len(inputs)
    return [_row(work, each, i, one, time_s, verdicts[i], pictures[i]) for i, one in enumerate(inputs)]


def _row(
    work: Plan, each: _Asked, i: int, one: Input, time_s: float, clean: Verdict, pictures: PictureSet | None
) -> PictureRow:
    """The row of a picture that nobody attacked."""
    classes, photo = each.contestant.classifier.classes, one.photo
    return PictureRow(
        path=photo.path,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        label=classes[int(each.labels[i])],
        label_source=OWN_ANSWER if one.label is None else work.label_source,
        classes=classes,
        clean=clean,
        attacked=None,
        attack=None,
        steps=0,
        restarts=0,
        threat=work.threat,
        seed=work.seed,
        success=None,
        metrics=(),
        survives_png=None,
        survives_jpeg95=None,
        time_s=time_s,
        model_id=work.model,
        prompt_id=each.contestant.id,
        pictures=pictures,
        notes=photo.notes,
    )


def _verdicts(output: Output) -> list[Verdict]:
    logits = output.logits.cpu().double()
    probabilities = logits.softmax(dim=1)
    return [Verdict(tuple(z.tolist()), tuple(p.tolist())) for z, p in zip(logits, probabilities, strict=True)]


def _picture_sets(images: Tensor, attacked: Tensor, assault: Assault | None) -> list[PictureSet]:
    deltas = (attacked - images).permute(0, 2, 3, 1).cpu()
    return [
        PictureSet(_picture(seen), _signed(delta, assault), _picture(adversarial))
        for seen, delta, adversarial in zip(to_bytes(images), deltas, to_bytes(attacked), strict=True)
    ]


def _picture(rgb: Tensor) -> Picture:
    height, width, _ = rgb.shape
    return Picture(width, height, rgb.numpy().tobytes())


def _signed(delta: Tensor, assault: Assault | None) -> SignedPicture:
    height, width, _ = delta.shape
    largest = float(delta.abs().max())
    # In the budget's own units where the norm bounds each value, so that ±ε is exactly ±127.
    bounded = assault is not None and assault.threat.norm.name == "linf" and assault.threat.eps > 0
    scale = assault.threat.eps if assault is not None and bounded else largest or 1.0
    values = (delta / scale * 127).round().clamp(-127, 127).to(torch.int8)
    return SignedPicture(width, height, scale, values.contiguous().numpy().tobytes())
