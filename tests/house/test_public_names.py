"""`import capt_engine as capt`: lazy, quiet, and honest about what it can no longer promise."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import capt_engine as capt

Run = Callable[..., "subprocess.CompletedProcess[str]"]

LIGHT = """
import os, sys
before = dict(os.environ), set(sys.modules)
import capt_engine as capt
assert dict(os.environ) == before[0]
new = {name.partition(".")[0] for name in set(sys.modules) - before[1]}
assert new <= set(sys.stdlib_module_names) | {"capt_engine"}, new
assert "load_clip" in dir(capt)
capt.PGD
assert os.environ["MKL_CBWR"] == "AUTO,STRICT"
assert "open_clip" not in sys.modules
"""

TORCH_FIRST = """
import os, warnings
os.environ.pop("MKL_CBWR", None)
import torch
if {multiplies}:
    torch.ones(9, 9) @ torch.ones(9, 9)
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    import capt_engine as capt
    capt.PGD, capt.Classifier, capt.metrics, capt.load_clip
print([str(one.message) for one in heard if "capt_engine" in str(one.message)])
"""


def test_the_import_is_light_and_changes_nothing(python: Run) -> None:
    """Nothing but the standard library is loaded and no variable is set before the first name is used; an attack needs no CLIP."""
    done = python("-c", LIGHT, env={"MKL_CBWR": None})
    assert done.returncode == 0, done.stderr


def test_every_name_is_there_and_described() -> None:
    """Each public name can be fetched and says what it is; another is refused as modules refuse it."""
    names = _named()
    assert {"Classifier", "PGD", "load_clip", "metrics"} <= names
    assert all(getattr(capt, name).__doc__ for name in names)
    assert names <= set(dir(capt))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        capt.nothing  # noqa: B018


def test_types_know_every_name(root: Path) -> None:
    """What a type checker is given are the names that can be fetched, from the same modules."""
    tree = ast.parse((root / "capt_engine/__init__.py").read_text(encoding="utf-8"))
    shown = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("capt_engine")
        for alias in node.names
    }
    assert set(shown) == _named()
    for name, module in shown.items():
        assert name == "metrics" or getattr(capt, name).__module__ == module


@pytest.mark.parametrize("multiplies", [False, True])
def test_torch_imported_first(python: Run, multiplies: bool) -> None:
    """Where the BLAS has begun in another mode that is said once; where torch was only imported, the promise still holds."""
    import torch

    if not torch.backends.mkl.is_available():
        pytest.skip("this torch has no MKL, whose order of summation the promise is about")
    done = python("-c", TORCH_FIRST.format(multiplies=multiplies))
    assert done.returncode == 0, done.stderr
    heard = ast.literal_eval(done.stdout)
    assert len(heard) == multiplies, heard


def test_every_way_to_torch_leads_past_the_settings(root: Path) -> None:
    """Each package with a module that imports torch makes the two settings in its front page."""
    for file in sorted((root / "capt_engine").rglob("*.py")):
        imported = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if _imports(node, "torch")]
        parents = [one for one in file.relative_to(root).parents if len(one.parts) == 2]
        if imported and parents:
            front = (root / parents[0] / "__init__.py").read_text(encoding="utf-8")
            assert "import torch_settings" in front, file
        elif imported:
            raise AssertionError(f"{file} lies in no package that could make the settings first")


def _imports(node: ast.AST, package: str) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == package for alias in node.names)
    return isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == package


def _named() -> set[str]:
    return set(capt._HOME_OF)
