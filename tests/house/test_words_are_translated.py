"""What the window says is asked for in the language of the window: no words of its own stand outside of tr and its kin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Before a window there is no language; settings and start speak by `spoken`, a report of a problem is English.
ELSEWHERE = ("__main__.py", "application.py", "settings.py", "translate.py", "view_models/help/problem_report.py")
# Calls whose texts are asked for, or that nobody reads: names of properties, of files, of errors for programmers.
ASKING = frozenset(
    {
        "AssertionError",
        "KeyError",
        "NotImplementedError",
        "QFont",
        "RuntimeError",
        "Signal",
        "Thread",
        "TypeError",
        "TypeVar",
    }
    | {
        "ValueError",
        "cast",
        "compile",
        "counted",
        "debug",
        "error",
        "exception",
        "find",
        "getLogger",
        "getattr",
        "info",
    }
    | {"later", "property", "removeprefix", "removesuffix", "replace", "resource", "setObjectName", "setProperty"}
    | {"split", "startswith", "tr", "warning"}
)
# Two words, or one that begins with a capital letter; in an f-string any word.
SAID = re.compile(r"[A-Za-z]{2,}[,;:.]? [A-Za-z(]|^&?[A-Z][a-z&]{2,}…?$|[a-z]{2,}[.:…]$|^[A-Z][a-z]+ &[a-z]+$")
# Names and keys, and words of a report to us.
NAMES = frozenset({
    "CAPT Explorer", "CAPT Explorer {}", "Ctrl+{}", "{} {} cache", "Del", "Esc", "Fusion", "Look", "Model", "PNG (*.png)", "Page", "Steps",
    "Window", "capt run {}", "chart.{}", "consistency weight", "help:/{}", "image/{}", "no runs", "no search", "no sections",
    "pasted-{}", "perturbation-x{}", "pictures of results", "results-{}.csv", "side_{}", "start over", "starting the engine",
    "too large", "toy world", "{} pictures", "{} × {}, scale {}", "{}, {} view", "{}-adversarial{}.png", "{}-{}.svg",
    "{}.svg", "{}/{}XXXXXX", "{}_px", "{}px",
    # of a session that is refused, which is told as a whole
    "Its result", "Its size", "The counts of the evaluation", "The evaluation", "The list of pictures",
    "{} have an answer that is none of the classes.",
})  # fmt: skip


def test_words_are_asked_for(root: Path) -> None:
    """A text of the window that is written without tr, later, counted or spoken would stay English for everybody."""
    found = []
    for file in sorted((root / "capt_gui").rglob("*.py")):
        name = file.relative_to(root / "capt_gui").as_posix()
        if name not in ELSEWHERE:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            found += [f"{name}:{line}: {text!r}" for text, line in said(tree) if text not in NAMES]
    assert not found, "\n".join(found)


def test_such_words_are_found() -> None:
    """A label, a sentence and a sentence with values are seen; keys, docstrings and what is asked for are not."""
    code = '''
def show(self, n):
    """Show it."""
    self.label.setText("Attacked pictures")
    self.button.setText("Open")
    self.label.setText(f"{n} left")
    self.label.setText(self.tr("All of them"))
    self.setProperty("text role", values["some key"])
'''
    assert [text for text, _ in said(ast.parse(code))] == ["Attacked pictures", "Open", "{} left"]


def said(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every text of a module that reads like words for people: with {} for its values, and its line."""
    quiet: set[int] = set()
    for node in ast.walk(tree):
        for part in unread(node):
            quiet.update(map(id, ast.walk(part)))
    for node in ast.walk(tree):
        if id(node) in quiet:
            continue
        if isinstance(node, ast.JoinedStr):
            quiet.update(map(id, node.values))
            words = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
            if any(re.search("[A-Za-z]{2,}", part) for part in words):
                yield (
                    "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values),
                    node.lineno,
                )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SAID.search(node.value):
            yield node.value, node.lineno


def unread(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of `node` whose texts are no words for people, or are asked for."""
    body = getattr(node, "body", None)
    for one in body if isinstance(body, list) else ():
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
            yield one.value
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        yield from (*node.args, *node.keywords) if name in ASKING else ()
    if isinstance(node, ast.Dict):
        # the menus are told apart by their English titles
        yield from (key for key in node.keys if isinstance(key, ast.Constant) and str(key.value).startswith("&"))
    for field in ("annotation", "returns", "slice"):
        if isinstance(below := getattr(node, field, None), ast.AST):
            yield below
    yield from node.comparators if isinstance(node, ast.Compare) else ()
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets):
        yield node.value
