"""The texts that the window shows, and what a catalogue of `resources/i18n` lacks of them.

`nox -s language -- fr` writes French's catalogue: what is translated stays, what is missing gets an empty line, what the
program no longer says goes. A test compares every catalogue with the program.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import string
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from capt_engine.files import write_atomic
from capt_engine.reading import read_json, read_toml
from capt_gui.translate import COMMENT, ENGINE

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "resources" / "i18n"

# Of the engine, the window does not show: the terminal, reports (English), protocols, and refusals of tensors that Python code hands over.
_UNSEEN = (
    "__init__", "attacks/corruptions/base", "attacks/inputs", "attacks/loaders", "cli/", "crash_log", "demo/captions",
    "demo/figures", "demo/pretrain", "evaluation/of_tensors", "frozen", "metrics/calibration", "metrics/consistency",
    "metrics/distortion", "metrics/embedding", "metrics/prediction", "photo/", "plugins", "progress", "protocols/",
    "records/columns", "reports/", "runs/command_line", "runs/merge", "runs/option_values", "runs/options_table",
    "runs/request_text", "runs/table", "torch_settings", "tuning/of_tensors", "viewing", "wrappers/",
)  # fmt: skip
# Reports are English, but their sections can be chosen in the window.
_REPORTS = ("reports/build", "reports/compare")
# Tables, whose words count one by one.
_TABLES = (
    "attacks/", "checks/table", "jobs/catalogue", "metrics/figures", "metrics/table", "records/suites",
    "tuning/methods", "tuning/presets",
)  # fmt: skip
# Where only whole sentences reach the window; their other texts are names, keys and parts of damage reports.
_SENTENCES_ONLY = (
    "application", "data/benchmarks", "data/inventory", "demo/", "download/", "errors", "files", "model/checkpoints",
    "model/clip", "model/importers/", "model/lpips", "model/numerics", "model/prompts", "model/text", "reading", "results/", "runs/",
    "session/", "settings", "tuning/image_tower", "tuning/state",
)  # fmt: skip
# Calls whose texts are for programmers, for the log, or for the machine.
_QUIET = frozenset({
    "AssertionError", "AttributeError", "KeyError", "NotImplementedError", "RuntimeError", "TypeError", "TypeVar",
    "ValueError", "cast", "compile", "debug", "endswith", "exception", "execute", "executemany", "executescript",
    "getLogger", "info", "partition", "split", "startswith", "sub", "warn", "warning",
})  # fmt: skip
_WORDS = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z(§{]|^[A-Z][^ ]* [A-Za-z]|\. |[a-z]\.$")
_LABEL = re.compile(r"^[A-ZΕε0-9][A-Za-z0-9∞&() εΔα\-/,.’'+×:]{2,}$")
_COUNTED = re.compile(r"(± )?\{\} [a-z]+( [a-z]+)?$")
_CODE = re.compile(r"[|<>\\]|%[sd]|^[a-z_]+ [A-Z]|^[{}]*$|PRAGMA|SELECT|INSERT|CREATE |TABLE|^\(|\n[#-]|\.ttf$|^RGBA$")
_MODEL_TEXTS = ("label", "purpose", "licence", "activation")

# Punctuation of Chinese brings its own space.
_WIDE = frozenset("、，：；。（）")
_TAG = re.compile(r"</?[a-z][^<>]*>")
_MNEMONIC = re.compile(r"&(?=[^\s&])(?!\w+;)")
_NUMBERED = re.compile(r"%\d+|%[nL]")


@dataclass(frozen=True)
class Asked:
    """One place of the window's code that asks for a translation. key: None where the code does not say the words there."""

    key: str | None
    place: str
    code: str


@lru_cache
def asked_in(package: Path) -> tuple[Asked, ...]:
    """Every text that the Python files below `package` ask a translation of, in the order of files and lines."""
    found: list[Asked] = []
    for path in sorted(package.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                place = f"{path.relative_to(package.parent).as_posix()}:{call.lineno}"
                found += [Asked(key, place, ast.unparse(call)) for key in _keys(call)]
    return tuple(found)


def texts() -> dict[str, str]:
    """Every text that a catalogue has to have: key → the first place of the program that shows it."""
    found: dict[str, str] = {}
    for one in asked_in(ROOT / "capt_gui"):
        if one.key is not None:
            found.setdefault(one.key, one.place)
    # what the engine says in words that the window has too needs no second line
    return found | {key: place for key, place in engine_texts().items() if key not in found}


@lru_cache
def engine_texts() -> dict[str, str]:
    """The texts of the engine that the window shows: key → place. A sentence with values has its pattern as its key.

    The window's own modules that speak before the language is known (settings, the start) are among them.
    """
    found: dict[str, str] = {}
    modules = [
        *sorted((ROOT / "capt_engine").rglob("*.py")),
        ROOT / "capt_gui/settings.py",
        ROOT / "capt_gui/application.py",
    ]
    for path in modules:
        name = path.relative_to(ROOT).with_suffix("").as_posix().partition("/")[2]
        if name in _REPORTS:
            found |= {title: f"{path.relative_to(ROOT).as_posix()}" for title in _section_titles(path)}
        if name.startswith(_UNSEEN):
            continue
        for text, has_places, line in _written(ast.parse(path.read_text(encoding="utf-8"))):
            is_sentence = text.endswith((".", "?", "!", "…"))
            is_label = name.startswith(_TABLES) and not has_places and bool(_LABEL.match(text))
            is_words = bool(_WORDS.search(text)) or is_label or bool(_COUNTED.match(text))
            if (
                is_words
                and not _CODE.search(text)
                and (is_sentence or _COUNTED.match(text) or not name.startswith(_SENTENCES_ONLY))
            ):
                found.setdefault(text + ENGINE * has_places, f"{path.relative_to(ROOT).as_posix()}:{line}")
    for model in read_toml(ROOT / "resources/models.toml", dict[str, Any])["model"]:
        for field in _MODEL_TEXTS:
            if text := model.get(field):
                found.setdefault(text, "resources/models.toml")
    return found


def catalogue(code: str) -> dict[str, str]:
    """The translations of the language `code`, empty where it has no file."""
    path = CATALOGUES / f"{code}.json"
    return read_json(path, dict[str, str]) if path.exists() else {}


def differences(key: str, translation: str) -> list[str]:
    """What of the text `key` must be the same in its translation and is not, one sentence each."""
    source = key.partition(COMMENT)[0]
    told = []
    for what, of in (
        ("places for values", _places),
        ("tags", lambda text: Counter(_TAG.findall(text))),
        ("letters for the keyboard (&)", lambda text: len(_MNEMONIC.findall(text.replace("&&", "")))),
        ("three dots at the end", lambda text: text.endswith(("…", "..."))),
        ("line breaks", lambda text: text.count("\n") > 0),
    ):
        if of(source) != of(translation):
            told.append(f"other {what} than {source!r}: {translation!r}")
    edges = ((source[:1], translation[:1]), (source[-1:], translation[-1:]))
    if any(ours.isspace() != theirs.isspace() and not (ours.isspace() and theirs in _WIDE) for ours, theirs in edges):
        told.append(f"other spaces at the ends than {source!r}: {translation!r}")
    return told


def problems(code: str) -> list[str]:
    """What is wrong with the catalogue of the language `code`, one line each; empty where it is complete and sound."""
    wanted, known = texts(), catalogue(code)
    told = [f"not translated: {key!r} ({place})" for key, place in wanted.items() if not known.get(key)]
    told += [f"no longer in the program: {key!r}" for key in known if key not in wanted]
    told += [one for key, said in known.items() if said and key in wanted for one in differences(key, said)]
    if list(known) != sorted(known):
        told.append("the lines are not sorted")
    return told


def renewed(code: str) -> dict[str, str]:
    """The catalogue of the language `code` with a line, empty where it is new, for each text of the program and no other."""
    known = catalogue(code)
    return {key: known.get(key, "") for key in sorted(texts())}


def _keys(call: ast.Call) -> Iterator[str | None]:
    """The keys of the texts that `call` asks for, None for one that is not written there."""
    name = _name_of(call)
    if name in ("tr", "later") and call.args:
        comment = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) else ""
        yield from (
            text if not comment or text is None else f"{text}{COMMENT}{comment}" for text in _said(call.args[0])
        )
    elif name == "counted":
        yield from (text for form in call.args[1:3] for text in _said(form))


def _name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _said(argument: ast.expr) -> Iterator[str | None]:
    """The texts that an argument can be: one, or either of `a if x else b`."""
    if isinstance(argument, ast.IfExp):
        yield from _said(argument.body)
        yield from _said(argument.orelse)
    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    else:
        yield None


def _written(tree: ast.AST) -> Iterator[tuple[str, bool, int]]:
    """The texts that a module of the engine writes: (text or pattern, has it places for values, line)."""
    quiet: set[int] = set()
    for node in ast.walk(tree):
        quiet.update(map(id, _quiet_parts(node)))
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if id(node) in quiet:
            continue
        forms = _forms(node)
        if isinstance(node, ast.Call) and _name_of(node) == "_before_and_after":
            # a metric that is measured twice
            yield from ((f"{node.args[2].value}, {when}", False, node.lineno) for when in ("clean", "attacked"))  # type: ignore[attr-defined]
        yield from ((text, has_places, getattr(node, "lineno", 0)) for text, has_places in forms)
        inner = ast.iter_child_nodes(node) if not forms else _inside(node)
        waiting += list(inner)


def _section_titles(path: Path) -> Iterator[str]:
    """The titles in the table SECTIONS of a module: (id, title, function) each."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(one, ast.Name) and one.id == "SECTIONS" for one in targets):
            yield from (line.elts[1].value for line in node.value.elts)  # type: ignore[attr-defined,union-attr]


def _quiet_parts(node: ast.AST) -> Iterator[ast.AST]:
    """What below `node` nobody reads: docstrings, annotations, keys, and what is said to programmers."""
    for one in getattr(node, "body", None) or () if isinstance(getattr(node, "body", None), list) else ():
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant | ast.JoinedStr):
            yield one.value
    if isinstance(node, ast.Call) and _name_of(node) in _QUIET:
        yield from node.args
        yield from node.keywords
    for field in ("annotation", "returns", "slice"):
        if isinstance(below := getattr(node, field, None), ast.AST):
            yield below
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets):
        yield node.value
    if isinstance(node, ast.Dict):
        yield from (key for key in node.keys if key is not None)


def _forms(node: ast.AST) -> list[tuple[str, bool]]:
    """The texts that an expression can be, each with True if it has places for values; none where it is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if "{} the attack" in node.value:
            # of a metric that is measured twice
            return [(node.value.format(when), False) for when in ("before", "after")]
        # braces of its own belong to a template of prompts, or to an example of one in a sentence
        return [] if "{" in node.value and not node.value[0].isupper() else [(node.value, False)]
    if isinstance(node, ast.Call) and _name_of(node) == "counted":
        nouns = [one.value for one in node.args[1:] if isinstance(one, ast.Constant)]
        return [(f"{{}} {noun}", True) for noun in (*nouns, f"{nouns[0]}s")[:2]] if nouns else []
    if isinstance(node, ast.IfExp):
        both = (_forms(node.body), _forms(node.orelse))
        return [*both[0], *both[1]] if all(both) else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([_forms(node.left), _forms(node.right)])
    if isinstance(node, ast.JoinedStr):
        parts = [_part(one) for one in node.values]
        return _joined(parts) if parts else []
    return []


def _part(one: ast.expr) -> list[tuple[str, bool]]:
    """A part of an f-string: words, with their braces doubled; either of two words; or the place of a value."""
    if isinstance(one, ast.Constant):
        return [(str(one.value).replace("{", "{{").replace("}", "}}"), False)]
    value = one.value if isinstance(one, ast.FormattedValue) else None
    return (_forms(value) if isinstance(value, ast.IfExp) else []) or [("{}", True)]


def _joined(parts: list[list[tuple[str, bool]]]) -> list[tuple[str, bool]]:
    """Every way in which parts can follow each other; none where a part has no form."""
    return [("".join(text for text, _ in way), any(has for _, has in way)) for way in itertools.product(*parts)]


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The values in the places of an f-string, which may be texts of their own."""
    for one in node.values if isinstance(node, ast.JoinedStr) else ():
        if isinstance(one, ast.FormattedValue) and not isinstance(one.value, ast.IfExp):
            yield one.value


def _places(text: str) -> Counter[str]:
    """The places for values in `text`: those without a number are numbered, as str.format does."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        parsed = []
    count, found = 0, Counter(_NUMBERED.findall(text))
    for _, field, spec, conversion in parsed:
        if field is not None:
            found[f"{field or count}!{conversion}:{spec}"] += 1
            count += not field
    return found


def main(code: str) -> None:
    """Write the catalogue of the language `code` and print what it lacks."""
    known, told = catalogue(code), renewed(code)
    CATALOGUES.mkdir(exist_ok=True)
    write_atomic(CATALOGUES / f"{code}.json", json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    gone = [key for key in known if key not in told]
    sys.stdout.write(f"{code}: {len(told)} texts, {sum(not said for said in told.values())} without a translation\n")
    sys.stdout.writelines(f"no longer in the program: {key!r}: {known[key]!r}\n" for key in gone)


if __name__ == "__main__":
    main(sys.argv[1])
