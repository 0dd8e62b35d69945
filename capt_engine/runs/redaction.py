"""Names of files and folders, as they are or as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from capt_engine.data import benchmarks
from capt_engine.data.products import is_left_out
from capt_engine.formatting import csv_plain
from capt_engine.records import ABOUT_NAMES, EvaluateRequest
from capt_engine.runs.command_line import command_of
from capt_engine.runs.finished_run import FinishedRun

_NAMED = re.compile(r"""[^\s\d/\\][/\\]|[/\\][^\s\d/\\]|(?:^|[\s(])['"“‘«„]""")
"""A slash beside a letter, as in a path but not in 4/255, or an opening quotation mark."""


class Names:
    """The names of a run's things in a report. number: of the run among several, 0 where there is one."""

    def __init__(self, run: FinishedRun, *, redact: bool, number: int = 0) -> None:
        self.redact = redact
        self._pictures: dict[str, str] = {}
        self._known = _known(run, f" {number}" if number else "") if redact else {}
        self._whole = sorted((name for name in self._known if _is_path(name)), key=len, reverse=True)

    def picture(self, path: str) -> str:
        """Return the name to show for the picture at `path`: the path itself, or with redaction "picture 3".

        Pictures are numbered in the order in which they are first asked for.
        """
        if not self.redact:
            return path
        return self._pictures.setdefault(path, f"picture {len(self._pictures) + 1}")

    def brief(self, path: str) -> str:
        """Return a short name for the picture at `path`, for a table: its folder and file name.

        With redaction it is "picture 3".
        """
        return self.shown(self.picture(path))

    def shown(self, name: str) -> str:
        """Shorten a picture's name to its last two parts, folder and file; a redacted name stays as it is.

        name: as `picture` returns it, or as it stands in a row of `line`.
        """
        return name if self.redact else "/".join(name.replace("\\", "/").split("/")[-2:])

    def text(self, text: str) -> str:
        """Return `text`, a name or sentence, without the paths of the run's files and folders where they are redacted.

        Words such as "data", "model" or "run" stand for them then; without redaction the text stays as it is.
        """
        if text in self._known:
            return self._known[text]
        for name in self._whole:
            text = text.replace(name, self._known[name])
        return text

    def remark(self, path: str, text: str) -> str:
        """Return `text`, a sentence on why the picture at `path` could not be used.

        With redaction the names of the picture and of other files in it are replaced.
        """
        if not self.redact:
            return text
        name = self.picture(path)
        for hidden in (path, PurePosixPath(path).name, PureWindowsPath(path).name):
            text = text.replace(hidden, name) if hidden else text
        return self.text(text)

    def notes(self, notes: Sequence[str]) -> tuple[str, ...]:
        """Return the notes of a run, in sentences; with redaction without those that list or name files or folders.

        One that still holds a part of a path, or a name in quotation marks, after known paths were replaced is left out whole.
        """
        if not self.redact:
            return tuple(notes)
        texts = (self.text(note) for note in notes if not (note.startswith(ABOUT_NAMES) or is_left_out(note)))
        return tuple(note for note in texts if not _NAMED.search(note))

    def line(self, line: Mapping[str, str]) -> dict[str, str]:
        """Return a copy of `line`, a row of rows.csv as column → text.

        With redaction its path and the names of model and prompts are replaced.
        """
        if not self.redact:
            return dict(line)
        names = {name: self.text(line[name]) for name in ("model_id", "prompt_id", "aimed_at")}
        return {**line, "path": self.picture(csv_plain(line["path"])), **names}

    def manifest(self, run: FinishedRun) -> dict[str, object]:
        """Return the manifest of `run` as plain JSON values; without redaction it is the run's own.

        With redaction names are replaced and "redacted" is True; the folder the run was started in, the list of
        pictures done before and the notes of the prompts are emptied, and the folders of a map of class names are numbers.
        """
        if not self.redact:
            return run.manifest.as_written
        manifest: dict[str, Any] = self._deep({**run.manifest.as_written, "started_in": ""})
        if "skip" in manifest["request"]:
            manifest["request"]["skip"] = []
        options = manifest["request"].get("options", {})
        if "class_folders" in options:
            options["class_folders"] = [f"folder {i}" for i, _ in enumerate(options["class_folders"], 1)]
        for one in manifest.get("prompts", []):
            if one.get("document"):
                one["document"]["notes"] = ""
        return manifest | {"command": self.command(run), "redacted": True}

    def command(self, run: FinishedRun) -> str:
        """The command that repeats the run."""
        known = command_of(run.request.renamed(self.text)) if self.redact else run.manifest.command
        return known or "capt run manifest.json"

    def summary(self, run: FinishedRun) -> dict[str, object]:
        """Return the summary of `run` as plain JSON values; without redaction it is the run's own.

        With redaction names are replaced, and the folder of the run is None.
        """
        if not self.redact:
            return run.summary.as_written
        failed = [
            {
                "path": self.picture(one.path),
                "message": self.remark(one.path, one.message),
                "hint": self.remark(one.path, one.hint),
            }
            for one in run.summary.failed
        ]
        notes = list(self.notes(run.summary.notes))
        return {
            **self._deep({**run.summary.as_written, "failed": [], "run_dir": None}),
            "failed": failed,
            "notes": notes,
        }

    def _deep(self, value: object) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._deep(one) for key, one in value.items()}
        return [self._deep(one) for one in value] if isinstance(value, list | tuple) else value


def _known(run: FinishedRun, mark: str) -> dict[str, str]:
    """Names of files and folders in a request, and what stands for each."""
    request, known = run.request, {}
    if isinstance(request, EvaluateRequest):
        if request.data not in benchmarks.BENCHMARKS.names():
            known[request.data] = f"data{mark}"
        known[request.data_root] = f"benchmarks{mark}"
    else:
        known = {path: f"pictures{mark} {i}" for i, path in enumerate(request.places, 1)}
    known[request.options.keep] = known[str(run.folder)] = f"run{mark}"
    known |= _model(request.options.model, f"model{mark}") | _model(request.options.source_model, f"other model{mark}")
    named = [(str(i), name) for i, name in enumerate(request.matrix, 1)]
    for letter, prompts in (
        *named,
        ("A", request.options.prompts if not request.matrix else None),
        ("B", request.options.compare),
    ):
        if prompts and (_is_path(prompts) or prompts.endswith(".safetensors")):
            known[prompts] = f"prompts{mark} {letter}"
    known.pop("", None)
    return known


def _model(name: str, called: str) -> dict[str, str]:
    """Return the replacement for a model that is a folder or a file; nothing for one that everybody knows by its name."""
    if name.startswith("hf-hub:") or not (_is_path(name) or name.startswith("local-dir:")):
        return {}
    # A prompts' document keeps the last name of the path.
    last = PurePosixPath(name.rpartition("@")[2].replace("\\", "/")).name.removeprefix("local-dir:")
    whole = (name, last, f"local-dir:{last}", name.rpartition("@")[0] + f"@{last}")
    return dict.fromkeys(whole, called)


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name
