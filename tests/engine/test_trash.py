"""Nothing that a user made is deleted unasked: the trash gives back what it holds, and is emptied by rules that are said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from capt_engine import records, trash
from capt_engine.errors import BadRequest
from capt_engine.jobs import kept_run_jobs
from capt_engine.runs.kept_runs import delete, kept_runs, listed, write_notes
from capt_engine.runs.manifest_records import Manifest
from capt_engine.runs.run_folder import RunFolder
from capt_engine.trash import TRASH, TrashRules
from tests.engine.reports.made_runs import kept, request, rows

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
USUAL = TrashRules(free_bytes=0)


class Job:
    """A context that counts progress reports and takes no events."""

    def progress(self, done: int, total: int, note: str) -> None:
        """Take a report."""


def folder_of(place: Path, n_bytes: int = 10) -> Path:
    """A folder of this many bytes in one file."""
    place.mkdir(parents=True)
    (place / "rows.csv").write_bytes(b"x" * n_bytes)
    return place


def test_what_is_deleted_can_be_put_back(tmp_path: Path) -> None:
    """All of it, with its notes; it leaves the list, and comes back to its place in it."""
    runs = [kept(tmp_path / name, 2) for name in ("one", "two", "three")]
    write_notes(runs[0], records.RunNotes("overnight", "with the new prompts", pinned=True))
    before = kept_runs(tmp_path)
    files = {file.relative_to(runs[0]) for file in runs[0].rglob("*")}
    job = Job()
    answer = kept_run_jobs.handle_delete_runs(job, records.DeleteRunsRequest(tuple(map(str, runs[:2]))))
    assert [Path(one.folder).name for one in answer.runs] == ["three"]
    assert {one.folder for one in answer.trash} == {str(runs[0]), str(runs[1])}
    assert "overnight" in {one.title for one in answer.trash}
    assert all(one.n_bytes > 0 for one in answer.trash)
    again = kept_run_jobs.handle_restore_runs(job, records.RestoreRunsRequest(tuple(map(str, runs[:2]))))
    assert (again.runs, again.trash) == (before, ())
    assert {file.relative_to(runs[0]) for file in runs[0].rglob("*")} == files
    assert {one.notes.name for one in again.runs} == {"overnight", ""}


def test_a_place_that_is_taken_again_is_not_written_over(tmp_path: Path) -> None:
    """The run stays in the trash, and the newcomer stays as it is."""
    run = kept(tmp_path / "one", 2)
    delete([run])
    folder_of(run, 3)
    with pytest.raises(BadRequest):
        trash.put_back(run)
    assert (run / "rows.csv").read_bytes() == b"xxx"
    assert len(trash.discarded(tmp_path)) == 1
    with pytest.raises(BadRequest, match="no longer in the trash"):
        trash.put_back(tmp_path / "never there")


def test_all_or_none_are_deleted(tmp_path: Path) -> None:
    """One that is no run, or that is being written now, leaves the others where they are."""
    run = kept(tmp_path / "one", 2)
    with pytest.raises(BadRequest, match="holds no run"):
        delete([run, folder_of(tmp_path / "other")])
    going = request(tmp_path / "going")
    with (
        RunFolder(tmp_path / "going", going, {"format": 3, "kind": "evaluate"}, resume=False),
        pytest.raises(BadRequest, match="going on"),
    ):
        delete([run, tmp_path / "going"])
    assert run.is_dir()
    assert not (tmp_path / TRASH).exists()


def test_old_runs_leave_the_trash_and_it_is_said(tmp_path: Path) -> None:
    """After thirty days, and not before; nothing is said where nothing went."""
    for name, days in (("old", 31), ("older", 40), ("new", 29)):
        trash.discard(folder_of(tmp_path / name, 1000), NOW - timedelta(days=days))
    assert trash.empty(tmp_path, USUAL, NOW) == (
        "The trash was emptied of 2 runs (2 kB): deleted more than 30 days ago."
    )
    assert [one.run.name for one in trash.discarded(tmp_path)] == ["new"]
    assert trash.empty(tmp_path, USUAL, NOW) == ""


def test_a_large_trash_loses_its_oldest(tmp_path: Path) -> None:
    """Until it is within its limit."""
    for days in range(1, 6):
        trash.discard(folder_of(tmp_path / str(days), 1000), NOW - timedelta(days=days))
    said = trash.empty(tmp_path, TrashRules(n_bytes=2500, free_bytes=0), NOW)
    assert said == "The trash was emptied of 3 runs (3 kB): the oldest of more than 2.5 kB in the trash."
    assert [one.run.name for one in trash.discarded(tmp_path)] == ["2", "1"]


def test_a_full_disk_empties_the_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first, and no more than is needed; kept runs are never touched for it."""
    usage = namedtuple("usage", "total used free")
    kept_one = folder_of(tmp_path / "kept", 1000)
    for days in (1, 2, 3):
        trash.discard(folder_of(tmp_path / str(days), 1000), NOW - timedelta(days=days))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(9, 9, 5000 - trash.n_bytes_of(Path(place))))
    said = trash.empty(tmp_path, TrashRules(free_bytes=2500), NOW)
    assert said == "The trash was emptied of 2 runs (2 kB): the disk has less than 2.5 kB free."
    assert [one.run.name for one in trash.discarded(tmp_path)] == ["1"]
    assert kept_one.is_dir()


def test_only_what_was_put_there_is_removed(tmp_path: Path) -> None:
    """Other names, files and links in the trash stay, and what a link points to does."""
    elsewhere = folder_of(tmp_path / "elsewhere" / "mine")
    trash.discard(folder_of(tmp_path / "runs" / "one"), NOW - timedelta(days=99))
    place = tmp_path / "runs" / TRASH
    (place / "my own").mkdir()
    (place / "20200101T000000.000000Z_file").write_text("a file", encoding="utf-8")
    try:
        (place / "20200101T000000.000000Z_link").symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert "1 run" in trash.empty(tmp_path / "runs", TrashRules(days=0, n_bytes=0, free_bytes=2**60), NOW)
    trash.empty_all(tmp_path / "runs")
    assert len(list(place.iterdir())) == 3
    assert (elsewhere / "rows.csv").is_file()


def test_listing_empties_and_says_so(tmp_path: Path) -> None:
    """The sentence comes with the list, once."""
    kept(tmp_path / "kept", 2)
    trash.discard(kept(tmp_path / "gone", 2), datetime.now(UTC) - timedelta(days=31))
    assert "1 run" in listed(tmp_path).emptied
    assert listed(tmp_path).emptied == ""
    assert kept_run_jobs.handle_list_runs(Job(), records.ListRunsRequest(str(tmp_path))).trash == ()


def test_the_trash_is_emptied_when_it_is_asked_for(tmp_path: Path) -> None:
    """At once, whatever the rules allow; the kept runs stay."""
    trash.discard(kept(tmp_path / "gone", 2))
    run = kept(tmp_path / "kept", 2)
    answer = kept_run_jobs.handle_empty_trash(Job(), records.EmptyTrashRequest(str(tmp_path)))
    assert (len(answer.runs), answer.trash) == (1, ())
    assert list((tmp_path / TRASH).iterdir()) == []
    assert run.is_dir()


def test_notes_are_kept_with_the_run(tmp_path: Path) -> None:
    """Written, read and replaced; too long ones are refused, damaged ones are none."""
    run = kept(tmp_path / "one", 2)
    notes = records.RunNotes("a", "b", pinned=True)
    answer = kept_run_jobs.handle_note_run(Job(), records.NoteRunRequest(str(run), notes))
    assert answer.runs[0].notes == notes
    with pytest.raises(BadRequest, match="200 are kept"):
        write_notes(run, records.RunNotes("a" * 201))
    (run / "notes.json").write_text("[", encoding="utf-8")
    assert kept_runs(tmp_path)[0].notes == records.RunNotes()


def test_a_stopped_run_is_listed_with_its_pictures(tmp_path: Path) -> None:
    """Those that have all their rows, its size, and the request to go on with; while it is written there is none."""
    run = kept(tmp_path / "one", 3)
    (run / "summary.json").unlink()
    with (run / "rows.csv").open(encoding="utf-8", newline="") as file:
        whole = file.read()
    (run / "rows.csv").write_text(whole[: whole.rindex("\n", 0, -1) + 1], encoding="utf-8", newline="")
    (one,) = kept_runs(tmp_path)
    assert (one.ended, one.n, one.request, one.is_written) == ("", 2, request(run), False)
    assert one.n_bytes == sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    with RunFolder(
        tmp_path / "two", request(tmp_path / "two"), Manifest.read(run / "manifest.json").as_written, resume=False
    ) as folder:
        folder.add(list(rows(request(run), 1)))
        (going, _) = sorted(kept_runs(tmp_path), key=lambda found: not found.is_written)
        assert (going.n, going.request, going.is_written) == (1, None, True)


@pytest.mark.skipif(sys.platform == "win32", reason="that system tells nothing of another process")
def test_a_run_of_another_process_is_left_alone(tmp_path: Path) -> None:
    """It is listed as going on, and neither deleted nor resumed, until that process is gone, however it ended."""
    run = kept(tmp_path / "one", 2)
    (run / "summary.json").unlink()
    code = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run / "rows.csv")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (one,) = kept_runs(tmp_path)
        assert (one.is_written, one.request) == (True, None)
        with pytest.raises(BadRequest, match="going on"):
            delete([run])
        with pytest.raises(BadRequest, match="going on"):
            RunFolder(run, request(run), {}, resume=True)
        other.kill()
    (one,) = kept_runs(tmp_path)
    assert (one.is_written, one.n) == (False, 2)
