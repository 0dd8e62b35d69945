"""Figures in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import CATALOGUE, PGD, make_row

from capt_engine.records import AttackInfo, AttackSpec, ThreatModel, Verdict
from capt_gui.view_models import formatting
from capt_gui.view_models.stops import effort_stops, strength_stops

LINF, L2 = CATALOGUE.norms


def test_headlines() -> None:
    """Changed, kept, without an attack, with a target reached and missed."""
    row = replace(
        make_row("a"),
        classes=("torus", "cone", "cube"),
        clean=Verdict((3.0, 1.0, 0.0), (0.98, 0.01, 0.01)),
        attacked=Verdict((1.0, 3.0, 0.0), (0.2, 0.71, 0.09)),
    )
    assert formatting.headline(row) == "torus 98.0 % → cone 71.0 %: changed at ε = 4/255"
    held = replace(row, attacked=Verdict((3.0, 1.0, 0.0), (0.91, 0.05, 0.04)))
    assert formatting.headline(held) == "still torus (91.0 %) at ε = 4/255"
    assert formatting.headline(replace(row, attacked=None)) == "torus 98.0 %"
    hit = replace(row, threat=ThreatModel(norm="l2", eps=0.5, target="cone"))
    assert formatting.headline(hit) == "torus 98.0 % → cone 71.0 %: target reached at ε = 0.5 (L2)"
    missed = replace(row, threat=ThreatModel(target="cube"))
    assert formatting.headline(missed).endswith("changed at ε = 4/255, but not to cube")


def test_a_budget_of_its_own_is_said_instead_of_eps() -> None:
    """Where no ball bound the attack, neither headline nor settings speak of ε, of a norm, or of no steps."""
    row = replace(
        make_row("a"),
        attack=AttackSpec("corruption"),
        steps=0,
        threat=ThreatModel(budget="Fog, severity 5 of 5"),
        classes=("torus", "cone"),
        clean=Verdict((3.0, 1.0), (0.98, 0.02)),
        attacked=Verdict((1.0, 3.0), (0.2, 0.8)),
    )
    assert formatting.headline(row) == "torus 98.0 % → cone 80.0 %: changed under Fog, severity 5 of 5"
    assert formatting.threat(row.threat) == "Fog, severity 5 of 5"
    assert formatting.settings_line(row, "demo", "Corruption") == "demo · Corruption, Fog, severity 5 of 5 · seed 0"


def test_an_answer_that_is_a_guess_is_said_to_be_one() -> None:
    """Below a fifth no name was likely; a list may lack the right one, whatever the likeliest name in it."""
    row = replace(make_row("a"), clean=Verdict((1.0, 0.0), (0.092, 0.05)))
    said = "No name was likelier than 9.2 %: the right one may not be in the list."
    assert formatting.unsure(row).replace("\u00a0", " ") == said
    assert formatting.unsure(replace(row, clean=Verdict((1.0, 0.0), (0.2, 0.1)))) == ""


def test_survival() -> None:
    """The most repeated surprise of the field is said: whether the attack outlives saving."""
    row = make_row("a")
    assert formatting.survival(row) == ""
    assert formatting.survival(replace(row, survives_png=False, survives_jpeg95=False)) == "lost once saved as PNG"
    assert formatting.survival(replace(row, survives_png=True)) == "survives PNG"
    assert formatting.survival(replace(row, survives_png=True, survives_jpeg95=False)) == "survives PNG, not JPEG"
    assert formatting.survival(replace(row, survives_png=True, survives_jpeg95=True)) == "survives PNG and JPEG"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.2, "almost done"),
        (12.3, "about 12 s left"),
        (600, "about 10 min left"),
        (9000, "about 2.5 h left"),
    ],
)
def test_remaining(seconds: float | None, words: str) -> None:
    """Remaining time in the unit a person would use."""
    assert formatting.remaining(seconds) == words


def test_count_line() -> None:
    """The count line, from nothing to done."""
    assert formatting.count_line(0, 0, 0, (0, 0)) == ""
    assert formatting.count_line(1, 0, 0, (0, 0)) == "1 picture"
    assert formatting.count_line(50, 19, 0, (7, 0)) == "19 of 50 · 7 changed"
    assert formatting.count_line(50, 19, 2, (7, 0)) == "19 of 50 · 7 changed · 2 unreadable"
    assert formatting.count_line(50, 19, 0, (7, 0), fooled=(5, 0)) == "19 of 50 · 5 fooled"
    assert formatting.count_line(50, 19, 0, (7, 2), fooled=(5, 1), compared=19) == "19 of 50 · fooled: A 5, B 1"


def test_strength_stops() -> None:
    """Six stops for L∞, stops around the first budget for other norms, and one of its own for a budget between."""
    assert [label for label, _ in strength_stops(LINF, 4 / 255)] == [
        "ε = 0.5/255", "ε = 1/255", "ε = 2/255", "ε = 4/255", "ε = 8/255", "ε = 16/255",
    ]  # fmt: skip
    assert (("ε = 3/255", 3 / 255)) in strength_stops(LINF, 3 / 255)
    values = [value for _, value in strength_stops(L2, 0.5)]
    assert values == sorted(values)
    assert 0.5 in values
    assert max(values) <= L2.high_eps


def test_effort_stops() -> None:
    """Stops within what the attack allows; none for an attack without steps."""
    assert [value for _, value in effort_stops(PGD, 10)] == [1, 5, 10, 20, 50, 100]
    assert [value for _, value in effort_stops(PGD, 7)] == [1, 5, 7, 10, 20, 50, 100]
    assert effort_stops(AttackInfo("fgsm", "FGSM", "", ()), 0) == []


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ("cpu", "the processor"),
        ("cuda:1", "the graphics card"),
        ("cpu, cuda", "the processor, the graphics card"),
        ("xpu", "xpu"),
    ],
)
def test_devices_are_said_in_words(kinds: str, words: str) -> None:
    """Each that a result names; one that has no words keeps its name."""
    assert formatting.devices(kinds) == words
