"""Scripts that no test runs, the benchmarks and the painter of pictures, still fit the program: what they import is there."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(
    [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "docs").glob("*.py"), *(ROOT / "resources").glob("**/make*.py")]
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_imports_is_there(script: Path) -> None:
    """A function that has moved would be noticed only by whoever wants the figure."""
    missing = []
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("capt_engine", "capt_gui"):
            module = importlib.import_module(str(node.module))
            missing += [
                f"{node.module}.{one.name}"
                for one in node.names
                if not hasattr(module, one.name) and importlib.util.find_spec(f"{node.module}.{one.name}") is None
            ]
    assert not missing
