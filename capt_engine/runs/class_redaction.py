"""A run without its class names and without the hashes of its pictures: numbers stand in their places, wherever it names them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from capt_engine.checks.table import CHECKS
from capt_engine.formatting import csv_plain
from capt_engine.runs import kept_pictures
from capt_engine.runs.command_line import command_of
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.kept_pictures import Kept
from capt_engine.runs.manifest_records import Manifest, Summary
from capt_engine.runs.redaction import Names
from capt_engine.runs.request_text import from_json

_COLUMNS = ("label", "clean_pred", "adv_pred", "frozen_pred", "target")


@dataclass
class StandIns:
    """Stand-ins for class names and for the SHA-256 of pictures: "class 3", "picture 7". One object serves all runs of a report."""

    classes: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)

    def name(self, name: str) -> str:
        """Return what stands for a class name, a new number at its first time; "" stays."""
        return self.classes.setdefault(name, f"class {len(self.classes) + 1}") if name else ""

    def picture(self, sha256: str) -> str:
        """Return what stands for the SHA-256 of a picture, a new number at its first time."""
        return self.pictures.setdefault(sha256, f"picture {len(self.pictures) + 1}")

    def words(self, text: str) -> str:
        """Return a sentence with what stands for each class name known by now in place of the name, where it is a whole word."""
        known = sorted((name for name in self.classes if name), key=len, reverse=True)
        if not known or not text:
            return text
        pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)"
        return re.sub(pattern, lambda found: self.classes[found[0]], text)


@dataclass(frozen=True)
class RunWithoutClasses(FinishedRun):
    """A run as a report shows it that hides class names and hashes of pictures."""

    stand_ins: StandIns = field(default_factory=StandIns)

    @classmethod
    def from_run(cls, run: FinishedRun, stand_ins: StandIns, number: int = 0) -> RunWithoutClasses:
        """Return `run` without its class names and hashes.

        stand_ins: what stands for them, which learns of those of this run. number: of the run among several in a report.
        """
        names = Names(run, redact=True, number=number)
        for one in (*run.manifest.classes, *run.request.options.classes):
            stand_ins.name(one)
        manifest = _manifest(run, stand_ins, names)
        return cls(
            run.folder, manifest, _summary(run, stand_ins, names), from_json(manifest), run.whole, stand_ins=stand_ins
        )

    def lines(self) -> Iterator[dict[str, str]]:
        """Yield the rows, with numbers for class names and hashes."""
        for line in super().lines():
            names = {name: self.stand_ins.name(csv_plain(line[name])) for name in _COLUMNS if name in line}
            yield {**line, **names, "sha256": self.stand_ins.picture(line["sha256"])}

    def examples(self) -> list[Kept]:
        """Return the pictures kept for a report, with numbers for the class names said of them."""
        name = self.stand_ins.name
        return [
            replace(one, label=name(one.label), clean_pred=name(one.clean_pred), adv_pred=name(one.adv_pred))
            for one in kept_pictures.read(self.folder)
        ]


def _manifest(run: FinishedRun, stand_ins: StandIns, names: Names) -> Manifest:
    """The manifest under numbers; what it says of prompts goes sentence by sentence."""
    written: dict[str, Any] = {**run.manifest.as_written}
    written["classes"] = [stand_ins.name(one) for one in run.manifest.classes]
    written["request"] = _asked(written.get("request"), stand_ins)
    written["prompts"] = [
        {
            **one,
            "document": one["document"]
            and _said(_asked(one["document"], stand_ins), lambda text: stand_ins.words(names.text(text))),
        }
        if one.get("document")
        else one
        for one in written.get("prompts", [])
    ]
    hidden = {name: {**written.get(name, {}), "sha256": ""} for name in ("pictures", "rows")}
    written |= {**hidden, "classes_sha256": "", "redacted": True, "redacted_classes": True}
    return Manifest.of({**written, "command": command_of(from_json(Manifest.of(written)))})


def _asked(value: Any, stand_ins: StandIns) -> Any:
    """Part of a request or of prompts' document, with numbers for its lists of classes and its target."""
    if isinstance(value, Mapping):
        return {name: _of_key(name, one, stand_ins) for name, one in value.items()}
    return value


def _of_key(name: str, value: Any, stand_ins: StandIns) -> Any:
    if name in ("classes", "class_folders") and isinstance(value, list | tuple):
        return [stand_ins.name(one) if isinstance(one, str) else one for one in value]
    if name == "target" and isinstance(value, str):
        return stand_ins.name(value)
    return _asked(value, stand_ins)


def _said(value: Any, change: Any) -> Any:
    """All text in a plain value, changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _said(one, change) for name, one in value.items()}
    return [_said(one, change) for one in value] if isinstance(value, list | tuple) else value


def _summary(run: FinishedRun, stand_ins: StandIns, names: Names) -> Summary:
    """The summary under numbers; words that the model does not know are words of class names, and are left out."""
    written: dict[str, Any] = _asked(run.summary.as_written, stand_ins)

    def said(text: str) -> str:
        return stand_ins.words(names.text(text))

    failed = [
        {
            "path": one.path,
            "message": said(names.remark(one.path, one.message)),
            "hint": said(names.remark(one.path, one.hint)),
        }
        for one in run.summary.failed
    ]
    if "notes" in written:
        written["notes"] = list(names.notes(run.summary.notes))
    if "checks" in written:
        written["checks"] = [_without_names(one) for one in written["checks"]]
    changed: dict[str, Any] = {name: _said(written[name], said) for name in ("notes", "checks") if name in written}
    per_class = [{**one, "name": stand_ins.name(one["name"])} for one in written.get("per_class") or []]
    return Summary.of({**written, **changed, "per_class": per_class, "unknown_words": [], "failed": failed})


def _without_names(check: dict[str, Any]) -> dict[str, Any]:
    """Return a check of a summary; that of class names without the names, which stand there cut, or with numbers for accents."""
    return {**check, "message": CHECKS["names-differ"].why} if check.get("name") == "names-differ" else check
