"""Work comes back: what was computed once, in the window or at the terminal, is looked up the next time."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from guest import Guest

from capt_engine.cli.main import main
from capt_engine.folders import RESULTS
from capt_engine.results import limits
from capt_engine.runs.command_line import command_of

Shot = Callable[..., None]


def test_what_the_terminal_computed_the_window_knows(
    guest: Guest, shot: Shot, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An evaluation at the terminal, and the same one in the window: every row is looked up, and the verdict says so."""
    monkeypatch.setenv(limits.OFF, "0")
    monkeypatch.setenv(RESULTS, str(tmp_path / "store"))
    evaluation = guest.desk.evaluation
    guest.window.show_page("evaluate")
    evaluation.choices.attack.set_attack("fgsm")
    evaluation.choices.set_checks("off")
    guest.drop(labelled)
    guest.settle()
    command = shlex.split(command_of(evaluation.choices.request()))
    assert main([*command[1:], "--out", str(tmp_path / "run"), "--quiet"]) == 0
    guest.keys("F5", guest.window)
    guest.settle()
    result = evaluation.run.result
    assert result is not None
    rows = result.n * len(evaluation.run.sides)
    assert result.rows_from_store == rows > 0
    assert f"{rows} rows were looked up: they had been computed before." in guest.words()
    shot("store-evaluated-again")
