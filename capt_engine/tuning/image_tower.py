"""TeCoA: tuning the image tower itself on attacked pictures, the text tower frozen (Mao et al., ICLR 2023, arXiv 2212.07016).

The loss is the cross-entropy of attacked pictures against the captions of their classes. What the paper does on ImageNet with SGD, a
learning rate of 1e-5 and large batches, a small tower and few pictures reach in fewer steps with AdamW, which is why that is the
default here. The loop is that of prompts (`loop.py`).
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from capt_engine.attacks.base import LINF, Threat
from capt_engine.errors import BadCheckpoint, BadRequest, UnknownName
from capt_engine.files import write_atomic
from capt_engine.formatting import budget, exact_percent, percent_number
from capt_engine.model.clip import TOWER_CONFIG, TOWER_FORMAT, TOWER_WEIGHTS, Backbone, Base, lasting_id
from capt_engine.model.tensor_file import write_tensors
from capt_engine.model.vision import encode_pixels
from capt_engine.progress import Progress
from capt_engine.reading import decode, renamed
from capt_engine.records import TuneStep
from capt_engine.records.tuning import OLD_NAMES
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Answers, Recipe, State, Tuning, TuningFailed
from capt_engine.tuning.objective import OBJECTIVES, Settings
from capt_engine.tuning.schedule import linear_then_cosine

TECOA = InnerAttack(Threat(LINF, 4 / 255), 4 / 255, 2)
OPTIMISERS = ("adamw", "sgd")
CHECKPOINT, CARD = "tower-checkpoint.safetensors", "README.md"


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

    @property
    def of_loop(self) -> Recipe:
        """As the loop takes it."""
        return Recipe(
            objective=OBJECTIVES["adversarial"],
            settings=Settings(clean_share=self.clean_share),
            attack=self.attack,
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            seed=self.seed,
            optimiser=self.optimiser,
            weight_decay=self.weight_decay,
            schedule=linear_then_cosine(self.warm_up),
            keep_last=True,
        )


@dataclass(frozen=True)
class EpochLog:
    """An epoch's means over its pictures; accuracies in [0, 1] are of the batches as they came, the clean one if it was measured."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    epoch: int
    lr: float
    loss: float
    attacked_accuracy: float
    clean_accuracy: float | None
    zero_gradients: float


@dataclass(frozen=True)
class _Said:
    """The document of a checkpoint, beside its tensors."""

    run: dict[str, Any]
    epoch: int
    logs: list[EpochLog]


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

    After every epoch a checkpoint is left in `out`, from which the same call goes on; it is removed at the end.

    Args:
        backbone: the model whose tower is copied.
        images: (N, 3, h, w) at the model's own size, uint8, or float in [0, 1].
        labels: class indices (N,).
        text: unit features (k, d) of the classes' captions.
        recipe: how the tower is tuned.
        out: the folder of the model.
        progress: called at every step.
        about: what else the description should say (data, command, …).

    Returns:
        The folder, and how the epochs went.

    Raises:
        TuningFailed: the loss is no number any more.
        BadRequest: pictures and labels do not fit.
        CannotWrite: `out` cannot be written.
        BadCheckpoint: in `out` lies the checkpoint of another run.
        Cancelled: `progress` says so.
    """
    tuning = TowerTuning(backbone, images, labels, text, recipe)
    checkpoint = out / CHECKPOINT
    if checkpoint.is_file():
        tuning.resume(checkpoint)
    while tuning.epoch < recipe.epochs:
        tuning.advance(progress)
        tuning.save(checkpoint)
    export(tuning, out, about or {})
    checkpoint.unlink(missing_ok=True)
    return TowerResult(out, tuple(tuning.logs))


class TowerLearner:
    """The image tower of a model, learned against fixed text features (k, d); its clean pictures are looked at only where asked."""

    def __init__(self, backbone: Backbone, text: Tensor, *, with_clean: bool) -> None:
        self._backbone, self._text, self._with_clean = backbone, text.to(backbone.mean.device), with_clean
        self._scale = backbone.clip.logit_scale.exp().float()

    def named_parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        """See `Learner`."""
        found: Iterable[tuple[str, nn.Parameter]] = self._backbone.clip.visual.named_parameters()
        return found

    def begin_step(self) -> None:
        """Nothing is shared by the passes."""

    def constant_logits(self, images: Tensor) -> Tensor:
        """See `Learner`."""
        return self._seen(images)[0]

    def answers(self, images: Tensor, attacked: Tensor | None) -> Answers:
        """See `Learner`."""
        self._backbone.clip.visual.requires_grad_(True)
        # Attacked pictures first and apart from the clean ones: the last bits of a batch's values depend on its size.
        adversarial, adversarial_features = self._seen(images if attacked is None else attacked)
        if not self._with_clean:
            return Answers(None, adversarial, None, adversarial_features)
        clean, clean_features = self._seen(images)
        return Answers(clean, adversarial, clean_features, adversarial_features)

    def end_step(self) -> None:
        """Spare attacks the gradients of the weights."""
        self._backbone.clip.visual.requires_grad_(False)

    def _seen(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = encode_pixels(self._backbone, images)
        return self._scale * features @ self._text.T, features


class TowerTuning:
    """A copy of a backbone whose image tower is being tuned, epoch by epoch; its arguments are those of `tune_tower`."""

    def __init__(self, backbone: Backbone, images: Tensor, labels: Tensor, text: Tensor, recipe: TowerRecipe) -> None:
        if (
            len(images) == 0
            or len(images) != len(labels)
            or not 0 <= int(labels.min()) <= int(labels.max()) < len(text)
        ):
            raise BadRequest("Every picture needs a label of the class list.", "Check the pictures and the labels.")
        self.origin, self.recipe = backbone, recipe
        self.logs: list[EpochLog] = []
        self.tuned = replace(backbone, clip=copy.deepcopy(backbone.clip))
        learner = TowerLearner(self.tuned, text, with_clean=recipe.clean_share > 0)
        self._loop = Tuning(learner, recipe.of_loop, images, labels.to(backbone.mean.device))
        self._made_from = (images, labels, text)

    @property
    def epoch(self) -> int:
        """The number of epochs done."""
        return self._loop.state.epoch

    def advance(self, progress: Progress) -> EpochLog:
        """Run the next epoch; raises TuningFailed, Cancelled."""
        self.logs.append(self._log(next(self._loop.epochs(progress))))
        return self.logs[-1]

    def trial(self, steps: int, progress: Progress) -> list[float]:
        """Seconds that each of some steps takes; the copy is of no use afterwards."""
        return self._loop.trial(steps, progress)

    def _log(self, steps: list[TuneStep]) -> EpochLog:
        n, size = len(self._made_from[0]), self.recipe.batch_size
        counts = [min(size, n - index * size) for index in range(len(steps))]

        def mean(values: Iterable[float]) -> float:
            return sum(count * value for count, value in zip(counts, values, strict=True)) / n

        clean = mean(one.clean_accuracy for one in steps)
        return EpochLog(
            steps[-1].epoch,
            steps[-1].lr,
            mean(one.loss for one in steps),
            mean(one.robust_accuracy for one in steps),
            None if math.isnan(clean) else clean,
            mean(one.zero_gradients for one in steps),
        )

    def save(self, path: Path) -> None:
        """Leave a checkpoint; a reader sees the old one or the new one, never half of one. Raises CannotWrite."""
        parts = {"weight": self.tuned.clip.visual.state_dict(), **self._loop.state.optimiser}
        tensors = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        said = {"run": self._run(), "epoch": self.epoch, "logs": [asdict(log) for log in self.logs]}
        write_tensors(path, tensors, {"tower": json.dumps(said)})

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same run; raises BadCheckpoint where it is damaged or of another one."""
        try:
            with safe_open(path, framework="pt") as file:
                said = decode(
                    file.metadata()["tower"], _Said, called=f"The description in {str(path)!r}", error=BadCheckpoint
                )
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            if said.run | {"settings": renamed(said.run["settings"], OLD_NAMES)} != self._run():
                raise BadCheckpoint(
                    f"{str(path)!r} was left by a run with other pictures, settings or another model.",
                    "Delete it to start again, or repeat the earlier settings.",
                )
            parts: dict[str, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                part, _, weight = name.partition("/")
                parts.setdefault(part, {})[weight] = value
            self.tuned.clip.visual.load_state_dict(parts.pop("weight"))
            self._loop.restore(State(said.epoch, parts))
            self.logs = said.logs
        except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OSError) as error:
            raise BadCheckpoint(f"{str(path)!r} is damaged.", "Delete it to start again.") from error

    def _run(self) -> dict[str, object]:
        """Return what must be the same for a checkpoint to belong to this run."""
        pictures = hashlib.sha256()
        for values in self._made_from:
            pictures.update(values.cpu().contiguous().numpy().data)
        settings = json.loads(json.dumps(self.recipe.settings()))
        return {"model": self.origin.sha256, "settings": settings, "pictures": pictures.hexdigest()}


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
    write_tensors(folder / TOWER_WEIGHTS, state, {"format": "pt"})
    write_atomic(folder / CARD, card(said))
    # Last, because a folder with this file is a model.
    write_atomic(folder / TOWER_CONFIG, json.dumps(said, indent=1) + "\n")


def card(said: dict[str, Any], figures: str = "") -> str:
    """The card of a tower, from what its tower.json says and a table of figures."""
    settings, attack = renamed(said["settings"], OLD_NAMES), said["settings"]["attack"]
    about = "\n".join(f"- {name}: {value}" for name, value in said["about"].items()) or "- not said"
    rows = "\n".join(
        f"| {log['epoch']} | {log['loss']:.3f} | {percent_number(log['attacked_accuracy'])} |" for log in said["epochs"]
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
- inner attack: {attack["norm"]}, ε = {budget(attack["eps"])}, {attack["steps"]} steps of {budget(attack["step_size"])},
  random start
- {settings["optimiser"]}, rate {settings["lr"]:g} (linear rise over {exact_percent(settings["warm_up"])} of the steps, then half a cosine),
  weight decay {settings["weight_decay"]:g}, {settings["epochs"]} epochs, batch {settings["batch_size"]}, seed {settings["seed"]}

| epoch | loss | accuracy on attacked training pictures % |
| ---: | ---: | ---: |
{rows}
{figures}"""
