"""The choices of the window as a session keeps them: a stranger's are read as far as they fit, and change only what is a session's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import acted_evaluation as acted
from conftest import Bench

from capt_engine import records as r
from capt_gui.view_models.evaluate.tally import EvaluateTally
from capt_gui.view_models.session import pictures, window_state
from capt_gui.view_models.session.window_state import Shown


def test_choices_come_back(bench: Bench) -> None:
    """Model, prompts, attack, budget, classes and seed; what belongs to the user stays as it is."""
    desk, settings = bench.desk, bench.settings
    settings.report_redact, settings.theme, settings.seed = True, "dark", 7
    desk.choices.set_classes(("cat", "dog"), "my {}.")
    settings.explore.expert["pgd"] = {"steps": 3}
    kept = json.loads(json.dumps(window_state.plain(window_state.of(desk))))
    settings.seed, settings.report_redact, settings.theme = 0, False, "light"
    settings.explore.expert.clear()
    desk.choices.restore_classes()
    held = settings.explore
    window_state.choose(desk, window_state.read(kept))
    assert (settings.seed, settings.explore.expert, desk.choices.classes) == (7, {"pgd": {"steps": 3}}, ("cat", "dog"))
    assert settings.explore is held
    assert (settings.report_redact, settings.theme) == (False, "light")


def test_what_fits_nothing_is_left_at_its_default(bench: Bench) -> None:
    """Numbers beyond what controls hold, and values of another kind; the window takes the rest."""
    values = {
        "chosen": {"seed": 10**12, "eps": {"linf": "x"}, "explore": [], "norm": 3, "rounding": "8-bit"},
        "views": 3,
    }
    state = window_state.read(values)
    assert (state.chosen.seed, state.chosen.eps, state.views) == (0, {}, {})
    window_state.choose(bench.desk, state)
    assert bench.settings.rounding == "8-bit"
    assert bench.settings.model == "demo"


def test_an_evaluation_comes_back(tmp_path: Path) -> None:
    """Request, result and counts; only a run in the own folder can be reported, so another one's folder is forgotten."""
    tally = EvaluateTally(4 / 255)
    rows = [one for one in acted.quick() if isinstance(one, r.PictureRow)]
    tally.add(rows)
    result = r.AnalyzeResult(
        2, 0, "folder", 1.0, None, 0.5, None, (), (), r.ThreatModel(), "demo", "none", "cpu", 1.0, 2.0,
        checks=(r.Check("a", "A", "pass", float("inf"), "∞", "m"),),
    )  # fmt: skip
    request = r.EvaluateRequest("/d", options=r.RunOptions(keep=str(tmp_path / "one"), classes=("cat",)))
    shown = Shown(request, result, tally, 2)
    back = window_state.run_of(json.loads(json.dumps(shown.plain())), tmp_path)
    assert back is not None
    assert back.request == request
    assert back.result.checks[0].value is None
    assert back.tally.plain() == tally.plain()
    elsewhere = window_state.run_of(json.loads(json.dumps(shown.plain())), tmp_path / "other")
    assert elsewhere is not None
    assert elsewhere.request.options.keep == ""
    broken = json.loads(json.dumps(shown.plain()))
    broken["tally"]["classes"] = []
    assert window_state.run_of(broken, tmp_path) is None
    assert Shown(request, replace(result, clean_accuracy=float("nan")), tally).plain() == {}


def test_an_entry_that_says_little_is_an_entry(bench: Bench) -> None:
    """A picture of which nothing is known, as an older or a stranger's session has it."""
    bench.desk.gallery.add(["/a.png"])
    (one,) = pictures.whole(bench.desk.gallery).unpacked()
    ((entry, _),) = pictures.items([replace(one, facts={"outcome": "never heard of"})], ["/b.png"])
    assert (entry.path, entry.outcome, entry.sides, entry.tags) == ("/b.png", "", (), ())
