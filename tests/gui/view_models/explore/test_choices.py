"""The choices and the request they freeze into."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Bench
from fakes import CATALOGUE, EVERYDAY, IMAGENET, PHOTO_CLASSES, READY, SHAPES
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    AttackSpec,
    CheckClassesRequest,
    CheckWordsRequest,
    ClassesChecked,
    EngineFailed,
    EngineNote,
    Failure,
    JobFinished,
    JobId,
    PromptsInfo,
    UnknownWord,
    WordsChecked,
)
from capt_gui.settings import AttackSettings, Settings
from capt_gui.view_models.explore import class_check
from capt_gui.view_models.explore.choices import OWN, SUGGESTED, Choices
from capt_gui.view_models.model_choice import ModelChoice


@pytest.fixture
def choices() -> Choices:
    """Choices with the catalogue there."""
    made = Choices(ModelChoice(Settings(model="demo")))
    made.model.on_ready(CATALOGUE)
    return made


def test_lpips_is_measured_where_its_cheap_weights_are(choices: Choices) -> None:
    """AlexNet's without being asked, VGG16's never; a result without it does not look "made with other settings"."""
    before = choices.request(())
    assert before.options.lpips == ""
    choices.model.on_ready(replace(CATALOGUE, lpips=("vgg",)))
    assert choices.request(()).options.lpips == ""
    choices.model.on_ready(replace(CATALOGUE, lpips=("alex", "vgg")))
    assert choices.request(()).options.lpips == "alex"
    assert choices.made_with(before)


def test_choices_nobody_offers_fall_back() -> None:
    """A model, norm or prompt that is gone gives way to the first one that is there."""
    chosen = Settings(model="gone", prompts="lost", explore=AttackSettings("none", "l7"))
    choices = Choices(ModelChoice(chosen))
    choices.model.on_ready(CATALOGUE)
    assert (chosen.model, chosen.explore.attack, chosen.prompts) == ("demo", "pgd", "")
    assert choices.request(()).options.threat.norm == "linf"


def test_each_model_has_its_own_classes(choices: Choices) -> None:
    """Lists are kept per model; the suggestion itself is not stored."""
    assert choices.classes == SHAPES
    choices.set_classes(("cat", "dog"), "a drawing of a {}.")
    assert choices.request(()).options.classes == ("cat", "dog")
    choices.model.set_model("photos")
    assert (choices.classes, choices.request(()).options.classes) == (PHOTO_CLASSES, ())
    choices.model.set_model("demo")
    assert choices.template == "a drawing of a {}."
    choices.restore_classes()
    assert (choices.settings.classes, choices.settings.template) == ({}, {})
    choices.set_classes(SHAPES, "a render of a {}.")
    assert choices.settings.classes == {}


def test_a_list_that_ships_is_asked_about_and_kept_by_its_name(choices: Choices) -> None:
    """Its names go into the request, its id into the settings; what is written over it is the user's own."""
    assert choices.class_list == SUGGESTED
    choices.set_class_list("imagenet")
    assert (choices.class_list, choices.request(()).options.classes) == ("imagenet", IMAGENET)
    assert (choices.settings.class_list, choices.settings.classes) == ({"demo": "imagenet"}, {})
    assert choices.model.among(choices.classes) == "among ImageNet's 1,000 names"
    choices.set_classes(EVERYDAY, choices.template)
    assert (choices.class_list, choices.settings.class_list) == ("everyday", {"demo": "everyday"})
    choices.set_classes((*EVERYDAY, "emu"), choices.template)
    assert (choices.class_list, choices.settings.class_list) == (OWN, {})
    assert choices.model.among(choices.classes) == f"among 4 class names of your own ({', '.join(EVERYDAY)}, …)"
    assert choices.model.among(SHAPES) == f"among the {len(SHAPES)} class names of Demo CLIP (toy world)"
    choices.set_class_list(OWN)
    assert choices.classes == (*EVERYDAY, "emu")
    choices.set_class_list(SUGGESTED)
    assert (choices.classes, choices.settings.classes, choices.request(()).options.classes) == (SHAPES, {}, ())


def test_the_classes_are_those_of_the_prompts_that_are_chosen(choices: Choices) -> None:
    """Of several prompts that were tuned on the same classes, the verdict names the ones that answered."""
    night = ("cube by night", "cone by night")
    prompts = tuple(PromptsInfo(name, name, "", "demo", classes=night) for name in ("apt-night", "capt-night"))
    choices.model.on_ready(replace(CATALOGUE, prompts=prompts))
    choices.model.sides.set_b("capt-night")
    assert choices.model.among(night) == "among the 2 class names of capt-night"


def test_each_norm_has_its_own_budget(choices: Choices) -> None:
    """Changing the norm brings back the budget last used with it."""
    choices.attack.set_eps(8 / 255)
    choices.attack.set_norm("l2")
    assert choices.attack.eps == 0.5
    choices.attack.set_eps(1.0)
    choices.attack.set_norm("linf")
    assert choices.attack.eps == 8 / 255


def test_a_target_must_be_a_class(choices: Choices) -> None:
    """A target that is no longer in the list is no target."""
    choices.attack.set_target("cone")
    assert choices.request(()).options.threat.target == "cone"
    choices.set_classes(("cat", "dog"), "a {}.")
    assert choices.request(()).options.threat.target is None


def test_the_expert_form_and_the_knobs_are_one(choices: Choices) -> None:
    """Budget and steps are the same values in both places; the form's other values reach the request."""
    assert [param.name for param in choices.attack.expert_params()][:2] == ["eps", "steps"]
    assert choices.attack.expert_values() == ()
    choices.attack.set_expert_values((("eps", 3 / 255), ("steps", 7), ("loss", "margin"), ("seed", 5)))
    assert (choices.attack.eps, choices.attack.steps, choices.settings.seed) == (3 / 255, 7, 5)
    assert choices.request(()).attack == AttackSpec("pgd", (("loss", "margin"), ("steps", 7)))
    assert dict(choices.attack.expert_values()) == {"eps": 3 / 255, "steps": 7, "loss": "margin", "seed": 5}
    choices.attack.set_steps(10)
    assert choices.attack.values == (("loss", "margin"),)
    choices.attack.set_expert_values(())
    assert choices.request(()).attack == AttackSpec("pgd", ())


def test_problems_are_said(choices: Choices) -> None:
    """One class, or a template without its gap, cannot be run."""
    assert choices.problem() == ""
    choices.set_classes(("cat", "cat"), "a {}.")
    assert "two classes" in choices.problem()
    choices.set_classes(("cat", "dog"), "a cat.")
    assert "{}" in choices.problem()
    assert Choices(ModelChoice(Settings(model="demo"))).problem() == ""


def test_the_engine_is_waited_for_in_words(bench: Bench) -> None:
    """Until the engine is ready its notes are shown, then nothing; a failure is kept."""
    state = bench.desk.engine
    assert state.waiting_text.startswith("Starting the engine")
    bench.engine.emit(EngineNote("Loading torch"))
    assert state.waiting_text == "Waiting for the engine: loading torch…"
    bench.engine.emit(READY)
    assert (state.waiting_text, state.is_ready) == ("", True)
    bench.engine.emit(EngineFailed(Failure("DeviceProblem", "No torch.")))
    assert state.failure.message == "No torch."


def test_tokens_are_counted_after_a_pause(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the list that stands when the user pauses is sent; an answer to an older one is ignored."""
    monkeypatch.setattr(class_check, "DELAY_MS", 0)
    answers: list[ClassesChecked] = []
    bench.desk.tokens.checked.connect(answers.append)
    bench.engine.emit(READY)
    bench.desk.tokens.on_timeout()
    for name in ("d", "do", "dog"):
        bench.desk.choices.set_classes(("cat", name), "a {}.")
    bench.desk.tokens.on_timeout()
    bench.desk.tokens.on_timeout()
    assert bench.engine.requests == [
        CheckClassesRequest("demo", SHAPES, "a render of a {}."),
        CheckClassesRequest("demo", ("cat", "dog"), "a {}."),
    ]
    assert bench.engine.cancelled == [1]
    answer = ClassesChecked((4, 4), 32, (), ())
    bench.engine.emit(JobFinished(JobId(1), answer))
    assert answers == []
    bench.engine.emit(JobFinished(JobId(2), answer))
    QCoreApplication.processEvents()
    assert answers == [answer]


def test_words_are_looked_up_beside_the_tokens(bench: Bench, qtbot: QtBot) -> None:
    """The same list is asked about once more, for the worker that needs no model; the answer reaches the editor's side."""
    answers: list[WordsChecked] = []
    bench.desk.words.checked.connect(answers.append)
    bench.engine.emit(READY)
    bench.desk.choices.set_classes(("cat", "capybara"), "a {}.")
    bench.desk.words.on_choices_changed()
    qtbot.waitUntil(lambda: bool(bench.engine.requests), timeout=class_check.DELAY_MS + 5000)
    assert bench.engine.requests == [CheckWordsRequest("demo", ("cat", "capybara"), "a {}.")]
    answer = WordsChecked((UnknownWord("capybara", 78, ("capybara",)),))
    bench.engine.emit(JobFinished(JobId(1), answer))
    QCoreApplication.processEvents()
    assert answers == [answer]


def test_an_attack_brings_its_norms_and_goals(choices: Choices) -> None:
    """A norm that the attack cannot work with gives way; one with a budget of its own asks for no ε; some know no target."""
    shrinking = replace(CATALOGUE.attacks[0], name="cw", norms=("l2",))
    printed = replace(CATALOGUE.attacks[0], name="typographic", norms=(), can_target=False)
    choices.model.on_ready(replace(CATALOGUE, attacks=(*CATALOGUE.attacks, shrinking, printed)))
    choices.attack.set_target(choices.classes[0])
    assert "eps" in [param.name for param in choices.attack.expert_params()]
    choices.attack.set_attack("cw")
    assert choices.attack.norm_name == "l2"
    assert [norm.name for norm in choices.attack.norms] == ["l2"]
    choices.attack.set_attack("typographic")
    assert not choices.attack.has_budget
    assert choices.attack.target is None
    assert "eps" not in [param.name for param in choices.attack.expert_params()]
    choices.attack.set_attack("pgd")
    assert [norm.name for norm in choices.attack.norms] == ["linf", "l2"]
    assert choices.attack.target == choices.classes[0]


def test_on_which_pixels_an_attack_works_is_one_setting_for_all(choices: Choices) -> None:
    """Chosen in the Expert form, kept whatever the attack, told in the request, and back at the default where the form is emptied."""
    choices.attack.set_expert_values((("perturb", "original"), ("rounding", "8-bit")))
    choices.attack.set_norm("l2")
    threat = choices.request(("a.png",)).options.threat
    assert (threat.perturb, threat.rounding) == ("original", "8-bit")
    assert dict(choices.attack.expert_values()) == {"perturb": "original", "rounding": "8-bit"}
    choices.attack.set_expert_values(())
    threat = choices.request(("a.png",)).options.threat
    assert (threat.perturb, threat.rounding) == ("input", "none")
