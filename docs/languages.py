"""The texts that the window shows, and what a catalogue of `resources/i18n` lacks of them.

`nox -s language -- fr` writes French's catalogue: what is translated stays, what is missing gets an empty line, what the
program no longer says goes. A test compares every catalogue with the program.
"""

from __future__ import annotations

import ast
import json
import re
import string
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from capt_engine.files import write_atomic
from capt_engine.reading import read_json
from capt_gui.translate import COMMENT

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "resources" / "i18n"

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
        ("spaces at the ends", lambda text: (text[:1].isspace(), text[-1:].isspace())),
        ("line breaks", lambda text: text.count("\n") > 0),
    ):
        if of(source) != of(translation):
            told.append(f"other {what} than {source!r}: {translation!r}")
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
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in ("tr", "later") and call.args:
        comment = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) else ""
        yield from (
            text if not comment or text is None else f"{text}{COMMENT}{comment}" for text in _said(call.args[0])
        )
    elif name == "counted":
        yield from (text for form in call.args[1:3] for text in _said(form))


def _said(argument: ast.expr) -> Iterator[str | None]:
    """The texts that an argument can be: one, or either of `a if x else b`."""
    if isinstance(argument, ast.IfExp):
        yield from _said(argument.body)
        yield from _said(argument.orelse)
    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    else:
        yield None


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
