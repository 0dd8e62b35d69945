"""Imports run in one direction: no circle among modules, no arrow that runs back up the layers, wherever the import stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import import_graph

ROOT = Path(__file__).resolve().parents[2]


def test_no_circle_and_no_arrow_that_runs_back_up() -> None:
    """Imports inside functions and under TYPE_CHECKING count too."""
    arrows = import_graph.graph(ROOT)
    assert import_graph.circles(arrows) == []
    assert import_graph.upward(arrows, import_graph.layers(ROOT)) == []


def test_the_script_finds_what_it_looks_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A circle under TYPE_CHECKING and an import against the layers are both found."""
    for name, text in {
        "capt_engine/errors.py": "def late():\n    from capt_engine.jobs import runner\n",
        "capt_engine/jobs/__init__.py": "",
        "capt_engine/jobs/runner.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from capt_engine.jobs import tasks\n",
        "capt_engine/jobs/tasks.py": "import capt_engine.jobs.runner\n",
        "capt_gui/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / ".importlinter").write_text((ROOT / ".importlinter").read_text(encoding="utf-8"), encoding="utf-8")
    arrows = import_graph.graph(tmp_path)
    assert import_graph.circles(arrows) == [["capt_engine.jobs.runner", "capt_engine.jobs.tasks"]]
    assert import_graph.upward(arrows, import_graph.layers(tmp_path)) == [
        "capt_engine.errors -> capt_engine.jobs.runner"
    ]
    assert import_graph.main() in (0, 1)
    assert "modules" in capsys.readouterr().out
