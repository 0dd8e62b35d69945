"""Lines of code per folder, without blank lines, comments and docstrings: `python benchmarks/code_size.py [CHECKOUT]`."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

NOTHING = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def lines_of_code(text: str) -> int:
    """Count the lines on which something stands that is neither a comment nor a docstring."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            first = node.body[0]
            docstrings.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    used: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOTHING:
            used.update(range(token.start[0], token.end[0] + 1))
    return len(used - docstrings)


def main() -> None:
    """Print a line per folder of the product, and the sums of both packages and of the tests."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    counts: Counter[str] = Counter()
    for package in ("capt_engine", "capt_gui", "tests"):
        for path in sorted((root / package).rglob("*.py")):
            lines = lines_of_code(path.read_text(encoding="utf-8"))
            inner = path.relative_to(root).parts[1]
            counts[f"{package} (sum)"] += lines
            if package != "tests":
                counts[f"{package}/{inner if not inner.endswith('.py') else '*.py'}"] += lines
    for name in sorted(counts):
        print(f"{counts[name]:7,} {name}")


if __name__ == "__main__":
    main()
