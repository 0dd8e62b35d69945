"""Every kind of JSON and TOML document that the program reads: a sound one, and how it is read from a folder."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from capt_engine.data import inventory
from capt_engine.data.picture_lists import read_split_file
from capt_engine.download import offline
from capt_engine.folders import chosen_model, data_dir
from capt_engine.model import checkpoints, clip
from capt_engine.model.importers import hugging_face
from capt_engine.model.store import install_record
from capt_engine.protocols.cache import WorkFolder
from capt_engine.reading import json_if_sound
from capt_engine.records import LedgerEntry, ScanResult, Share, TuneEpoch, TuneRequest, TuneResult
from capt_engine.reports import json_report
from capt_engine.reports.build import build
from capt_engine.runs import kept_pictures, kept_runs
from capt_engine.runs.differences import differences
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest_records import Manifest
from capt_engine.runs.merge import merge
from capt_engine.runs.request_text import from_json
from capt_engine.runs.run_folder import RunFolder
from capt_engine.tuning import state as tuning_state
from capt_gui import settings as window_settings
from capt_gui.view_models.tune import project_file, scan_file
from capt_gui.view_models.tune import run as tune_run
from capt_gui.view_models.tune.state import TuneState
from tests.fuzz.mutators import as_bytes

BEFORE = Path(__file__).parents[1] / "engine/runs/before"
RUN = BEFORE / "evaluated"


@dataclass(frozen=True)
class Kind:
    """A kind of file: a sound document, how it is put into a folder, and how the program reads it from there."""

    sound: Any
    read: Callable[[Path], object]
    name: str = ""
    put: Callable[[Path, str], object] | None = None

    def of(self, folder: Path, text: str) -> object:
        """The value that is read where the document is this text; raises CaptError."""
        place = folder / self.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if self.put is None:
            written(place, text)
        else:
            self.put(place, text)
        return self.read(folder)


def in_safetensors(source: Path, key: str) -> Callable[[Path, str], object]:
    """Write a copy of a safetensors file with another text under a key of its metadata."""
    data = source.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])

    def put(place: Path, text: str) -> None:
        changed = json.dumps(header | {"__metadata__": {key: text}}).encode()
        place.write_bytes(struct.pack("<Q", len(changed)) + changed + data[8 + length :])

    return put


def metadata_of(source: Path, key: str) -> Any:
    """The document under a key of a safetensors file's metadata."""
    data = source.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][key])


def resumed(folder: Path) -> object:
    """Go on with a run in a folder, whatever its manifest says."""
    manifest = json.loads((RUN / "manifest.json").read_text(encoding="utf-8"))
    request = from_json(Manifest.of(manifest))
    with RunFolder(folder, replace(request, options=replace(request.options, keep=str(folder))), manifest, resume=True):
        return None


def with_prompts(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest with what that of the kept run lacks: prompts with a document, LPIPS and a plug-in."""
    analyzed = json.loads((BEFORE / "analyzed/manifest.json").read_text(encoding="utf-8"))
    plugin = {"name": "tiny", "package": "tiny-attack", "version": "1"}
    lpips = {"net": "alex", "sha256": "ab"}
    return manifest | {"prompts": analyzed["prompts"], "lpips": lpips, "plugins": [plugin], "redacted": True}


def reported(folder: Path) -> object:
    """Write the report of a run, its names as they are and redacted, and its differences from another run."""
    new = FinishedRun.of(RUN)
    old = FinishedRun.of(folder)
    list(differences(old.manifest, old.summary, None, new))
    return [json_report.write(build(folder, redact=redact)) for redact in (False, True)]


def shard(number: int) -> dict[str, Any]:
    """The manifest of the kept run, as if it were one of two parts."""
    manifest: dict[str, Any] = json.loads((RUN / "manifest.json").read_text(encoding="utf-8"))
    return manifest | {"request": manifest["request"] | {"shard": [number, 2]}}


def merged(folder: Path) -> object:
    """Join a run, the first of two parts, with the second."""
    other = Path(shutil.copytree(RUN, folder.with_name("other")))
    written(other / "manifest.json", json.dumps(shard(2)))
    return merge([folder, other], folder.with_name("joined"))


def first_merged(folder: Path) -> object:
    """Join a run as the first of two parts, whatever its summary says."""
    written(folder / "manifest.json", json.dumps(shard(1)))
    return merged(folder)


def as_toml(place: Path, text: str) -> None:
    """Write a JSON document as TOML; what is no JSON object as it is."""

    def said(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(name)} = {said(one)}" for name, one in value.items()) + "}"
        if isinstance(value, list):
            return f"[{', '.join(map(said, value))}]"
        return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf", "null": '""'}.get(
            plain := json.dumps(value), plain
        )

    try:
        lines = [f"{json.dumps(name)} = {said(value)}" for name, value in json.loads(text).items()]
    except (ValueError, RecursionError, AttributeError):
        lines = [text]
    written(place, "\n".join(lines))


KEPT_PROJECT = {
    "format": "capt-tuning-project",
    "state": asdict(TuneState(data=("/p",), reached=4, settings=(("epochs", 3),), run="running", epoch=2, epochs=5)),
    "version": 1,
    "written": "2026",
}
SCAN = ScanResult("/p", (("all", 3),), (), 3, 3, (), (), (), (), 1.0, inventory=str(RUN / "rows.csv"))
EPOCH = TuneEpoch(1, 3, 0.5, Share(1, 2, 0.1, 0.9), None, True)
DONE = TuneResult("o", "capt", "demo", ("a",), 16, 3, 2, 1, 1, "all", None, None, None, None, 1.0, 0, 8, None)


def kinds(folder: Path) -> dict[str, Kind]:
    """Every kind of file by its name; what they are made from lies in a folder."""
    saved = tuning_state.Saved({"method": "capt"}, 1, 4, 1, [EPOCH], ["a note"], prompts={"a": torch.zeros(2)})
    tuning_state.write(folder / "one.state", saved)
    sums = "0" * 64
    entry = inventory.Entry("a.png", 0, "all", sums, 8, 8)
    first, _, table = inventory.to_bytes(inventory.Inventory("/p", "a {}", ("cat",), (entry,))).partition(b"\r\n")
    manifest, summary, examples = (
        json.loads((RUN / name).read_text(encoding="utf-8"))
        for name in ("manifest.json", "summary.json", "examples.json")
    )
    towers = {"text_config": {"hidden_act": "gelu", "layer_norm_eps": 1e-5, "num_attention_heads": 8}}
    window = {"theme": "dark", "model": "demo", "explore": {"attack": "pgd", "expert": {"pgd": {"steps": 3}}}}
    return {
        "manifest": Kind(manifest, reported, "manifest.json"),
        "manifest with prompts": Kind(with_prompts(manifest), reported, "manifest.json"),
        "manifest of a run to be resumed": Kind(manifest, resumed, "manifest.json"),
        "manifest among kept runs": Kind(manifest, lambda place: kept_runs.kept_runs(place.parent), "manifest.json"),
        "notes of a kept run": Kind({"name": "a", "note": "b", "pinned": True}, kept_runs.notes_of, "notes.json"),
        "summary": Kind(summary, reported, "summary.json"),
        "manifest to be merged": Kind(shard(1), merged, "manifest.json"),
        "summary to be merged": Kind(summary, first_merged, "summary.json"),
        "summary among kept runs": Kind(summary, lambda place: kept_runs.kept_runs(place.parent), "summary.json"),
        "kept pictures": Kind(examples, kept_pictures.read, "examples.json"),
        "prompts": Kind(
            metadata_of(BEFORE / "prompts.safetensors", "capt_prompts"),
            lambda place: checkpoints.read(place / "p.safetensors"),
            "p.safetensors",
            in_safetensors(BEFORE / "prompts.safetensors", "capt_prompts"),
        ),
        "state of a tuning run": Kind(
            metadata_of(folder / "one.state", "capt_tuning"),
            lambda place: tuning_state.read(place / "s.state"),
            "s.state",
            in_safetensors(folder / "one.state", "capt_tuning"),
        ),
        "install record": Kind(
            {"files": {"a": sums}, "when": "", "repo": "r"},
            lambda place: (
                install_record.remembered(place / "note.json") and install_record.changed(place / "note.json")
            ),
            "note.json",
        ),
        "image tower": Kind(
            {"format": 1, "base": "demo", "base_sha256": sums},
            lambda place: clip._named_base(place / "tower.json"),
            "tower.json",
        ),
        "Hugging Face's configuration": Kind(
            towers | {"vision_config": towers["text_config"]}, hugging_face.folder_config, "config.json"
        ),
        "split file": Kind(
            {"train": [["a.png", 0, "cat"]], "val": [["b.png", 1, "dog"]], "test": []},
            lambda place: read_split_file(str(place / "split.json"), [str(place)], sure=True),
            "split.json",
        ),
        "inventory": Kind(
            json.loads(first[2:]),
            lambda place: inventory.read(place / "i.csv"),
            "i.csv",
            lambda place, text: place.write_bytes(b"# " + as_bytes(text) + b"\r\n" + table),
        ),
        "ledger": Kind(
            asdict(LedgerEntry("demo", "https://example.org", 1, sums, "2026", "done")),
            lambda _: offline.ledger(),
            put=lambda _, text: written(data_dir() / offline._LEDGER, text),
        ),
        "cell of a protocol": Kind(
            {"format": 1, "clean": {"k": 1}}, lambda place: WorkFolder(place).read("a"), "cells/a.json"
        ),
        "settings": Kind(window, lambda place: window_settings.load(place / "s.toml"), "s.toml", as_toml),
        "settings of version 1": Kind(
            {"version": 1, "attack": "pgd", "expert": {"pgd": {}}, "steps": 3, "evaluate_test": "pgd"},
            lambda place: window_settings.load(place / "s.toml"),
            "s.toml",
            as_toml,
        ),
        "chosen model": Kind(
            window, lambda _: chosen_model(), put=lambda _, text: as_toml(window_settings.settings_path(), text)
        ),
        "tuning project": Kind(
            KEPT_PROJECT,
            project_file.load,
            project_file.FILE_NAME,
        ),
        "scan of a project": Kind(
            asdict(scan_file._Kept(scan_file._FORMAT, scan_file._VERSION, SCAN)), scan_file.load, scan_file.FILE_NAME
        ),
        "origin of tuned prompts": Kind(
            asdict(tune_run._MadeBy(TuneRequest("d", "o"), "capt tune", epochs=(EPOCH,))),
            lambda place: json_if_sound(place / "m.json", tune_run._MadeBy),
            "m.json",
        ),
    }


def written(place: Path, text: str) -> None:
    """Write a text where the folder may be missing, a lone surrogate too."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(as_bytes(text))
