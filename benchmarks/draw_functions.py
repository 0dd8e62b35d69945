"""Forty public functions by a fixed seed, with signature and docstring only: can a stranger say what they do?

python benchmarks/draw_functions.py
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DRAWN, SEED = 40, 13


def public_functions(root: Path) -> Iterator[tuple[str, str, str]]:
    """Each public module-level function and public method of a public class: qualified name, signature, docstring."""
    for file in sorted(file for package in ("capt_engine", "capt_gui") for file in (root / package).rglob("*.py")):
        module = ".".join(file.relative_to(root).with_suffix("").parts)
        body = ast.parse(file.read_text(encoding="utf-8")).body
        classes = [node for node in body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        for prefix, members in ((module, body), *((f"{module}.{one.name}", one.body) for one in classes)):
            for node in members:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
                    signature = f"({ast.unparse(node.args)}){returns}"
                    yield f"{prefix}.{node.name}", signature, ast.get_docstring(node) or ""


def main() -> None:
    """Print the draw."""
    for name, signature, docstring in random.Random(SEED).sample(sorted(public_functions(ROOT)), DRAWN):
        print(f"{name}{signature}\n    {docstring.replace(chr(10), chr(10) + '    ')}\n")


if __name__ == "__main__":
    main()
