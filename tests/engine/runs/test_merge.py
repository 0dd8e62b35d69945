"""Shards joined are the run they are parts of; two runs of one request are compared row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capt_engine.errors import BadRequest
from capt_engine.records import PictureRow
from capt_engine.reports.build import build
from capt_engine.runs import kept_pictures
from capt_engine.runs.differences import differences
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest_records import Manifest
from capt_engine.runs.merge import merge
from capt_engine.runs.reader import lines
from capt_engine.runs.run_folder import RunFolder
from tests.engine.reports.made_runs import kept, request, rows


def part(folder: Path, number: int, of: int, n: int) -> Path:
    """The shard of a run of n pictures that the engine would have made."""

    def given() -> Iterator[PictureRow]:
        for i in range(number - 1, n, of):
            yield from rows(request(folder), 1, first=i)

    return kept(folder, len(range(number - 1, n, of)), given=given(), shard=(number, of))


PLUGIN = {"name": "tiny", "package": "capt-example", "version": "1.0"}


def with_plugins(folder: Path, plugins: list[dict[str, str]] | None) -> Path:
    """The run, as if those plug-ins had been there; None is a manifest of before there were any."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest.pop("plugins")
    told = manifest if plugins is None else {**manifest, "plugins": plugins}
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def test_parts_made_with_other_plug_ins_are_refused(tmp_path: Path) -> None:
    """Their columns differ; a part that an older version made had none."""
    parts = [part(tmp_path / str(i), i, 2, 4) for i in (1, 2)]
    merge([with_plugins(parts[0], None), parts[1]], tmp_path / "joined")
    with pytest.raises(BadRequest, match="plug-ins"):
        merge([with_plugins(parts[1], [PLUGIN]), parts[0]], tmp_path / "refused")


def test_a_run_is_not_resumed_with_other_plug_ins(tmp_path: Path) -> None:
    """The rows of one file have the same columns from top to bottom."""
    run = with_plugins(part(tmp_path / "run", 1, 2, 4), [PLUGIN])
    asked = request(tmp_path / "run", shard=(1, 2), resume=True)
    with pytest.raises(BadRequest, match="other plug-ins"):
        RunFolder(run, asked, {"plugins": []}, resume=True)
    with RunFolder(run, asked, {"plugins": [PLUGIN]}, resume=True) as folder:
        assert folder.done


def timeless(folder: Path) -> list[dict[str, str]]:
    """The rows without their times."""
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        return [{**row, "time_s": ""} for row in csv.DictReader(file)]


def figures(folder: Path) -> dict[str, Any]:
    """What a summary says, but for times and places; a mean may differ in its last digit, by the order of adding."""
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    names = ("n", "clean_accuracy", "clean_interval", "robust_accuracy", "robust_interval", "curve", "per_class")
    return {name: told[name] for name in names} | {
        "b": told["compare"]["robust_accuracy"],
        "p": told["compare"]["paired_robust"],
    }


def test_what_no_row_tells_is_joined_too(tmp_path: Path) -> None:
    """How far the texts drifted, notes and unknown words are the same in every part; of their memory the most counts."""
    parts = [part(tmp_path / str(i), i, 2, 6) for i in (1, 2)]
    drift = {"prompts": "none", "value": 0.5, "classes": 3}
    word = {"word": "ox", "known": 9, "classes": ["ox"], "nearest": ["fox"], "tuned": False, "sentence": ""}
    for number, folder in enumerate(parts, 1):
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        told |= {"text_drift": [drift], "memory_bytes": number, "unknown_words": [word], "notes": ["pgd: slow"]}
        (folder / "summary.json").write_text(json.dumps(told), encoding="utf-8")
    merge(parts, tmp_path / "joined")
    joined = json.loads((tmp_path / "joined" / "summary.json").read_text(encoding="utf-8"))
    assert (joined["text_drift"], joined["memory_bytes"]) == ([drift], 2)
    assert joined["notes"] == ["pgd: slow"]
    assert [(one["word"], one["nearest"]) for one in joined["unknown_words"]] == [("ox", ["fox"])]
    assert joined["figures"]["text_drift"] == {"value": 0.5, "n": 3}


def test_two_shards_are_the_whole(tmp_path: Path) -> None:
    """Rows in the same order, figures, kept pictures and the hash of the rows; failures of both."""
    whole = kept(tmp_path / "whole", 13)
    parts = [part(tmp_path / str(i), i, 2, 13) for i in (2, 1)]
    merge(parts, tmp_path / "joined")
    assert timeless(tmp_path / "joined") == timeless(whole)
    assert figures(tmp_path / "joined") == figures(whole)
    assert set(kept_pictures.read(tmp_path / "joined")) == set(kept_pictures.read(whole))
    mine, theirs = FinishedRun.of(tmp_path / "joined"), FinishedRun.of(whole)
    for name in ("rows", "pictures", "classes_sha256"):
        assert getattr(mine.manifest, name) == getattr(theirs.manifest, name)
    assert len(mine.summary.failed) == 2
    assert len(list((tmp_path / "joined" / "attacked").iterdir())) == len(list((whole / "attacked").iterdir()))
    assert build(tmp_path / "joined").subtitle == build(whole).subtitle


def test_other_parts_are_refused(tmp_path: Path) -> None:
    """A part twice, a part missing, another seed, a folder that is in use: nothing is written."""
    one, two = (part(tmp_path / str(i), i, 2, 4) for i in (1, 2))
    other = kept(tmp_path / "other", 2, shard=(2, 2), seed=5)
    for runs, words in (([one, one], "do not make up"), ([one, other], "another"), ([one], "no merging")):
        if runs[-1] == other:
            told = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
            told["request"]["options"]["seed"] = 5
            (other / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
        with pytest.raises(BadRequest, match=words):
            merge(runs, tmp_path / "joined")
    with pytest.raises(BadRequest, match="not empty"):
        merge([one, two], one)
    assert not (tmp_path / "joined").exists()


def test_a_part_of_very_many_is_refused(tmp_path: Path) -> None:
    """A file may say that it is one of a million million parts: a sentence, not as much memory."""
    parts = [part(tmp_path / str(i), i, 2, 4) for i in (1, 2)]
    told = json.loads((parts[0] / "manifest.json").read_text(encoding="utf-8"))
    told["request"]["shard"] = [1, 10**12]
    (parts[0] / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(BadRequest, match="1/1000000000000, 2/2 do not make up one run"):
        merge(parts, tmp_path / "joined")


def test_parts_measured_with_other_lpips_weights_are_refused(tmp_path: Path) -> None:
    """Their means would be of two different distances."""
    parts = [part(tmp_path / str(i), i, 2, 4) for i in (1, 2)]
    for folder, digest in zip(parts, ("aa", "bb"), strict=True):
        told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        (folder / "manifest.json").write_text(json.dumps({**told, "lpips": {"sha256": digest}}), encoding="utf-8")
    with pytest.raises(BadRequest, match="other weights"):
        merge(parts, tmp_path / "joined")


def test_parts_from_other_devices_are_joined_and_it_is_said(tmp_path: Path) -> None:
    """Device, its name, precision and system may differ, each part's stands in the manifest; alike ones need no sentence."""
    parts = [part(tmp_path / str(i), i, 2, 4) for i in (1, 2)]
    merge(parts, tmp_path / "alike")
    assert FinishedRun.of(tmp_path / "alike").summary.notes == ()
    told = json.loads((parts[1] / "manifest.json").read_text(encoding="utf-8"))
    told["machine"] |= {"device": "cuda", "device_name": "a GPU", "precision": "bf16"}
    told["request"]["options"] |= {"device": "cuda", "precision": "bf16"}
    told["versions"]["platform"] = "another system"
    (parts[1] / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    result = merge(parts, tmp_path / "joined")
    joined = FinishedRun.of(tmp_path / "joined")
    assert [(one.shard, one.machine.device) for one in joined.manifest.segments] == [("1/2", "cpu"), ("2/2", "cuda")]
    (note,) = joined.summary.notes
    assert note.startswith("Not all rows were computed alike: part 1/2: cpu (")
    assert "; part 2/2: cuda (a GPU), bf16, torch " in note
    assert (result.notes, result.device) == ((note,), "cpu, cuda")
    # Whoever repeats it hears of it too.
    assert f"machine: {note}" in differences(joined.manifest, None, None, joined)


def test_the_same_run_again_has_no_difference(tmp_path: Path) -> None:
    """Times, and the place that the run is kept in, are none."""
    old, new = FinishedRun.of(kept(tmp_path / "old")), FinishedRun.of(kept(tmp_path / "new"))
    assert list(differences(old.manifest, old.summary, old.lines(), new)) == []
    assert list(differences(old.manifest, None, None, new)) == []


def test_a_planted_difference_is_found(tmp_path: Path) -> None:
    """One figure of one row, one version, one missing row: each in a sentence of its own."""
    old, new = FinishedRun.of(kept(tmp_path / "old")), FinishedRun.of(kept(tmp_path / "new"))
    changed = list(lines(new.folder))
    changed[3] = {**changed[3], "adv_conf": "0.125"}
    found = list(differences(old.manifest, old.summary, changed, new))
    assert len(found) == 1
    assert "adv_conf was 0.125" in found[0]
    assert changed[3]["path"] in found[0]
    assert "no such row before" in next(iter(differences(old.manifest, None, changed[:3] + changed[4:], new)))
    written = old.manifest.as_written
    versions = {**written, "versions": {**old.manifest.versions, "torch": "0.1"}}
    (said,) = differences(Manifest.of(versions), None, None, new)
    assert said.startswith("versions, torch: 0.1 before")
    (said,) = differences(Manifest.of({**written, "plugins": [PLUGIN]}), None, None, new)
    assert said.startswith("plugins: [{'name': 'tiny'")
    hashes = {**written, "rows": {"n": 1, "sha256": "00"}, "classes_sha256": "11"}
    assert len(list(differences(Manifest.of(hashes), None, None, new))) == 2
