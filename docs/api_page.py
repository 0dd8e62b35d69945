"""Prints docs/api.md from the docstrings of what `import capt_engine as capt` gives: `nox -s api` writes it, a test compares it."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import capt_engine as capt
from capt_engine.attacks import ATTACKS

ATTACKS_BY_CLASS = {attack.__name__ for attack in ATTACKS}
PAGE = Path(__file__).with_name("api.md")
HEAD = """# The Python API

Written from the docstrings by `nox -s api`; change those. How the parts go together: [python.md](python.md).

```python
import capt_engine as capt
```
"""
_ENTRY = re.compile(r"(\w[\w, *]*?): (.*)")


def page() -> str:
    """The whole page."""
    names = [name for name in dir(capt) if name in capt._HOME_OF and name != "metrics"]
    attacks = [name for name in names if name in ATTACKS_BY_CLASS]
    errors = [name for name in names if inspect.isclass(getattr(capt, name)) and issubclass(_of(name), Exception)]
    others = [name for name in names if name not in {*attacks, *errors}]
    parts = [HEAD, "## Models, evaluation, tuning\n", *(_entry(f"capt.{name}", _of(name)) for name in others)]
    parts += ["## Attacks\n", "Each is called as `capt.Attack` says.\n"]
    parts += [_entry(f"capt.{name}", _of(name)) for name in attacks]
    parts.append("## Metrics\n")
    parts += [
        _entry(f"capt.metrics.{name}", measure)
        for name, measure in sorted(vars(capt.metrics).items())
        if inspect.isfunction(measure)
    ]
    parts += ["## Errors\n", *(_entry(f"capt.{name}", _of(name)) for name in errors)]
    return "\n".join(parts)


def _of(name: str) -> type:
    found: type = getattr(capt, name)
    return found


def _entry(name: str, thing: object) -> str:
    if not inspect.isclass(thing) or not issubclass(thing, Exception):
        lines = [
            f"### {name}\n",
            f"```python\n{name}{_signature(thing)}\n```\n",
            _markdown(inspect.getdoc(thing) or ""),
        ]
    else:
        lines = [f"### {name}\n", _markdown(inspect.getdoc(thing) or "")]
    if inspect.isclass(thing) and not issubclass(thing, Exception) and thing.__name__ not in ATTACKS_BY_CLASS:
        lines += [_member(name, member, value) for member, value in _members(thing)]
    return "\n".join(lines)


def _members(kind: type) -> Iterator[tuple[str, object]]:
    """Public methods and properties that the class itself defines, and how it is called where that is described."""
    for name, value in vars(kind).items():
        inner = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        is_member = inspect.isfunction(inner) or isinstance(value, property) or hasattr(value, "func")
        if is_member and (not name.startswith("_") or (name == "__call__" and inspect.getdoc(inner))):
            yield name, inner


def _member(owner: str, name: str, value: object) -> str:
    shown = owner.removeprefix("capt.").lower() if name == "__call__" else f"{owner}.{name}"
    signature = _signature(value) if inspect.isfunction(value) else ""
    heading = f"{shown}(…)" if name == "__call__" else shown
    return f"#### {heading}\n\n```python\n{shown}{signature}\n```\n\n{_markdown(inspect.getdoc(value) or '')}"


def _signature(thing: object) -> str:
    """Names, types and defaults, one a line where they are many."""
    signature = inspect.signature(thing)  # type: ignore[arg-type]
    said, star = [], False
    for one in signature.parameters.values():
        if one.name in ("self", "cls"):
            continue
        if one.kind is one.KEYWORD_ONLY and not star:
            said.append("*")
        star = star or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        text = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "") + one.name
        text += "" if one.annotation is one.empty else f": {_type(one.annotation)}"
        text += "" if one.default is one.empty else f" = {getattr(one.default, '__name__', repr(one.default))}"
        said.append(text)
    gives = signature.return_annotation
    arrow = "" if gives in (signature.empty, None, "None") or inspect.isclass(thing) else f" -> {_type(gives)}"
    short = f"({', '.join(said)}){arrow}"
    return short if len(short) < 90 else "(\n" + "".join(f"    {one},\n" for one in said) + f"){arrow}"


def _type(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _markdown(doc: str) -> str:
    """A Google-style docstring: its sections as bold words, their entries as a list, examples as code."""
    out: list[str] = []
    section = ""
    for line in doc.splitlines():
        heading = re.fullmatch(r"(Args|Returns|Raises|Attributes|Example|Yields):", line)
        if heading:
            section = heading[1]
            out += [f"**{section}**", "", *(["```python"] if section == "Example" else [])]
        elif not section or section == "Example":
            out.append(line.removeprefix("    ") if section else line)
        elif line.startswith("    ") and not line.startswith("     "):
            entry = _ENTRY.fullmatch(line[4:]) if section in ("Args", "Attributes", "Raises") else None
            out.append(f"- `{entry[1]}`: {entry[2]}" if entry else line[4:])
        else:
            out.append(line.strip() and f"  {line.strip()}")
        if section == "Example" and not line:
            section = ""
            out.insert(-1, "```")
    if section == "Example":
        out.append("```")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
