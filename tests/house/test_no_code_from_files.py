"""Nothing in the program turns a file into code: the ways that Python and torch have are not taken, but where the bytes are our own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Names that are called, or attributes of these modules.
BUILTINS = {"eval", "exec", "compile", "__import__", "execfile"}
MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "runpy",
    "yaml",
    "code",
}
ATTRIBUTES = {
    "torch.load",
    "torch.jit.load",
    "torch.hub.load",
    "torch.package.PackageImporter",
    "np.load",
    "numpy.load",
}
# torch's restricted reader on bytes that this program wrote itself, or that are held to a SHA-256.
OWN = {
    ("capt_engine/model/trunk.py", "torch.load"): "held to a SHA-256",
    ("capt_engine/photo/stage.py", "torch.load"): "our own checkpoint",
    ("capt_engine/demo/pretrain.py", "torch.load"): "our own checkpoint",
}


def dotted(node: ast.expr) -> str:
    """The name of what is called, as it is written."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def faults(source: str, name: str) -> list[str]:
    """What a module calls or imports that could run a file."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            found += [f"{name} imports {one}" for one in names if one.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func)
        options = {one.arg: one.value for one in node.keywords}
        if called in BUILTINS:
            found.append(f"{name} calls {called}")
        elif called in ("np.load", "numpy.load") and "allow_pickle" in options:
            found.append(f"{name} lets {called} read pickles")
        elif called in ATTRIBUTES - {"np.load", "numpy.load"}:
            restricted = isinstance(flag := options.get("weights_only"), ast.Constant) and flag.value is True
            if not restricted or (name, called) not in OWN:
                found.append(f"{name} calls {called}")
    return found


def test_no_module_turns_a_file_into_code() -> None:
    """Neither package evaluates text, unpickles, or loads what torch pickled, but for the places that are listed."""
    modules = [path for package in ("capt_engine", "capt_gui") for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(modules) > 300
    found = [one for path in modules for one in faults(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "eval(open('x').read())",
        "import pickle",
        "from yaml import load",
        "import torch\ntorch.load('x')",
        "import torch\ntorch.load('x', weights_only=True)",
        "import torch\ntorch.jit.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
    ],
)
def test_the_search_bites(source: str) -> None:
    """Each way is found where it is taken."""
    assert faults(source, "capt_engine/x.py")
