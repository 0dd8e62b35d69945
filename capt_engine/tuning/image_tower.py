"""TeCoA: tuning the image tower itself on attacked pictures, the text tower frozen (Mao et al., ICLR 2023, arXiv 2212.07016).

The loss is the cross-entropy of attacked pictures against the captions of their classes. What the paper does on ImageNet with SGD, a
learning rate of 1e-5 and large batches, a small tower and few pictures reach in fewer steps with AdamW, which is why that is the
default here. The loop is that of prompts (`loop.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from capt_engine.attacks.base import LINF, Threat
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import write_atomic
from capt_engine.formatting import budget, exact_percent, percent_number
from capt_engine.model.clip import TOWER_FORMAT, TOWER_WEIGHTS, Backbone, Base, lasting_id
from capt_engine.model.store.model_store import TOWER_CONFIG
from capt_engine.model.tensor_file import write_tensors
from capt_engine.model.vision import encode_pixels
from capt_engine.progress import Progress
from capt_engine.reading import decode
from capt_engine.records import TuneStep
from capt_engine.records.tuning import OLD_NAMES
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Answers, Recipe, State, Tuning, TuningFailed
from capt_engine.tuning.objective import OBJECTIVES, Settings
from capt_engine.tuning.schedule import linear_then_cosine

TECOA = InnerAttack(Threat(LINF, 4 / 255), 4 / 255, 2)
WARM_UP = 0.05
"""The share of the steps over which the learning rate rises, before it falls to nothing by half a cosine."""
CHECKPOINT, CARD = "tower-checkpoint.safetensors", "README.md"


def tower_recipe(
    attack: InnerAttack = TECOA, epochs: int = 5, batch_size: int = 32, lr: float = 2e-4, seed: int = 1
) -> Recipe:
    """Make the recipe by which an image tower is tuned: AdamW on attacked pictures, every picture once in an epoch.

    attack: the inner attack. epochs: passes over the pictures. batch_size: pictures in a step. lr: the peak of the
    learning rate. seed: decides the order of pictures and the attack's starts.
    """
    return Recipe(
        OBJECTIVES["adversarial"],
        Settings(),
        attack,
        epochs,
        batch_size,
        lr,
        seed,
        optimiser="adamw",
        weight_decay=1e-4,
        schedule=linear_then_cosine(WARM_UP),
        keep_last=True,
    )


@dataclass(frozen=True)
class AttackSettings:
    """The attack inside tuning, as documents name it; eps and step_size in pixel units [0, 1]."""

    norm: str
    eps: float
    step_size: float
    steps: int
    loss: str


@dataclass(frozen=True)
class TowerSettings:
    """The recipe of a tower, as documents name it. clean_share: the share of the loss on clean pictures, which is none today."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    attack: AttackSettings
    epochs: int
    batch_size: int
    lr: float
    optimiser: str
    weight_decay: float
    seed: int
    warm_up: float = WARM_UP
    clean_share: float = 0.0

    @classmethod
    def of(cls, recipe: Recipe) -> TowerSettings:
        """Return the settings in `recipe`, which `tower_recipe` made, in the form that is written to files."""
        assert recipe.attack is not None
        one, threat = recipe.attack, recipe.attack.threat
        attack = AttackSettings(threat.norm.name, threat.eps, one.step_size, one.steps, one.loss)
        rest = (recipe.epochs, recipe.batch_size, recipe.lr, recipe.optimiser, recipe.weight_decay, recipe.seed)
        return cls(attack, *rest)


@dataclass(frozen=True)
class EpochLog:
    """An epoch's means over its pictures; attacked_accuracy, in [0, 1], is of the batches as they came."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    epoch: int
    lr: float
    loss: float
    attacked_accuracy: float
    zero_gradients: float


@dataclass(frozen=True)
class TowerDocument:
    """The description of a tuned tower, `tower.json`: the model it belongs to, how it was made, and from what."""

    format: int
    base: str
    base_sha256: str
    method: str
    started_from: str
    settings: TowerSettings
    about: dict[str, str]
    epochs: tuple[EpochLog, ...]
    versions: dict[str, str]


@dataclass(frozen=True)
class _RunId:
    """The values that must be the same for a checkpoint to belong to a run."""

    model: str
    settings: TowerSettings
    pictures: str


@dataclass(frozen=True)
class _Saved:
    """The document of a checkpoint, beside its tensors."""

    run: _RunId
    epoch: int
    logs: list[EpochLog]


class TowerLearner:
    """The image tower of a model, learned against fixed text features (k, d) from attacked pictures alone."""

    def __init__(self, backbone: Backbone, text: Tensor) -> None:
        self._backbone, self._text = backbone, text.to(backbone.mean.device)
        self._scale = backbone.scale

    def named_parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        """Return the weights of the image tower, which are what is learned, as pairs of name and parameter."""
        return self._backbone.visual.named_parameters()

    def begin_step(self) -> None:
        """Do nothing at the beginning of a step, as its forward passes share no computation."""

    def begin_parts(self) -> None:
        """Do nothing before the parts of a step, which share no computation."""

    def end_parts(self) -> None:
        """Do nothing after the parts of a step: the weights have collected the gradients of all."""

    def constant_logits(self, images: Tensor) -> Tensor:
        """Classify pictures with the tower's weights as constants, for the inner attack.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k), differentiable in the pixels.
        """
        return self._seen(images)[0]

    def answers(self, images: Tensor, attacked: Tensor | None) -> Answers:
        """Classify the attacked pictures alone, as TeCoA's loss needs; switch on the gradients of the weights.

        Args:
            images: clean pixels (n, 3, h, w) in [0, 1].
            attacked: attacked pixels of the same shape; None: the clean ones take their place.

        Returns:
            Logits (n, k) and unit image features (n, d) of the attacked pictures, differentiable in the weights.
            None stands for those of the clean pictures.
        """
        self._backbone.visual.requires_grad_(True)
        logits, features = self._seen(images if attacked is None else attacked)
        return Answers(None, logits, None, features)

    def end_step(self) -> None:
        """Switch off the gradients of the tower's weights at the end of a step, as attacks need none of them."""
        self._backbone.visual.requires_grad_(False)

    def _seen(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = encode_pixels(self._backbone, images)
        return self._scale * features @ self._text.T, features


class TowerTuning:
    """A copy of a model whose image tower is being tuned, epoch by epoch; the model itself is left as it is.

    Args:
        backbone: the model whose tower is copied.
        images: (N, 3, h, w) at the model's own size, uint8, or float in [0, 1].
        labels: class indices (N,).
        text: unit features (k, d) of the classes' captions.
        recipe: made by `tower_recipe`.

    Raises:
        BadRequest: pictures and labels do not fit.
    """

    def __init__(self, backbone: Backbone, images: Tensor, labels: Tensor, text: Tensor, recipe: Recipe) -> None:
        if (
            len(images) == 0
            or len(images) != len(labels)
            or not 0 <= int(labels.min()) <= int(labels.max()) < len(text)
        ):
            raise BadRequest("Every picture needs a label of the class list.", "Check the pictures and the labels.")
        self.origin, self.recipe = backbone, recipe
        self.logs: list[EpochLog] = []
        self.tuned = backbone.with_own_weights()
        self._loop = Tuning(TowerLearner(self.tuned, text), recipe, images, labels.to(backbone.mean.device))
        self._made_from = (images, labels, text)

    @property
    def epoch(self) -> int:
        """Return the number of epochs that are done."""
        return self._loop.state.epoch

    def advance(self, progress: Progress) -> EpochLog:
        """Tune the tower for one more epoch, and return the epoch's mean loss, accuracy and learning rate.

        progress: called at each step; what it raises ends the epoch half done. Raises TuningFailed where the loss is
        not a number.
        """
        self.logs.append(self._log(next(self._loop.epochs(progress))))
        return self.logs[-1]

    def trial(self, steps: int, progress: Progress) -> list[float]:
        """Do the first `steps` steps of the next epoch to time them, and return the seconds of each.

        The weights are changed, so this object is of no use afterwards. progress: called before each step.
        """
        return self._loop.trial(steps, progress)

    def _log(self, steps: list[TuneStep]) -> EpochLog:
        n, size = len(self._made_from[0]), self.recipe.batch_size
        counts = [min(size, n - index * size) for index in range(len(steps))]

        def mean(values: Iterable[float]) -> float:
            return sum(count * value for count, value in zip(counts, values, strict=True)) / n

        return EpochLog(
            steps[-1].epoch,
            steps[-1].lr,
            mean(one.loss for one in steps),
            mean(one.robust_accuracy for one in steps),
            mean(one.zero_gradients for one in steps),
        )

    def save(self, path: Path) -> None:
        """Write the weights and the optimiser's state to the checkpoint file `path`, over what is there, for `resume`.

        A reader sees the old file or the new one, never half of one. Raises CannotWrite where the disk refuses.
        """
        parts = {"weight": self.tuned.visual.state_dict(), **self._loop.state.optimiser}
        tensors = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        write_tensors(path, tensors, {"tower": json.dumps(asdict(_Saved(self._run(), self.epoch, self.logs)))})

    def resume(self, path: Path) -> None:
        """Set weights, optimiser and epoch to those in the checkpoint file `path`, which `save` wrote.

        Raises BadCheckpoint where the file is damaged, or its run had other pictures, settings or another model.
        """
        try:
            with safe_open(path, framework="pt") as file:
                text = file.metadata()["tower"]
                saved = decode(text, _Saved, called=f"The description in {str(path)!r}", error=BadCheckpoint)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            if saved.run != self._run():
                raise BadCheckpoint(
                    f"{str(path)!r} was left by a run with other pictures, settings or another model.",
                    "Delete it to start again, or repeat the earlier settings.",
                )
            parts: dict[str, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                part, _, weight = name.partition("/")
                parts.setdefault(part, {})[weight] = value
            self.tuned.visual.load_state_dict(parts.pop("weight"))
            self._loop.restore(State(saved.epoch, parts))
            self.logs = saved.logs
        except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OSError) as error:
            raise BadCheckpoint(f"{str(path)!r} is damaged.", "Delete it to start again.") from error

    def _run(self) -> _RunId:
        pictures = hashlib.sha256()
        for values in self._made_from:
            pictures.update(values.cpu().contiguous().numpy().data)
        return _RunId(self.origin.sha256, TowerSettings.of(self.recipe), pictures.hexdigest())


def export(tuning: TowerTuning, folder: Path, about: dict[str, str]) -> None:
    """Write the tuned image tower as a model: its weights in fp16, a model card, and tower.json, into `folder`.

    tower.json names the base model, from which everything but the image tower is taken. Files of those names are
    replaced. about: further facts for it (data, command, …). Raises TuningFailed for weights that are not finite,
    CannotWrite where the disk refuses.
    """
    state = {
        name: value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
        for name, value in tuning.tuned.visual.state_dict().items()
    }
    broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise TuningFailed(f"The weights {broken[0]!r} are not finite numbers.", "Try a lower learning rate.")
    base = tuning.origin.base or Base(lasting_id(tuning.origin.id), tuning.origin.sha256)
    document = TowerDocument(
        TOWER_FORMAT,
        base.id,
        base.sha256,
        "tecoa",
        tuning.origin.sha256,
        TowerSettings.of(tuning.recipe),
        about,
        tuple(tuning.logs),
        {"torch": torch.__version__.split("+")[0]},
    )
    write_tensors(folder / TOWER_WEIGHTS, state, {"format": "pt"})
    write_atomic(folder / CARD, card(document))
    # Last, because a folder with this file is a model.
    write_atomic(folder / TOWER_CONFIG, json.dumps(asdict(document), indent=1) + "\n")


def card(document: TowerDocument, figures: str = "") -> str:
    """Return the model card of a tuned image tower, as Markdown, from its description `document`.

    figures: a Markdown table to put at the end; "" for none.
    """
    settings, attack = document.settings, document.settings.attack
    about = "\n".join(f"- {name}: {value}" for name, value in document.about.items()) or "- not said"
    rows = "\n".join(
        f"| {log.epoch} | {log.loss:.3f} | {percent_number(log.attacked_accuracy)} |" for log in document.epochs
    )
    return f"""# Image tower tuned on attacked pictures (TeCoA-style)

Only the image tower is here, in fp16; text tower, tokenizer and preprocessing are those of its base.
- base: `{document.base}`, SHA-256 of its weights {document.base_sha256}

## Made from
{about}

## Recipe
After TeCoA (Mao et al., ICLR 2023): the text tower is frozen, the loss is CE(attacked) against one caption per class.
- inner attack: {attack.norm}, ε = {budget(attack.eps)}, {attack.steps} steps of {budget(attack.step_size)},
  random start
- {settings.optimiser}, rate {settings.lr:g} (linear rise over {exact_percent(settings.warm_up)} of the steps, then half a cosine),
  weight decay {settings.weight_decay:g}, {settings.epochs} epochs, batch {settings.batch_size}, seed {settings.seed}

| epoch | loss | accuracy on attacked training pictures % |
| ---: | ---: | ---: |
{rows}
{figures}"""
