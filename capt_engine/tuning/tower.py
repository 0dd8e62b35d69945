"""TeCoA: tuning the image tower itself on attacked pictures, the text tower frozen (Mao et al., ICLR 2023, arXiv 2212.07016).

The loss is the cross-entropy of attacked pictures against the captions of their classes. What the paper does on ImageNet with
SGD, a learning rate of 1e-5 and large batches, a small tower and few pictures reach in fewer steps with AdamW, which is why that
is the default here. Every random draw depends on the seed, the epoch and the picture alone: stopped after an epoch and resumed, a
run ends in the same weights, bit for bit on a CPU, as one that was not.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.errors import BadCheckpoint, BadRequest, UnknownName
from capt_engine.model.clip import TOWER_CONFIG, TOWER_FORMAT, TOWER_WEIGHTS, Backbone, Base, lasting_id
from capt_engine.model.vision import encode_pixels
from capt_engine.progress import Progress
from capt_engine.records.tuning import renamed
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import MOMENTUM, TuningFailed

TECOA = InnerAttack(Threat(LINF, 4 / 255), 4 / 255, 2)
OPTIMISERS = ("adamw", "sgd")
CHECKPOINT, CARD = "tower-checkpoint.safetensors", "README.md"
_SLOTS = {"adamw": ("step", "exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",)}


@dataclass(frozen=True)
class TowerRecipe:
    """One run. clean_share: how much of the loss is cross-entropy on the clean pictures; TeCoA has none.

    warm_up: the share of the steps over which the learning rate rises, before it falls to nothing by half a cosine.
    """

    attack: InnerAttack = TECOA
    epochs: int = 5
    batch_size: int = 32
    lr: float = 2e-4
    optimiser: str = "adamw"
    weight_decay: float = 1e-4
    warm_up: float = 0.05
    clean_share: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise UnknownName("optimiser", self.optimiser, OPTIMISERS)
        if self.epochs < 1 or self.batch_size < 1 or not 0 <= self.clean_share <= 1:
            raise BadRequest(
                "The tower's recipe makes no sense.", "Check epochs, batch and the share of clean pictures."
            )

    def settings(self) -> dict[str, object]:
        """As plain values, for documents."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        attack, threat = self.attack, self.attack.threat
        plain = {"step_size": attack.step_size, "steps": attack.steps, "loss": attack.loss}
        return given | {"attack": {"norm": threat.norm.name, "eps": threat.eps} | plain}


@dataclass(frozen=True)
class EpochLog:
    """An epoch's means over its pictures; accuracies in [0, 1] are of the batches as they came, the clean one if it was measured."""

    epoch: int
    lr: float
    loss: float
    attacked_accuracy: float
    clean_accuracy: float | None
    zero_gradients: float


@dataclass(frozen=True)
class TowerResult:
    """The folder that was written, which load_backbone opens, and how the epochs went."""

    folder: Path
    logs: tuple[EpochLog, ...]


def tune_tower(
    backbone: Backbone,
    images: Tensor,
    labels: Tensor,
    text: Tensor,
    recipe: TowerRecipe,
    out: Path,
    progress: Progress,
    about: dict[str, Any] | None = None,
) -> TowerResult:
    """Tune a copy of the image tower and write it to the folder `out`, which then holds a model; `backbone` is left as it is.

    images: (N, 3, h, w) at the model's own size, uint8, or float in [0, 1]. labels: (N,). text: unit features (k, d) of the classes'
    captions. about: what else the description should say (data, command, …). After every epoch a checkpoint is left in `out`, from
    which the same call goes on; it is removed at the end. Raises TuningFailed, BadRequest, BadCheckpoint, Cancelled.
    """
    tuning = TowerTuning(backbone, images, labels, text, recipe)
    checkpoint = out / CHECKPOINT
    try:
        out.mkdir(parents=True, exist_ok=True)
        if checkpoint.is_file():
            tuning.resume(checkpoint)
        while tuning.epoch < recipe.epochs:
            tuning.advance(progress)
            tuning.save(checkpoint)
        export(tuning, out, about or {})
        checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise BadRequest(
            f"{str(out)!r} cannot be written: {error.strerror or error}.", "Choose another folder, or make room there."
        ) from error
    return TowerResult(out, tuple(tuning.logs))


class TowerTuning:
    """A copy of a backbone whose image tower is being tuned, epoch by epoch; its arguments are those of `tune_tower`."""

    def __init__(self, backbone: Backbone, images: Tensor, labels: Tensor, text: Tensor, recipe: TowerRecipe) -> None:
        if (
            len(images) == 0
            or len(images) != len(labels)
            or not 0 <= int(labels.min()) <= int(labels.max()) < len(text)
        ):
            raise BadRequest("Every picture needs a label of the class list.", "Check the pictures and the labels.")
        self.origin, self.recipe, self.epoch = backbone, recipe, 0
        self.logs: list[EpochLog] = []
        self.tuned = replace(backbone, clip=copy.deepcopy(backbone.clip))
        self._images, self._labels, self._text = images, labels, text.to(backbone.mean.device)
        self._scale = backbone.clip.logit_scale.exp().float()
        self._weights: dict[str, torch.nn.Parameter] = dict(self.tuned.clip.visual.named_parameters())
        self._optimiser = _optimiser(self._weights, recipe)

    @property
    def steps_per_epoch(self) -> int:
        """The last, smaller batch is a step too."""
        return math.ceil(len(self._images) / self.recipe.batch_size)

    def logits(self, images: Tensor) -> Tensor:
        """Logits (n, k) of pixels (n, 3, h, w) in [0, 1] by the tower as it is now."""
        logits: Tensor = self._scale * encode_pixels(self.tuned, images) @ self._text.T
        return logits

    def advance(self, progress: Progress) -> EpochLog:
        """Run the next epoch; raises TuningFailed, Cancelled."""
        epoch, size = self.epoch + 1, self.recipe.batch_size
        order = torch.randperm(len(self._images), generator=_stream(self.recipe.seed, epoch))
        total = self.recipe.epochs * self.steps_per_epoch
        sums = torch.zeros(4, dtype=torch.float64)
        for index in range(self.steps_per_epoch):
            done = self.epoch * self.steps_per_epoch + index
            progress(done, total, f"epoch {epoch} of {self.recipe.epochs}")
            for group in self._optimiser.param_groups:
                group["lr"] = rate_at(done, total, self.recipe)
            batch = order[index * size : (index + 1) * size]
            sums += len(batch) * self._step(epoch, index, batch)
        loss, attacked, clean, zeros = (float(one) / len(self._images) for one in sums)
        self.epoch = epoch
        seen = clean if self.recipe.clean_share else None
        self.logs.append(EpochLog(epoch, float(self._optimiser.param_groups[0]["lr"]), loss, attacked, seen, zeros))
        return self.logs[-1]

    def _step(self, epoch: int, index: int, batch: Tensor) -> Tensor:
        recipe, device = self.recipe, self.tuned.mean.device
        images, labels = _pixels(self._images[batch]).to(device), self._labels[batch].to(device)
        rngs = PictureRngs.of(recipe.seed, [f"{epoch}:{int(i)}" for i in batch])
        start = recipe.attack.threat.norm.random(rngs, images, recipe.attack.threat.eps)
        self.tuned.clip.visual.requires_grad_(False)  # spares the attack the gradients of the weights
        attacked, zeros = recipe.attack.run(self.logits, images, labels, start)
        self.tuned.clip.visual.requires_grad_(True)
        loss, accuracies = tower_loss(
            self.logits(attacked), self.logits(images) if recipe.clean_share else None, labels, recipe
        )
        if not bool(torch.isfinite(loss)):
            raise TuningFailed(
                f"The loss of step {index + 1} in epoch {epoch} is not a number.", "Try a lower learning rate."
            )
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self.tuned.clip.visual.requires_grad_(False)
        return torch.tensor([float(loss.detach()), *accuracies, zeros], dtype=torch.float64)

    def save(self, path: Path) -> None:
        """Leave a checkpoint; a reader sees the old one or the new one, never half of one."""
        tensors = {f"weight/{name}": value for name, value in self.tuned.clip.visual.state_dict().items()}
        for name, weight in self._weights.items():
            for slot, value in self._optimiser.state.get(weight, {}).items():
                if slot in _SLOTS[self.recipe.optimiser]:
                    tensors[f"{slot}/{name}"] = torch.as_tensor(value)
        said = {"run": self._run(), "epoch": self.epoch, "logs": [asdict(log) for log in self.logs]}
        _save(tensors, path, {"tower": json.dumps(said)})

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same run; raises BadCheckpoint where it is damaged or of another one."""
        try:
            with safe_open(path, framework="pt") as file:
                said = json.loads((file.metadata() or {})["tower"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            run = said["run"] | {"settings": renamed(said["run"]["settings"])}
            if run != self._run():
                raise BadCheckpoint(
                    f"{str(path)!r} was left by a run with other pictures, settings or another model.",
                    "Delete it to start again, or repeat the earlier settings.",
                )
            parts: dict[str, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                slot, _, weight = name.partition("/")
                parts.setdefault(slot, {})[weight] = value
            self.tuned.clip.visual.load_state_dict(parts.pop("weight"))
            for slot, values in parts.items():
                for name, value in values.items():
                    weight = self._weights[name]
                    kept = value if slot == "step" else value.to(weight.device)
                    self._optimiser.state[weight][slot] = kept
            self.epoch, self.logs = int(said["epoch"]), [EpochLog(**renamed(log)) for log in said["logs"]]
        except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BadCheckpoint(f"{str(path)!r} is damaged.", "Delete it to start again.") from error

    def _run(self) -> dict[str, object]:
        """What must be the same for a checkpoint to belong to this run."""
        pictures = hashlib.sha256()
        for values in (self._images, self._labels, self._text):
            pictures.update(values.cpu().contiguous().numpy().data)
        settings = json.loads(json.dumps(self.recipe.settings()))
        return {"model": self.origin.sha256, "settings": settings, "pictures": pictures.hexdigest()}


def tower_loss(
    attacked: Tensor, clean: Tensor | None, labels: Tensor, recipe: TowerRecipe
) -> tuple[Tensor, tuple[float, float]]:
    """(1 − s) · CE(attacked) + s · CE(clean) of logits (n, k), s being the clean share, and both accuracies (clean: 0 where absent)."""
    loss, right = F.cross_entropy(attacked, labels), _accuracy(attacked, labels)
    if clean is None:
        return loss, (right, 0.0)
    share = recipe.clean_share
    return (1 - share) * loss + share * F.cross_entropy(clean, labels), (right, _accuracy(clean, labels))


def rate_at(done: int, total: int, recipe: TowerRecipe) -> float:
    """The learning rate of step `done` = 0, 1, … of `total`: a linear rise, then half a cosine down to nothing."""
    rise = max(1, round(recipe.warm_up * total))
    if done < rise:
        return recipe.lr * (done + 1) / rise
    return recipe.lr / 2 * (1 + math.cos(math.pi * (done - rise) / max(1, total - rise)))


def export(tuning: TowerTuning, folder: Path, about: dict[str, Any]) -> None:
    """Write the image tower alone, in fp16, and tower.json, which names the base that the rest is taken from, with a card."""
    state = {
        name: value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
        for name, value in tuning.tuned.clip.visual.state_dict().items()
    }
    broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise TuningFailed(f"The weights {broken[0]!r} are not finite numbers.", "Try a lower learning rate.")
    base = tuning.origin.base or Base(lasting_id(tuning.origin.id), tuning.origin.sha256)
    said = {
        "format": TOWER_FORMAT,
        "base": base.id,
        "base_sha256": base.sha256,
        "method": "tecoa",
        "started_from": tuning.origin.sha256,
        "settings": tuning.recipe.settings(),
        "about": about,
        "epochs": [asdict(log) for log in tuning.logs],
        "versions": {"torch": torch.__version__.split("+")[0]},
    }
    folder.mkdir(parents=True, exist_ok=True)
    _save(state, folder / TOWER_WEIGHTS, {"format": "pt"})
    _write(folder / CARD, card(said))
    # Last, because a folder with this file is a model.
    _write(folder / TOWER_CONFIG, json.dumps(said, indent=1) + "\n")


def card(said: dict[str, Any], figures: str = "") -> str:
    """The card of a tower, from what its tower.json says and a table of figures."""
    settings, attack = renamed(said["settings"]), said["settings"]["attack"]
    about = "\n".join(f"- {name}: {value}" for name, value in said["about"].items()) or "- not said"
    rows = "\n".join(
        f"| {log['epoch']} | {log['loss']:.3f} | {log['attacked_accuracy'] * 100:.1f} |" for log in said["epochs"]
    )
    share = settings["clean_share"]
    loss = f"{1 - share:g} · CE(attacked) + {share:g} · CE(clean)" if share else "CE(attacked)"
    return f"""# Image tower tuned on attacked pictures (TeCoA-style)

Only the image tower is here, in fp16; text tower, tokenizer and preprocessing are those of its base.
- base: `{said["base"]}`, SHA-256 of its weights {said["base_sha256"]}

## Made from
{about}

## Recipe
After TeCoA (Mao et al., ICLR 2023): the text tower is frozen, the loss is {loss} against one caption per class.
- inner attack: {attack["norm"]}, ε = {attack["eps"] * 255:g}/255, {attack["steps"]} steps of {attack["step_size"] * 255:g}/255,
  random start
- {settings["optimiser"]}, rate {settings["lr"]:g} (linear rise over {settings["warm_up"]:.0%} of the steps, then half a cosine),
  weight decay {settings["weight_decay"]:g}, {settings["epochs"]} epochs, batch {settings["batch_size"]}, seed {settings["seed"]}

| epoch | loss | accuracy on attacked training pictures % |
| ---: | ---: | ---: |
{rows}
{figures}"""


def _optimiser(weights: dict[str, torch.nn.Parameter], recipe: TowerRecipe) -> torch.optim.Optimizer:
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(weights.values(), lr=recipe.lr, momentum=MOMENTUM, weight_decay=recipe.weight_decay)
    return torch.optim.AdamW(weights.values(), lr=recipe.lr, weight_decay=recipe.weight_decay)


def _pixels(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images


def _accuracy(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(dim=1) == labels).float().mean())


def _stream(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)


def _save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Of metadata there may be one entry: safetensors writes several in an order that changes from file to file."""
    partial = path.with_name(path.name + ".part")
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    save_file(kept, partial, metadata=metadata)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    # safetensors writes for the owner only; a model is for whoever may read its folder.
    partial.chmod(0o644)
    partial.replace(path)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
