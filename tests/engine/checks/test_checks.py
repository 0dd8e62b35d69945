"""The evaluation doubts itself: a healthy model passes every check, and each planted fault is caught by the check that is named for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.checks.context import CheckContext
from capt_engine.checks.subset import Subset, logits_of
from capt_engine.checks.table import CHECKS, FEWEST, TOO_FEW, Finding, in_order
from capt_engine.evaluation.checks import LIVE, run_checks
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import Progress, no_progress
from capt_engine.records import Check
from capt_engine.registry import param
from capt_engine.wrappers.remembered import Remembered, remembered
from tests.engine.checks.planted import After, Linear, pictures, subset

THREAT = Threat(eps=0.05)
ATTACK = PGD(steps=8)


OF_A_CLIP = ("normalised", "gradient-signs")


def statuses(
    model: nn.Module | Classifier,
    *,
    attack: Attack = ATTACK,
    images: Tensor | None = None,
    full: bool = True,
    frozen: LogitsFn | None = None,
) -> dict[str, Check]:
    """The live checks of a model on the pictures of the healthy one, by name."""
    given, labels = pictures(Linear())
    seen = subset(model, given if images is None else images, labels)  # type: ignore[arg-type]
    return {one.name: one for one in run_checks(CheckContext(seen, attack, THREAT, full, frozen, frozen))}


def test_a_healthy_model_passes_every_check() -> None:
    """A linear model, its undefended twin beside it, and PGD: all that can be made is made, and passes."""
    made = statuses(After(Linear()).eval(), frozen=Linear(seed=0))
    found = {name: one.status for name, one in made.items()}
    # Only a CLIP can be asked how it was trained to be normalised, and only another precision than fp32 how it rounds: they have tests
    # of their own.
    assert {found.pop(name) for name in OF_A_CLIP} == {"not_run"}
    assert set(found.values()) == {"pass"}, {name: one for name, one in made.items() if one.status == "fail"}
    assert len(found) == len(LIVE) - 2


def test_the_page_on_evaluation_says_which_checks_are_rates() -> None:
    """Its table names every check once, and calls a rate a rate."""
    page = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text("utf-8")
    kinds = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (rate|law) \|", page, re.M))
    about_data = {"labels-known", "enough-pictures"}
    assert kinds == {one.name: "rate" if one.is_rate else "law" for one in CHECKS if one.name not in about_data}


def test_shares_of_too_few_pictures_are_not_judged() -> None:
    """With one picture less than a share needs every rate was not run, and says so; every law speaks as before."""
    images, labels = pictures(Linear(), FEWEST - 1)
    context = CheckContext(subset(After(Linear()).eval(), images, labels), ATTACK, THREAT, True, Linear(), Linear())
    for one in run_checks(context):
        if CHECKS[one.name].is_rate and one.name != "loss-rises":
            assert (one.status, one.value, one.shown) == ("not_run", None, TOO_FEW), one
        elif one.name not in OF_A_CLIP:
            # The steps along a gradient are counted, not the pictures: five of each.
            assert one.status == "pass", one


class Shaken(nn.Module):
    """A defence by noise: adds some to the logits at every pass."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Linear()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, k)."""
        logits = self.inner(images)
        return logits + 0.01 * torch.randn(logits.shape)


def in_training(fault: nn.Module) -> nn.Module:
    """A model in training mode."""
    return After(Linear(), pixels=fault).train()


FAULTS: list[Any] = [
    pytest.param(After(Linear(), logits=torch.round), "gradient-there", id="quantised logits"),
    pytest.param(After(Linear(), logits=lambda z: 5 * torch.tanh(1e4 * z)), "gradient-there", id="saturated logits"),
    pytest.param(After(Linear(), logits=torch.Tensor.detach), "gradient-there", id="detached logits"),
    pytest.param(Shaken(), "deterministic", id="random model"),
    pytest.param(in_training(nn.Dropout(0.2)), "eval-mode", id="dropout in train mode"),
    pytest.param(in_training(nn.BatchNorm2d(3)), "batch-alone", id="batch norm in train mode"),
    pytest.param(After(Linear(), logits=lambda z: z.softmax(dim=1)), "logits", id="softmaxed model"),
]


@pytest.mark.parametrize(("model", "name"), FAULTS)
def test_a_planted_fault_is_caught_by_its_check(model: nn.Module, name: str) -> None:
    """Each fault fails the check named for it, at the level that costs little."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = statuses(model, full=False)
    assert found[name].status == "fail", found[name]
    assert found[name].message.startswith(CHECKS[name].why)


def test_masked_gradients_raise_more_alarms_than_one() -> None:
    """Where logits are coarse, the attack has no gradient, so noise is no weaker and Square finds more: two alarms beside the named one."""
    coarse = After(Linear(), logits=lambda z: (z * 20).round() / 20)
    found = statuses(coarse, attack=PGD(steps=8, random_start=False))
    for name in ("noise-weaker", "black-box-weaker"):
        assert found[name].status == "fail", found[name]


@pytest.mark.parametrize(("scale", "shift"), [(255.0, 0.0), (2.0, -1.0)])
def test_pixels_of_another_scale_are_caught(scale: float, shift: float) -> None:
    """Pictures from 0 to 255, or from −1 to 1, are not what ε is measured in."""
    images, _ = pictures(Linear())
    found = statuses(Linear(), images=images * scale + shift, full=False)
    assert found["pixels"].status == "fail"


class Flipped(Classifier):
    """A CLIP whose gradient has the other sign where it is rounded."""

    def forward(self, images: Tensor) -> Output:
        """The logits, the other way round in any precision but fp32."""
        found = super().forward(images)
        return found if self.precision == "fp32" else Output(-found.logits, found.features)


def test_rounding_that_turns_gradients_is_caught(tiny_classifier: Classifier, pixels: Any) -> None:
    """The tiny CLIP in bf16 follows the gradient of fp32; one that does not is named, with the share of signs."""
    images, labels = pixels(6), torch.zeros(6, dtype=torch.long)
    for kind, status in ((Classifier, "pass"), (Flipped, "fail")):
        model = kind(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template, precision="bf16")
        seen = Subset("", model, images, labels, tuple("abcdef"), 0, logits_of(model, images), no_progress)
        found = {one.name: one for one in run_checks(CheckContext(seen, ATTACK, THREAT, False))}["gradient-signs"]
        assert found.status == status, found
        assert found.shown.endswith("of the signs")


def test_a_model_that_is_normalised_wrongly_is_caught(tiny_classifier: Classifier, pixels: Any) -> None:
    """The tiny CLIP passes; with its mean and deviation left out, or applied twice, it does not."""
    images = pixels(6)

    def status(model: Classifier) -> str:
        labels = torch.zeros(6, dtype=torch.long)
        seen = Subset("", model, images, labels, tuple("abcdef"), 0, logits_of(model, images), no_progress)
        return {one.name: one.status for one in run_checks(CheckContext(seen, ATTACK, THREAT, False))}["normalised"]

    backbone = tiny_classifier.backbone
    assert status(tiny_classifier) == "pass"
    for mean, std in ((0 * backbone.mean, backbone.std / backbone.std), (backbone.mean * 2, backbone.std**2)):
        wrong = replace(backbone, mean=mean, std=std)
        assert status(Classifier(wrong, tiny_classifier.classes, tiny_classifier.template)) == "fail"


def test_a_memory_of_answers_changes_no_check(
    tiny_classifier: Classifier, pixels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With answers kept the checks find the same and ask the model less; a memory of another model is not used."""
    images, keys = pixels(6), tuple("abcdef")
    labels = logits_of(tiny_classifier, images).argmax(dim=1)
    asked = []
    plain = Classifier.forward

    def counted(self: Classifier, given: torch.Tensor) -> Output:
        asked[-1] += len(given)
        return plain(self, given)

    monkeypatch.setattr(Classifier, "forward", counted)
    model = Classifier(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template)
    other = Classifier(tiny_classifier.backbone, [f"other {one}" for one in model.classes], "a {}.")
    found = []
    for memory in (None, remembered(model), remembered(other)):
        assert memory is None or isinstance(memory, Remembered)
        asked.append(0)
        clean = logits_of(model if memory is None or memory.inner is other else memory, images)
        seen = Subset("", model, images, labels, keys, 0, clean, no_progress, memory=memory)
        found.append(run_checks(CheckContext(seen, ATTACK, THREAT, False)))
    assert found[0] == found[1] == found[2]
    assert asked[1] < asked[0] == asked[2]


class Rippled(nn.Module):
    """Pixels with a ripple on them, too fine for any step."""

    def forward(self, images: Tensor) -> Tensor:
        """Pixels, and a little more or less of each."""
        return images + 0.01 * torch.sin(2e4 * images)


@dataclass(frozen=True)
class Lucky(Attack):
    """An attack that only looks where a restart begins: at the first the picture itself, then ever further along the gradient."""

    name: ClassVar[str] = "lucky"
    label: ClassVar[str] = "Lucky"
    summary: ClassVar[str] = ""
    knowledge: ClassVar[str] = "gradients"
    norms: ClassVar[tuple[str, ...]] = ("linf", "l2")
    work: ClassVar[int] = 1
    restarts: int = param(1, "Restarts", low=1, high=9)

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """One long step in the last of several restarts."""
        return PGD(steps=1, step_size=(self.restarts - 1) * threat.eps, random_start=False).run(
            model, images, labels, replace(threat, eps=threat.eps if self.restarts > 1 else 0.0), rngs, progress
        )


@dataclass(frozen=True)
class Idle(Attack):
    """An attack that does nothing, or steps the wrong way."""

    name: ClassVar[str] = "idle"
    label: ClassVar[str] = "Idle"
    summary: ClassVar[str] = ""
    knowledge: ClassVar[str] = "gradients"
    norms: ClassVar[tuple[str, ...]] = ("linf", "l2")
    work: ClassVar[int] = 1
    step: float = 0.0

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """The pictures, or what the model likes better."""
        del labels, rngs, progress
        wanted = images.clone().requires_grad_(True)
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(model(wanted).amax(dim=1).sum(), wanted)
        return (images + self.step * threat.eps * gradient.sign()).clamp(0, 1)


@pytest.mark.parametrize("step", [0.0, 1.0], ids=["does nothing", "climbs the wrong way"])
def test_an_attack_that_does_not_work_is_caught(step: float) -> None:
    """It is no stronger than noise, weaker than one step, and misses the flaw that is known to be there."""
    found = statuses(After(Linear()), attack=Idle(step))
    for name in ("noise-weaker", "one-step-weaker", "hidden-flaw", "huge-budget", "black-box-weaker"):
        assert found[name].status == "fail", found[name]


def test_a_gradient_that_leads_nowhere_is_caught() -> None:
    """A ripple far finer than the budget hides the way: the gradient is there and large, and small steps along it go up and down."""
    rippled = After(Linear(), pixels=Rippled())
    found = statuses(rippled, full=False)
    assert found["gradient-there"].status == "pass"
    assert found["loss-rises"].status == "fail", found["loss-rises"]


def test_an_attack_with_too_few_restarts_is_caught() -> None:
    """Twice the restarts are tried too, and reported apart from twice the steps."""
    found = statuses(After(Linear()), attack=Lucky())
    assert found["doubled-steps"].status == "fail", found["doubled-steps"]
    assert "with 2 restarts instead of 1" in found["doubled-steps"].message


def test_an_attack_that_is_too_short_is_caught() -> None:
    """With one small step twice as many find more."""
    found = statuses(After(Linear()), attack=PGD(steps=1, step_size=0.02, random_start=False))
    assert found["doubled-steps"].status == "fail", found["doubled-steps"]


def test_what_was_not_made_says_why() -> None:
    """Without full the dear ones say how to have them; without an attack that follows gradients all about it say so."""
    cheap = statuses(Linear(), full=False)
    assert cheap["hidden-flaw"].status == "not_run"
    assert "--checks full" in cheap["hidden-flaw"].message
    seen = subset(Linear(), *pictures(Linear()))
    none = {one.name: one for one in run_checks(CheckContext(seen, None, THREAT, True))}
    assert none["noise-weaker"].status == none["gradient-there"].status == "not_run"
    assert none["deterministic"].status == "pass"


def test_checks_come_in_the_order_of_the_table_and_the_worst_answer_stands() -> None:
    """One of each name; a failure beats a pass, a pass beats what was not run."""
    spec = CHECKS["deterministic"]
    good, bad, none = spec.result(Finding(True, 0, "0")), spec.result(Finding(False, 1, "1")), spec.result("No time.")
    for given, expected in (((good, bad), bad), ((bad, good), bad), ((none, good), good), ((none,), none)):
        found = in_order(*[(one,) for one in given])
        assert [one.name for one in found] == list(CHECKS.names())
        assert found[CHECKS.names().index("deterministic")] == expected
