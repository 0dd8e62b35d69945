"""Prints whether the imports of both packages run in one direction: `python tests/house/import_graph.py`.

Every import counts: those inside functions and those under TYPE_CHECKING too, which import-linter can be told to pass over.
"""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("capt_engine", "capt_gui")
Graph = dict[str, set[str]]


def modules(root: Path) -> dict[str, Path]:
    """Return every module of both packages by its dotted name."""
    files = (path for package in PACKAGES for path in (root / package).rglob("*.py"))
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def graph(root: Path) -> Graph:
    """Return, for every module, the modules of ours that it imports."""
    known = modules(root)
    return {name: set(_imports(path, known)) - {name} for name, path in known.items()}


def _imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield from (name for name in (submodule if submodule in known else node.module,) if name in known)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def circles(arrows: Graph) -> list[list[str]]:
    """Return the groups of modules that import one another in a circle (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in arrows[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for name in arrows:
        if name not in index:
            visit(name)
    return found


def layers(root: Path) -> dict[str, list[list[str]]]:
    """Return the layers of each package, highest first, as `.importlinter` has them."""
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter", encoding="utf-8")
    return {
        section["containers"].strip(): [
            re.findall(r"\w+", line) for line in section["layers"].strip().splitlines() if line.strip()
        ]
        for section in (contracts[name] for name in contracts.sections())
        if section.get("type") == "layers"
    }


def upward(arrows: Graph, order: dict[str, list[list[str]]]) -> list[str]:
    """Return the arrows that run from a lower layer to a higher one, or between two folders of one layer."""
    found = []
    for package, rows in order.items():
        height = {f"{package}.{name}": len(rows) - i for i, row in enumerate(rows) for name in row}
        for name, others in arrows.items():
            here = _folder(name, package)
            for other in others:
                there = _folder(other, package)
                if here in height and there in height and here != there and height[there] >= height[here]:
                    found.append(f"{name} -> {other}")
    return sorted(found)


def _folder(name: str, package: str) -> str:
    return ".".join(name.split(".")[:2]) if name.startswith(f"{package}.") else ""


def main() -> int:
    """Print what was found; 0 where nothing runs back up and nothing runs in a circle."""
    root = Path(__file__).resolve().parents[2]
    sys.setrecursionlimit(10_000)
    arrows = graph(root)
    round_and_round, back_up = circles(arrows), upward(arrows, layers(root))
    sys.stdout.write(f"{len(arrows)} modules, {sum(map(len, arrows.values()))} imports\n")
    sys.stdout.write("".join(f"circle: {', '.join(group)}\n" for group in round_and_round) or "no circle\n")
    sys.stdout.write("".join(f"back up: {arrow}\n" for arrow in back_up) or "no arrow that runs back up\n")
    return 1 if round_and_round or back_up else 0


if __name__ == "__main__":
    sys.exit(main())
