"""What holds for every attack, under every norm, whether it flees a class or seeks one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from capt_engine.attacks import ATTACKS, attack_info
from capt_engine.attacks.base import (
    KNOWLEDGE,
    LINF,
    NORMS,
    Attack,
    LogitsFn,
    Norm,
    PictureRngs,
    Threat,
    check_fits,
)
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.errors import BadRequest, Cancelled
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import no_progress
from capt_engine.records import ParamValue
from capt_engine.registry import build, describe

Pixels = Callable[..., Tensor]

BUDGETS = {"linf": 8 / 255, "l2": 0.5}
BRIEF: dict[str, ParamValue] = {
    "steps": 4,
    "restarts": 2,
    "queries": 16,
    "probes": 4,
    "targets": 2,
    "places": 2,
    "turns": 3,
    "shifts": 2,
}


def honoured(attack: type[Attack]) -> list[Norm]:
    """The norms an attack keeps to; any one of them, which it must ignore, for an attack with a budget of its own."""
    return [NORMS[name] for name in attack.norms] or [LINF]


CASES = [
    case
    for attack in ATTACKS
    for case in itertools.product([attack], honoured(attack), (False, True)[: 1 + (not attack.untargeted_only)])
]
IN_A_BALL = [case for case in CASES if case[0].norms]
SEARCHING = [case for case in CASES if case[0].knowledge != "nothing"]


def spelled(case: tuple[type[Attack], Norm, bool]) -> str:
    """A case as it is shown by pytest."""
    attack, norm, targeted = case
    return f"{attack.name}-{norm.name}-{'targeted' if targeted else 'untargeted'}"


def brief(attack: type[Attack]) -> Attack:
    """The attack with few steps and, where it can, two restarts: enough to go through every line."""
    known = {info.name for info in describe(attack)}
    return build(attack, tuple((name, value) for name, value in BRIEF.items() if name in known))


class Named:
    """A model of the test's own, with the names of its seven classes, which some attacks print."""

    classes = ("cat", "dog", "cow", "hen", "fox", "owl", "bee")

    def __init__(self, logits: LogitsFn) -> None:
        self._logits = logits

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (n, 7)."""
        return self._logits(images)

    def forward(self, images: Tensor) -> Output:
        """Logits, and as embeddings the logits again, for attacks that look at those."""
        logits = self._logits(images)
        return Output(logits, logits)


class Case:
    """An attack on the tiny classifier, with nine pictures and what is wanted of them."""

    def __init__(self, attack: type[Attack], norm: Norm, targeted: bool, model: Classifier, pixels: Pixels) -> None:
        self.attack = brief(attack)
        self.model = model
        self.threat = Threat(norm, BUDGETS[norm.name], targeted)
        self.images = pixels(9)
        with torch.no_grad():
            clean = model(self.images)
        # A target is the runner-up, so that the way to it is never closed.
        self.labels = clean.topk(2).indices[:, 1 if targeted else 0]

    def run(
        self,
        order: list[int] | None = None,
        *,
        seed: int = 0,
        threat: Threat | None = None,
        progress: Callable[..., None] = no_progress,
    ) -> Tensor:
        """The attacked pictures of `order`; each has a stream of its own, named by its place among the nine."""
        chosen = list(range(9)) if order is None else order
        rngs = PictureRngs.of(seed, [f"picture {i}" for i in chosen])
        return self.attack.run(
            self.model, self.images[chosen], self.labels[chosen], threat or self.threat, rngs, progress
        )

    def label_margin(self, images: Tensor) -> Tensor:
        """The margin that an attack may only lower, (n,): of the label, or of all other classes over the target."""
        with torch.no_grad():
            lost = adversarial_margin(self.model(images), self.labels)
        return lost if self.threat.targeted else -lost


@pytest.fixture(params=CASES, ids=spelled)
def case(request: pytest.FixtureRequest, tiny_classifier: Classifier, pixels: Pixels) -> Case:
    """Every attack, under every norm it honours, untargeted and targeted."""
    return Case(*request.param, tiny_classifier, pixels)


in_a_ball = pytest.mark.parametrize("case", IN_A_BALL, ids=spelled, indirect=True)
searching = pytest.mark.parametrize("case", SEARCHING, ids=spelled, indirect=True)


def test_every_attack_says_what_binds_it_and_what_it_asks() -> None:
    """It keeps to the ball of known norms, or tells a budget of its own in words, never both; and it asks one of the known things."""
    for attack in ATTACKS:
        assert set(attack.norms) <= set(NORMS.names())
        assert attack.knowledge in KNOWLEDGE
        built = attack()
        assert bool(built.budget) != bool(attack.norms), attack.name


@pytest.mark.parametrize("attack", list(ATTACKS), ids=lambda attack: attack.name)
def test_what_does_not_fit_is_refused_with_a_sentence(attack: type[Attack]) -> None:
    """A norm that is not its own, and a target where it takes none; all else fits."""
    for norm, targeted in itertools.product(NORMS, (False, True)):
        threat = Threat(norm, 0.1, targeted)
        if (attack.norms and norm.name not in attack.norms) or (targeted and attack.untargeted_only):
            with pytest.raises(BadRequest, match=re.escape(attack.label)):
                check_fits(attack(), threat)
        else:
            check_fits(attack(), threat)


def test_stays_in_the_ball_and_in_the_picture(case: Case) -> None:
    """No further than eps from the clean picture, every value in [0, 1], and no NaN, also for a budget beyond any picture."""
    for eps in (case.threat.eps, case.threat.norm.high_eps):
        attacked = case.run(threat=replace(case.threat, eps=eps))
        assert attacked.shape == case.images.shape
        assert attacked.isfinite().all()
        assert attacked.min() >= 0
        assert attacked.max() <= 1
        if case.attack.norms:
            assert case.threat.norm.norm(attacked.double() - case.images.double()).max() <= eps + 1e-6


@searching
def test_never_helps_the_model(case: Case) -> None:
    """No picture ends better off than it began, and together they are strictly worse off."""
    before, after = case.label_margin(case.images), case.label_margin(case.run())
    assert (after <= before + 1e-5).all()
    # An attack that hears only answers gets nowhere in the few queries of these tests; its own test file shows that it does in more.
    assert after.mean() < before.mean() or case.attack.knowledge == "decisions"


def test_same_seed_same_pictures(case: Case) -> None:
    """A run can be repeated bit for bit, and neither reads nor moves torch's global stream."""
    state = torch.random.get_rng_state()
    first = case.run()
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(17)
    assert torch.equal(case.run(), first)
    torch.random.set_rng_state(state)


@in_a_ball
def test_no_budget_no_change(case: Case) -> None:
    """With eps 0 the picture comes back bit for bit."""
    assert torch.equal(case.run(threat=replace(case.threat, eps=0.0)), case.images)


def test_company_changes_nothing(case: Case) -> None:
    """A picture's attacked double is the same alone, in a batch of three, of seven, and in any order."""
    together = case.run()
    for order in ([4], [4, 0, 8], [8, 7, 6, 5, 4, 3, 2]):
        assert torch.equal(case.run(order), together[order]), order


def test_company_changes_nothing_on_two_threads(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """How the work is split between threads does not show in the pictures either."""
    case = Case(*CASES[0], tiny_classifier, pixels)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together = case.run()
        assert torch.equal(case.run([8, 4, 2]), together[[8, 4, 2]])
    finally:
        torch.set_num_threads(before)


def test_leaves_the_model_and_the_pictures_alone(case: Case) -> None:
    """Weights, their gradients and the given pictures are what they were; the result carries no graph."""
    clip = case.model.backbone.clip
    weights = {name: value.clone() for name, value in clip.state_dict().items()}
    images, labels = case.images.clone(), case.labels.clone()
    attacked = case.run()
    assert torch.equal(case.images, images)
    assert torch.equal(case.labels, labels)
    assert not case.images.requires_grad
    assert not attacked.requires_grad
    assert attacked.data_ptr() != case.images.data_ptr()
    assert all(torch.equal(value, weights[name]) for name, value in clip.state_dict().items())
    assert all(weight.grad is None for weight in clip.parameters())


def test_gradients_stay_out_of_trainable_weights(case: Case) -> None:
    """Also a model that is in training gets no gradient from being attacked."""
    layer = torch.nn.Linear(3 * 24 * 24, 7)
    case.attack.run(
        Named(lambda images: layer(images.flatten(1))),
        case.images,
        case.labels,
        case.threat,
        PictureRngs.of(0, [str(i) for i in range(9)]),
        no_progress,
    )
    assert layer.weight.grad is None
    assert layer.bias.grad is None


@searching
def test_a_flat_model_leaves_the_picture(case: Case) -> None:
    """Where no change of the picture changes the answer, nothing is won, and nothing becomes NaN."""
    attacked = case.attack.run(
        Named(lambda images: images.flatten(1)[:, :7] * 0),
        case.images,
        case.labels,
        case.threat,
        PictureRngs.of(0, [str(i) for i in range(9)]),
        no_progress,
    )
    assert torch.equal(attacked, case.images)


def test_ticks_are_as_many_as_announced(case: Case) -> None:
    """`work` is the number of ticks where nothing gives way, fewer where all did; progress never runs back or past the end."""
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int, note: str) -> None:
        assert note
        seen.append((done, total))

    case.run(progress=progress)
    assert [done for done, _ in seen] == list(range(len(seen)))
    assert {total for _, total in seen} == {case.attack.work}
    seen.clear()
    stubborn = Named(lambda images: images.flatten(1)[:, :7] * 0 + torch.eye(7)[0])
    labels = torch.full_like(case.labels, 1 if case.threat.targeted else 0)
    rngs = PictureRngs.of(0, [str(i) for i in range(9)])
    case.attack.run(stubborn, case.images, labels, case.threat, rngs, progress)
    assert seen == [(done, case.attack.work) for done in range(case.attack.work)]


def test_stops_at_the_tick_that_says_so(case: Case) -> None:
    """Whichever tick raises Cancelled, first, middle or last, is the last one, and the model is not asked again."""
    whole: list[str] = []
    case.run(progress=lambda *_: whole.append("tick"))
    for stop_at in sorted({1, (len(whole) + 1) // 2, len(whole)}):
        calls: list[str] = []

        def progress(*_: object, calls: list[str] = calls, stop_at: int = stop_at) -> None:
            calls.append("tick")
            if calls.count("tick") == stop_at:
                raise Cancelled

        def model(images: Tensor, calls: list[str] = calls) -> Tensor:
            calls.append("model")
            return case.model(images)

        rngs = PictureRngs.of(0, [f"picture {i}" for i in range(9)])
        with pytest.raises(Cancelled):
            case.attack.run(Named(model), case.images, case.labels, case.threat, rngs, progress)
        assert calls.count("tick") == stop_at
        assert calls[-1] == "tick"


@pytest.mark.parametrize("attack", list(ATTACKS), ids=lambda attack: attack.name)
def test_describes_itself_and_is_built_from_its_description(attack: type[Attack]) -> None:
    """Every setting has a label and a help text, and building from the defaults gives the defaults."""
    info = attack_info(attack)
    assert (info.name, info.params) == (attack.name, describe(attack))
    assert info.label
    assert info.summary.endswith(".")
    assert all(param.label and param.help.endswith(".") for param in info.params)
    assert build(attack, tuple((param.name, param.default) for param in info.params)) == attack()
    assert ATTACKS[attack.name] is attack
