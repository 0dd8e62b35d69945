"""What a run is asked for: the suite, one attack, how far, on how many, and what is shared with the Explore page."""

from __future__ import annotations

import acted_data
import pytest
from conftest import Bench
from fakes import EVERYDAY, READY, TWO_SIDES
from PySide6.QtCore import QCoreApplication

from capt_engine import records as r
from capt_gui.settings import Settings
from capt_gui.view_models.attack_choice import CLEAN_ONLY
from capt_gui.view_models.evaluate.choices import EvaluateChoices


@pytest.fixture
def choices(bench: Bench) -> EvaluateChoices:
    """The choices, with a catalogue and 240 pictures of three classes there."""
    bench.engine.emit(READY)
    data = bench.desk.evaluation.data
    data.take(["/data/toys"])
    job = r.JobId(len(bench.engine.requests))
    bench.engine.emit(r.JobFinished(job, acted_data.found({"cat": 80, "dog": 80, "emu": 80})))
    QCoreApplication.processEvents()
    return bench.desk.evaluation.choices


def test_a_suite_is_asked_for_as_the_terminal_asks(choices: EvaluateChoices) -> None:
    """Its attacks one after the other, on at most 200 pictures, with cheap checks, among the classes of the data."""
    request = choices.request("/runs/1")
    assert request == r.EvaluateRequest(
        data="/data/toys",
        attacks=(),
        suite="quick",
        skip_broken=True,
        limit=200,
        checks="cheap",
        options=r.RunOptions(model="demo", threat=r.ThreatModel(eps=4 / 255), keep="/runs/1"),
    )
    assert choices.problem() == ""
    assert choices.cost_text().startswith("200 pictures × 2 attacks.")
    assert choices.interval_text() == "Figures are known to ± 6.9 points or better."


def test_answers_can_be_chosen_among_a_list_that_ships(choices: EvaluateChoices) -> None:
    """Its names are asked and are the targets of an attack; with other data the classes of the data are back."""
    assert choices.request().options.classes == ()
    choices.set_class_list("everyday")
    assert (choices.class_list, choices.request().options.classes) == ("everyday", EVERYDAY)
    assert choices.attack.targets == EVERYDAY
    choices.data.place = "/data/others"
    assert (choices.class_list, choices.request().options.classes) == ("", ())
    assert choices.attack.targets == ("cat", "dog", "emu")


def test_one_attack_has_its_own_form(choices: EvaluateChoices) -> None:
    """Its settings are kept for it alone; the suites' form has none of them."""
    choices.attack.set_attack("pgd")
    assert [param.name for param in choices.attack.expert_params()][:3] == ["eps", "steps", "step_size"]
    choices.attack.set_expert_values((("steps", 50), ("seed", 3)))
    request = choices.request()
    assert request.attacks == (r.AttackSpec("pgd", (("steps", 50),)),)
    assert request.suite == ""
    assert not request.skip_broken
    assert request.options.seed == 3
    assert choices.attack.steps == 50
    choices.attack.set_steps(10)
    assert choices.request().attacks == (r.AttackSpec("pgd"),)
    choices.attack.set_attack("quick")
    assert [param.name for param in choices.attack.expert_params()] == [
        "eps",
        "every_picture",
        "perturb",
        "rounding",
        "seed",
    ]
    choices.attack.set_expert_values((("every_picture", True),))
    assert not choices.request().skip_broken


def test_a_curve_goes_until_chance(choices: EvaluateChoices) -> None:
    """The budgets of the terminal's curve; pictures that broke once are not attacked again."""
    choices.set_curve(True)
    request = choices.request()
    assert request.curve == r.until_chance(4 / 255, "linf")
    assert request.until_chance
    assert request.skip_broken
    assert request.headline == 4 / 255
    assert "up to 9 budgets" in choices.cost_text()
    choices.attack.set_eps(0.0)
    assert not choices.curve
    choices.attack.set_attack("corruptions")
    assert not choices.can_curve


def test_nobody_attacks_in_bad_weather(choices: EvaluateChoices) -> None:
    """Corruptions have no budget, and what they cost is certain; so is a clean run."""
    choices.attack.set_attack("corruptions")
    assert choices.attack.is_corruption_table
    assert not choices.attack.has_budget
    assert choices.cost_text() == "200 pictures: 15,200 forward passes and the checks."
    assert not choices.request().skip_broken
    choices.attack.set_attack(CLEAN_ONLY)
    assert choices.request().all_attacks == ()
    choices.set_checks("off")
    assert choices.cost_text() == "200 pictures: 200 forward passes."
    choices.attack.set_attack("no such thing")
    assert choices.problem() == "Choose a test"


def test_budget_prompts_and_seed_are_those_of_the_explore_page(bench: Bench, choices: EvaluateChoices) -> None:
    """One setting, whichever page changes it."""
    choices.attack.set_eps(2 / 255)
    assert bench.desk.choices.attack.eps == 2 / 255
    bench.desk.choices.attack.set_eps(8 / 255)
    assert choices.request().options.threat.eps == 8 / 255
    bench.engine.emit(TWO_SIDES)
    QCoreApplication.processEvents()
    bench.desk.model.sides.set_b("toy-capt")
    bench.desk.model.sides.set_aim("a")
    request = choices.request()
    assert (request.options.prompts, request.options.compare, request.options.aim) == (None, "toy-capt", "a")
    assert "2 sets of prompts" in choices.cost_text()
    choices.attack.set_expert_values((("seed", 7), ("rounding", "8-bit")))
    assert bench.settings.seed == 7
    assert bench.settings.rounding == choices.request().options.threat.rounding == "8-bit"
    # Nobody attacks in bad weather, and what was chosen for attacks waits for the next one.
    choices.attack.set_attack("corruptions")
    assert "rounding" not in [param.name for param in choices.attack.expert_params()]
    assert choices.request().options.threat.rounding == "none"
    choices.attack.set_expert_values((("seed", 8),))
    choices.attack.set_attack("quick")
    assert choices.request().options.threat.rounding == "8-bit"


def test_target_and_template_belong_to_the_data(choices: EvaluateChoices) -> None:
    """A class of the data can be the goal; the data's own template is sent as no choice at all."""
    choices.attack.set_target("dog")
    assert choices.request().options.threat.target == "dog"
    choices.attack.set_target("zebra")
    assert choices.request().options.threat.target is None
    assert choices.template == "a {}."
    choices.set_template("a {}.")
    assert choices.request().options.template == ""
    choices.set_template("my {}.")
    assert choices.request().options.template == "my {}."
    choices.set_template("nothing")
    assert choices.problem() == "The template needs {} where the class goes"


def test_the_limit_stops_where_the_pictures_end(choices: EvaluateChoices) -> None:
    """Stops below what there is, and then all of them; a limit above is all."""
    assert [label for label, _ in choices.limits()] == ["20", "50", "100", "200", "all 240"]
    choices.set_limit(1000)
    assert choices.limit == 0
    assert choices.request().limit == 0
    assert choices.pictures == choices.drawn == 240
    choices.set_limit(50)
    assert choices.pictures == 50
    choices.set_limit(70)
    assert ("70", 70) in choices.limits()
    choices.set_limit(-1)
    assert choices.request().limit == 0


def test_norms_follow_the_attack(choices: EvaluateChoices) -> None:
    """A suite works with every norm; the budget is kept for each."""
    choices.attack.set_norm("l2")
    assert choices.request().options.threat == r.ThreatModel(norm="l2", eps=0.5)
    assert [norm.name for norm in choices.attack.norms] == ["linf", "l2"]


def test_choices_outlive_the_window(choices: EvaluateChoices) -> None:
    """They are settings, but for what belongs to the data; levels that nobody knows fall back."""
    choices.attack.set_attack("standard")
    choices.set_checks("full")
    choices.set_limit(500)
    assert (choices.settings.attack, choices.settings.limit) == ("standard", 500)
    assert choices.checks == "full"
    choices.settings.checks = "paranoid"
    assert choices.checks == "cheap"
    assert Settings().evaluate.attack == "quick"
