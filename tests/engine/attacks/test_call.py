"""Attacks called with defaults: what comes back, what is left alone, and what is refused."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from capt_engine.attacks import ATTACKS
from capt_engine.attacks import base as base_module
from capt_engine.attacks.base import LINF, NORMS, Attack, PictureRngs, Threat
from capt_engine.attacks.carlini_wagner import CarliniWagner
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.fgsm import FGSM
from capt_engine.attacks.pgd import PGD
from capt_engine.attacks.square import Square
from capt_engine.attacks.typographic import Typographic
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress
from tests.engine.attacks.test_laws import brief

SIDE, CLASSES = 6, 4


def linear(**kind: Any) -> nn.Module:
    """A linear classifier in evaluation mode."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, CLASSES, **kind)).eval()


@pytest.fixture(autouse=True)
def _own_stream() -> Any:
    with torch.random.fork_rng():
        yield


MODEL = linear()
X = torch.linspace(0, 1, 3 * 3 * SIDE * SIDE).view(3, 3, SIDE, SIDE)
Y = MODEL(X).argmax(dim=1).detach()


@pytest.mark.parametrize("attack", list(ATTACKS), ids=lambda attack: attack.name)
def test_a_call_is_a_run_with_its_threat_and_keys(
    attack: type[Attack], tiny_classifier: Classifier, pixels: Callable[..., Tensor]
) -> None:
    """Every attack gives what `run` gives under the default norm and budget, and streams named by the pictures' places."""
    built, images = brief(attack), pixels(3)
    labels = tiny_classifier(images).argmax(dim=1)
    norm = NORMS[attack.norms[0]] if attack.norms else LINF
    threat, rngs = Threat(norm, norm.default_eps), PictureRngs.of(0, ["0", "1", "2"])
    expected = built.run(tiny_classifier, images, labels, threat, rngs, no_progress)
    assert torch.equal(built(tiny_classifier, images, labels), expected)


def test_a_list_of_budgets_gives_a_list_of_results() -> None:
    """Each is what a call with this budget alone gives; one budget in a list gives a list of one."""
    attack = PGD(steps=3)
    several = attack(MODEL, X, Y, eps=[0.0, 0.1, 0.4], norm="l2")
    assert isinstance(several, list)
    assert torch.equal(several[0], X)
    for eps, found in zip((0.0, 0.1, 0.4), several, strict=True):
        assert torch.equal(found, attack(MODEL, X, Y, eps=eps, norm="l2"))
    assert len(attack(MODEL, X, Y, eps=(0.1,))) == 1


def test_a_target_and_a_targeted_criterion_are_one() -> None:
    """A class index, one a picture, and a criterion reach the same class; labels do not matter then."""
    attack = PGD(steps=20)
    target = (Y + 1) % CLASSES
    found = attack(MODEL, X, Y, eps=0.3, target=target)
    assert torch.equal(MODEL(found).argmax(dim=1), target)
    assert torch.equal(attack(MODEL, X, Criterion(target, targeted=True), eps=0.3), found)
    assert torch.equal(attack(MODEL, X, Criterion(Y), eps=0.3), attack(MODEL, X, Y, eps=0.3))
    same = attack(MODEL, X, Y, eps=0.3, target=2)
    assert torch.equal(same, attack(MODEL, X, Y, eps=0.3, target=torch.full_like(Y, 2)))


def test_keys_name_the_draws_and_seeds_change_them() -> None:
    """A picture alone gets what it got in the batch if it keeps its key; another seed draws differently."""
    attack = Square(queries=5)
    together = attack(MODEL, X, Y, keys=["a", "b", "c"])
    assert torch.equal(attack(MODEL, X[1:2], Y[1:2], keys=["b"])[0], together[1])
    assert not torch.equal(attack(MODEL, X, Y, keys=["a", "b", "c"], seed=1), together)


def test_any_function_of_pixels_will_do_and_double_precision_stays() -> None:
    """A lambda with float64 pictures is attacked in float64, and no pictures give no pictures."""
    weights = torch.randn(3 * SIDE * SIDE, CLASSES, generator=torch.Generator().manual_seed(1)).double()
    images = X.double()
    labels = (images.flatten(1) @ weights).argmax(dim=1).int()
    for attack in (PGD(steps=3), Square(queries=4), FGSM()):
        found = attack(lambda pixels: pixels.flatten(1) @ weights, images, labels)
        assert found.dtype == torch.float64
        assert (found - images).abs().max() <= 4 / 255 + 1e-8
    assert FGSM()(MODEL, X[:0], Y[:0]).shape == (0, 3, SIDE, SIDE)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_callers_gradient_mode_does_not_weaken_an_attack(context: Any) -> None:
    """Under no_grad and inference_mode the pictures are the same; inputs, weights and their gradients are left as they were."""
    expected = PGD(steps=3)(MODEL, X, Y)
    state = {name: value.clone() for name, value in MODEL.state_dict().items()}
    with context():
        images = X.clone()
        found = PGD(steps=3)(MODEL, images, Y)
    assert torch.equal(found, expected)
    assert torch.equal(images, X)
    assert not found.requires_grad
    assert all(torch.equal(value, state[name]) for name, value in MODEL.state_dict().items())
    assert all(weight.grad is None for weight in MODEL.parameters())


REFUSED: list[Any] = [
    pytest.param({"x": X * 255}, "from 0 to 1", id="bytes"),
    pytest.param({"x": X * 2 - 1}, "not normalised", id="normalised"),
    pytest.param({"x": X / 0 * 0}, "Pixels range", id="NaN"),
    pytest.param({"x": (X * 255).byte()}, "torch.uint8", id="uint8"),
    pytest.param({"x": X.half()}, "torch.float16", id="half"),
    pytest.param({"x": X[0]}, "shape", id="one picture"),
    pytest.param({"x": X[:, :1]}, "shape", id="grey"),
    pytest.param({"x": X.numpy()}, "ndarray", id="numpy"),
    pytest.param({"y": Y[:2]}, "3 pictures", id="too few labels"),
    pytest.param({"y": Y + CLASSES}, "4 classes", id="labels out of range"),
    pytest.param({"y": Y.float()}, "torch.float32", id="labels of floats"),
    pytest.param({"y": Y.tolist()}, "list", id="labels in a list"),
    pytest.param({"target": 4}, "4 classes", id="target out of range"),
    pytest.param({"y": Criterion(Y), "target": 1}, "one of them", id="criterion and target"),
    pytest.param({"eps": 8}, "8/255", id="budget of bytes"),
    pytest.param({"eps": -0.1}, "outside", id="negative budget"),
    pytest.param({"eps": [0.1, float("nan")]}, "nan", id="NaN budget"),
    pytest.param({"norm": "l3"}, "norm", id="unknown norm"),
    pytest.param({"keys": ["a"]}, "1 keys for 3", id="too few keys"),
    pytest.param({"model": linear().train()}, "training mode", id="training mode"),
    pytest.param({"model": lambda x: x.mean(dim=(1, 2, 3))}, "logits", id="no classes"),
    pytest.param({"model": lambda x: (MODEL(x),)}, "tuple", id="a tuple"),
    pytest.param({"model": lambda x: MODEL(x)[:, :1]}, "single class", id="one class"),
    pytest.param({"attack": PGD(steps=0)}, "Steps is 0", id="no steps"),
    pytest.param({"attack": PGD(loss="hinge")}, "hinge", id="unknown loss"),
    pytest.param({"attack": CarliniWagner(), "norm": "linf"}, "L2", id="another norm"),
    pytest.param({"attack": Typographic()}, "class names", id="no class names"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(given: dict[str, Any], says: str) -> None:
    """Each wrong input raises BadRequest and names what is wrong."""
    arguments: dict[str, Any] = {"attack": PGD(steps=1), "model": MODEL, "x": X, "y": Y, **given}
    attack = arguments.pop("attack")
    with pytest.raises(BadRequest, match=says):
        attack(arguments.pop("model"), arguments.pop("x"), arguments.pop("y"), **arguments)


def test_the_example_runs() -> None:
    """The example in the docstring gives what it shows."""
    failed, tried = doctest.testmod(base_module)
    assert tried
    assert not failed


def test_torch_may_be_imported_first() -> None:
    """In a fresh interpreter that has torch already, an attack works."""
    code = (
        "import torch; from capt_engine.attacks.fgsm import FGSM; f = lambda x: x.flatten(1)[:, :3]; "
        "x = torch.full((1, 3, 4, 4), 0.5); print(FGSM()(f, x, torch.tensor([0])).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch.Size([1, 3, 4, 4])"
