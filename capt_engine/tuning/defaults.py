"""Defaults of the settings: the published values for real models, our own for the bundled demo models.

| setting      | real models                                  | whose                                             |
|--------------|----------------------------------------------|---------------------------------------------------|
| n_ctx        | 2; 16 for text-only prompts                  | MaPLe, FAP; CoOp, APT                             |
| depth        | 9; 1 for text-only prompts                   | MaPLe, FAP; CoOp, APT                             |
| lr           | 0.0035; 0.002 for text-only prompts          | MaPLe, FAP; CoOp, APT                             |
| epochs       | 10                                           | FAP                                               |
| batch_size   | 4, or 32 on a GPU of 12 GB                   | MaPLe, FAP; APT                                   |
| λ            | 2.5; 1.5 for FAP's own loss                  | ours, from FAP's sweep; FAP                       |
| ε            | 1/255                                        | FAP, TeCoA                                        |
| inner attack | 3 steps of 2/3 ε up CE; FAP: 2 of ε up KL    | APT; FAP                                          |
| α            | label_prob                                   | ours: the paper does not say                      |

The demo models are a hundred times smaller and their tasks are new to them, so prompts need larger steps and more of them: every value of
`_DEMO` is ours, found by trying on the toy world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.metrics.alpha import ALPHAS
from capt_engine.metrics.consistency import KL_DIRECTIONS
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import COUPLINGS, PromptShape, TowerSizes
from capt_engine.records import TuneRequest
from capt_engine.tuning.inner_attack import LOSSES
from capt_engine.tuning.methods import METHODS, Method

LARGE_GPU_BYTES = 12 * 10**9
SMALL_BATCH, LARGE_BATCH = 4, 32
AUGMENTATIONS = ("none", "crop-flip")

# attack_step_size is in units of ε here.
_REAL: dict[str, Any] = {
    "eps": 1 / 255,
    "attack_steps": 3,
    "attack_step_size": 2 / 3,
    "attack_loss": "ce",
    "epochs": 10,
}
_FAP: dict[str, Any] = {"attack_steps": 2, "attack_step_size": 1.0, "attack_loss": "kl"}
_DEMO: dict[str, dict[str, Any]] = {
    "demo": {"eps": 1 / 255, "n_ctx": 4, "depth": 4, "lr": 0.035, "epochs": 10, "batch_size": 8},
    "demo-robust": {"eps": 1 / 255, "n_ctx": 4, "depth": 4, "lr": 0.035, "epochs": 10, "batch_size": 8},
}
_DEMO_TEXT_ONLY: dict[str, Any] = {"n_ctx": 4, "depth": 1, "lr": 0.035}


@dataclass(frozen=True)
class Chosen:
    """Every setting of a run with its value; `attack_step_size` and `eps` in pixel units [0, 1], `lr` that of the second epoch."""

    method: Method
    shape: PromptShape
    eps: float
    attack_steps: int
    attack_step_size: float
    attack_loss: str
    lambda_: float
    alpha: str
    epochs: int
    batch_size: int
    lr: float


def chosen(request: TuneRequest, backbone: Backbone) -> Chosen:
    """The request's settings, with defaults for those it leaves open; raises BadRequest for one that makes no sense."""
    method = METHODS[request.method]
    sizes, device = TowerSizes.of(backbone), backbone.mean.device
    preset = _preset(method, backbone, device)

    def of(name: str) -> Any:
        given = getattr(request, name)
        return preset[name] if given is None else given

    depth = request.depth if request.depth is not None else min(preset["depth"], sizes.layers)
    eps = of("eps")
    step = request.attack_step_size
    found = Chosen(
        method=method,
        shape=PromptShape(of("coupling"), of("n_ctx"), depth),
        eps=eps,
        attack_steps=of("attack_steps"),
        attack_step_size=preset["attack_step_size"] * eps if step is None else step,
        attack_loss=of("attack_loss"),
        lambda_=of("lambda_"),
        alpha=of("alpha"),
        epochs=of("epochs"),
        batch_size=of("batch_size"),
        lr=of("lr"),
    )
    _check(request, found, sizes)
    return found


def usual(method: Method, *, batch_size: int = SMALL_BATCH) -> dict[str, Any]:
    """A method's settings on a real model where nobody says; `attack_step_size` in units of ε."""
    found = _REAL | {
        "coupling": method.coupling,
        "n_ctx": method.n_ctx,
        "depth": method.depth,
        "lr": method.lr,
        "lambda_": method.lambda_,
        "batch_size": batch_size,
        "alpha": "label_prob",
    }
    return found | _FAP if method.name == "fap" else found


def of_demo(model: str) -> dict[str, Any]:
    """Return the settings that differ with a demo model; none for other models."""
    return dict(_DEMO.get(model, {}))


def _preset(method: Method, backbone: Backbone, device: torch.device) -> dict[str, Any]:
    large = device.type == "cuda" and torch.cuda.get_device_properties(device).total_memory >= LARGE_GPU_BYTES
    preset = usual(method, batch_size=LARGE_BATCH if large else SMALL_BATCH) | of_demo(backbone.id)
    if backbone.id in _DEMO and method.coupling == "text_only":
        preset |= _DEMO_TEXT_ONLY
    return preset


def _check(request: TuneRequest, found: Chosen, sizes: TowerSizes) -> None:
    for name, value, known in (
        ("coupling", found.shape.coupling, COUPLINGS),
        ("loss of the inner attack", found.attack_loss, LOSSES),
        ("rule for α", found.alpha, (*ALPHAS, "const")),
        ("direction of KL", request.kl_direction, KL_DIRECTIONS),
        ("augmentation", request.augment, AUGMENTATIONS),
        ("precision", request.precision, ("fp32", "bf16")),
    ):
        if value not in known:
            raise UnknownName(name, value, known)
    if found.shape.depth > sizes.layers:
        raise BadRequest(
            f"A depth of {found.shape.depth} is more than the {sizes.layers} layers of this model's shorter tower.",
            f"Choose a depth of 1 to {sizes.layers}.",
        )
    numbers: Mapping[str, tuple[float, float, float]] = {
        "budget ε": (found.eps, 0, 1),
        "attack step": (found.attack_step_size, 0, 1),
        "number of attack steps": (found.attack_steps, 1, 10_000),
        "weight λ": (found.lambda_, 0, 1e6),
        "constant α": (request.alpha_const, 0, 1),
        "number of epochs": (found.epochs, 1, 100_000),
        "batch": (found.batch_size, 1, 1_000_000),
        "patience": (request.patience, 0, 100_000),
        "last epoch": (request.stop_after, 0, 100_000),
        "seed": (request.seed, 0, 2**63 - 1),
    }
    for name, (number, low, high) in numbers.items():
        if not low <= number <= high:
            raise BadRequest(f"A {name} of {number:g} makes no sense.", f"Choose one from {low:g} to {high:g}.")
    if not 0 < found.lr < float("inf"):
        raise BadRequest(f"A learning rate of {found.lr:g} makes no sense.", "Choose a number above 0.")
