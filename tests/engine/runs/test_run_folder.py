"""What a run leaves on disk: a manifest that says everything, rows, and a bounded number of pictures."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from capt_engine.errors import BadRequest
from capt_engine.formatting import typed_budget
from capt_engine.reports import REPORTS
from capt_engine.reports.build import build
from capt_engine.runs import kept_pictures
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.kept_runs import kept_runs
from capt_engine.runs.manifest import digest
from capt_engine.runs.manifest_records import Manifest
from capt_engine.runs.request_text import from_json
from capt_engine.runs.run_folder import RunFolder, refuse_unless_free
from capt_engine.runs.table import columns
from tests.engine.reports.made_runs import blank, kept, request, rows
from tests.engine.settings import changed


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of thirty pictures."""
    return kept(tmp_path_factory.mktemp("kept") / "run", 30)


def test_the_manifest_says_everything(run: Path) -> None:
    """Versions, machine, seeds, hashes, times, and the request that can be read back whole."""
    told = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert {"capt-explorer", "python", "torch", "open_clip_torch", "Pillow", "numpy", "platform"} <= told[
        "versions"
    ].keys()
    assert {"device", "precision", "threads", "processor", "deterministic"} <= told["machine"].keys()
    assert told["model"] == {"id": "demo", "sha256": "ab" * 32}
    assert told["pictures"]["n"] == 30
    with (run / "rows.csv").open(newline="", encoding="utf-8") as file:
        assert told["pictures"]["sha256"] == digest(sorted({row["sha256"] for row in csv.DictReader(file)}))
    assert told["started"] <= told["ended"]
    assert from_json(Manifest.of(told)) == request(run)


def test_a_bounded_number_of_pictures_is_kept(run: Path) -> None:
    """Four worst, four best and four by the seed for each set of prompts, and no file that nobody shows."""
    found = kept_pictures.read(run)
    assert len(found) == 2 * 3 * 4
    shifts = [row for row in rows(request(run), 30) if row.prompt_id == "none" and row.threat.eps == 4 / 255]
    worst = sorted(dict(row.metrics)["margin_shift"] for row in shifts)[:4]
    assert [one.margin_shift for one in found if (one.role, one.prompt_id) == ("worst", "none")] == worst
    assert {file.name for file in (run / "examples").iterdir()} == kept_pictures.files_of(found)


def test_kept_pictures_do_not_depend_on_the_order(run: Path, tmp_path: Path) -> None:
    """Backwards the same pictures are chosen."""
    backwards = list(rows(request(tmp_path / "back"), 30))[::-1]
    kept(tmp_path / "back", 30, given=backwards)
    assert set(kept_pictures.read(tmp_path / "back")) == set(kept_pictures.read(run))


def test_a_run_without_an_end_is_no_finished_one(run: Path, tmp_path: Path) -> None:
    """The sentence says how to finish it; what is no run is refused as well."""
    (tmp_path / "cut").mkdir()
    for name in ("manifest.json", "rows.csv"):
        (tmp_path / "cut" / name).write_bytes((run / name).read_bytes())
    with pytest.raises(BadRequest, match="--resume"):
        FinishedRun.of(tmp_path / "cut")
    with pytest.raises(BadRequest, match="no run"):
        FinishedRun.of(tmp_path)


def test_a_run_of_an_older_version_is_gone_on_with(run: Path, tmp_path: Path) -> None:
    """It did not know LPIPS, so it measured none: the same request goes on, one that measures it does not."""
    folder = tmp_path / "older"
    folder.mkdir()
    told = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    del told["lpips"], told["request"]["options"]["lpips"]
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "rows.csv").write_bytes((run / "rows.csv").read_bytes())
    with RunFolder(folder, request(run), {"lpips": None}, resume=True) as taken:
        assert len(taken.done) == 30
    with pytest.raises(BadRequest, match="another lpips"):
        RunFolder(folder, request(run, lpips="alex"), {"lpips": {"sha256": "aa"}}, resume=True)


def on(folder: Path, device: str, precision: str, name: str = "") -> dict[str, object]:
    """The manifest of a continuation of the run on that device."""
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    machine = {**told["machine"], "device": device, "device_name": name, "precision": precision}
    return {**told, "machine": machine, "segments": [], "versions": {**told["versions"], "torch": "2.9.1"}}


def test_a_run_that_goes_on_elsewhere_says_where_its_rows_were_computed(tmp_path: Path) -> None:
    """Device, name, precision and torch of each segment that has rows stand in the manifest; unlike ones in a note and in the report."""
    folder = kept(tmp_path / "run", 9)
    asked = request(folder, resume=True)
    given, each = list(rows(asked, 9)), asked.rows_per_picture
    (folder / "manifest.json").write_text(json.dumps(on(folder, "cpu", "fp32", "a CPU")))
    cut = (folder / "rows.csv").read_bytes().splitlines(keepends=True)[: 1 + 3 * each]
    (folder / "rows.csv").write_bytes(b"".join(cut))
    first = "rows from 1: cpu (a CPU), fp32, torch 2.9.1"
    for precision, done, last in (("fp32", 3, 3), ("bf16", 3, 6), ("fp32", 6, 9)):
        moved = changed(asked, device="cuda", precision=precision)
        with RunFolder(folder, moved, on(folder, "cuda", precision, "a GPU"), resume=True) as taken:
            assert len(taken.done) == done
            taken.add(given[done * each : last * each])
            result = taken.counted(blank(asked, 9), None)
    manifest = Manifest.read(folder / "manifest.json")
    found = [(one.first_row, one.machine.device, one.machine.precision) for one in manifest.segments]
    # The one that added no row is no segment.
    assert found == [(0, "cpu", "fp32"), (3 * each, "cuda", "bf16"), (6 * each, "cuda", "fp32")]
    (note,) = result.notes
    assert f"{first}; rows from {3 * each + 1}: cuda (a GPU), bf16, torch 2.9.1; rows from {6 * each + 1}: " in note
    assert result.device == "cpu, cuda"
    told = json.dumps(json.loads(REPORTS["json"].write(build(folder)))["sections"])
    assert first in told
    assert "Not all rows were computed alike" in told


def test_a_run_that_goes_on_where_it_began_has_nothing_to_say(tmp_path: Path) -> None:
    """Two segments on one device are as one; and a CPU in fp32 promises more than a GPU or bf16."""
    folder = kept(tmp_path / "run", 4)
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    cut = (folder / "rows.csv").read_bytes().splitlines(keepends=True)
    asked = request(folder, resume=True)
    (folder / "rows.csv").write_bytes(b"".join(cut[: 1 + asked.rows_per_picture]))
    with RunFolder(folder, asked, told, resume=True) as taken:
        taken.add(list(rows(asked, 4))[asked.rows_per_picture :])
        assert taken.counted(blank(asked, 9), None).notes == ()
    assert len(Manifest.read(folder / "manifest.json").segments) == 2
    for device, precision, words in (
        ("cpu", "fp32", "the same rows bit for bit"),
        ("cpu", "bf16", "The rows need not be"),
        ("cuda", "fp32", "This run was computed on a GPU in fp32."),
    ):
        manifest = on(folder, device, precision, "a GPU" if device == "cuda" else "")
        (folder / "manifest.json").write_text(json.dumps(manifest))
        said = json.dumps(json.loads(REPORTS["json"].write(build(folder)))["sections"])
        assert words in said
        assert ("the same rows bit for bit" in said) == ((device, precision) == ("cpu", "fp32"))


def test_kept_runs_are_listed_newest_first(run: Path, tmp_path: Path) -> None:
    """A finished one with its end and its count, an unfinished one without, nothing else."""
    first = kept(tmp_path / "first", 3)
    told = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    (first / "manifest.json").write_text(json.dumps({**told, "ended": "2001-01-01T00:00:00+01:00"}), encoding="utf-8")
    kept(tmp_path / "second", 4)
    kept(tmp_path / "third", 2)
    (tmp_path / "third" / "summary.json").unlink()
    (tmp_path / "no run").mkdir()
    found = kept_runs(tmp_path)
    assert {Path(one.folder).name for one in found} == {"first", "second", "third"}
    assert Path(found[-1].folder).name == "first"
    by_name = {Path(one.folder).name: one for one in found}
    assert (by_name["second"].n, by_name["second"].labelled, by_name["third"].ended) == (4, True, "")
    assert by_name["first"].ended.startswith("2001")
    assert kept_runs(tmp_path / "nowhere") == ()
    assert run.is_dir()


def test_a_request_from_a_newer_version_is_refused(run: Path) -> None:
    """By the name of what is not known; and what is no request at all with a sentence."""
    told = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    with pytest.raises(BadRequest, match="colour"):
        from_json(Manifest.of({**told, "request": {**told["request"], "colour": 1}}))
    with pytest.raises(BadRequest, match="missing required field `data`"):
        from_json(Manifest.of({"format": 2}))


def test_budgets_are_typed_as_people_do() -> None:
    """As k/255 where that is exactly the number."""
    assert [typed_budget(eps) for eps in (4 / 255, 0.5, 2.5 / 255, 0.0)] == ["4/255", "0.5", "2.5/255", "0"]


def test_a_run_of_before_is_still_read(run: Path, tmp_path: Path) -> None:
    """Without the later columns, with those that repeated others, and without the summary's later fields, reports and resuming work."""
    old = tmp_path / "old"
    shutil.copytree(run, old)
    repeated = {"margin_clean": "clean_margin", "margin_attacked": "adv_margin"}
    names = [*columns()[: columns().index("survives_jpeg75")], *repeated]
    with (run / "rows.csv").open(newline="", encoding="utf-8") as file, (old / "rows.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(
            line | {name: line[as_now] for name, as_now in repeated.items()} for line in csv.DictReader(file)
        )
    told = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    later = ("text_drift", "memory_bytes")
    (old / "summary.json").write_text(json.dumps({name: told[name] for name in told if name not in later}))
    for form in REPORTS:
        assert form.write(build(old))
    whole = request(old, resume=True)
    manifest = json.loads((old / "manifest.json").read_text(encoding="utf-8"))
    manifest["request"]["options"] |= {"keep": str(old)}
    (old / "manifest.json").write_text(json.dumps(manifest))
    with RunFolder(old, whole, {}, resume=True) as folder:
        assert len(folder.done) == 30
    with (old / "rows.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert {line["entropy_clean"] for line in reader} == {""}
        assert tuple(reader.fieldnames or ()) == columns()


def test_going_on_leaves_what_others_put_beside_the_pictures(tmp_path: Path) -> None:
    """Of a run's own pictures those that nobody shows any more go; notes, links and pictures of the user's stay."""
    asked = request(tmp_path / "run")
    given = list(rows(asked, 30))
    with RunFolder(tmp_path / "run", asked, {}, resume=False) as folder:
        folder.add(given[:60])
        examples = tmp_path / "run" / "examples"
        ours = {one.name for one in examples.iterdir()}
        mine = {"notes.txt", "cat.png", "0123456789abcdef.png", "0123456789abcdef_seen.png.bak"}
        for name in mine:
            (examples / name).write_bytes(b"mine")
        folder.add(given[60:])
    left = {one.name for one in examples.iterdir()}
    assert mine <= left
    assert ours - left
    assert left - mine == kept_pictures.files_of(kept_pictures.read(tmp_path / "run"))


def test_a_place_that_is_no_folder_is_called_so(tmp_path: Path) -> None:
    """A file, a device and a link that leads nowhere are refused before anything is loaded."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place in (tmp_path / "file", tmp_path / "link", Path(os.devnull)):
        with pytest.raises(BadRequest, match="is no folder"):
            refuse_unless_free(place, resume=False)
    refuse_unless_free(tmp_path / "new", resume=False)
