"""Run folders may be anybody's: nothing in one leads out of it, and what does not fit is refused in a sentence."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from capt_engine.errors import BadRequest
from capt_engine.reports.build import build
from capt_engine.runs import reader
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.kept_runs import kept_runs
from capt_engine.runs.merge import merge
from tests.engine.reports.made_runs import kept

BEFORE = Path(__file__).parent / "before"
OUTSIDE = ("../../.bashrc", "/etc/passwd", "../rows.csv", "a/b.png", "", "0123456789abcdef_seen.png\x00")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four pictures that keeps some of them."""
    return kept(tmp_path_factory.mktemp("sound") / "run", 4)


@pytest.fixture
def run(sound: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be changed."""
    return Path(shutil.copytree(sound, tmp_path / "run"))


def changed(folder: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the list of kept pictures of a run."""
    entries = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    change(entries)
    (folder / "examples.json").write_text(json.dumps(entries), encoding="utf-8")


def parts(place: Path) -> list[Path]:
    """Two shards of one run."""
    return [kept(place / f"part{i}", 2, first=2 * i, shard=(i + 1, 2)) for i in range(2)]


@pytest.mark.parametrize("name", [one for one in OUTSIDE if one])
def test_merge_writes_nothing_where_a_list_of_pictures_points(tmp_path: Path, name: str) -> None:
    """A part from elsewhere that names a file outside is refused; before, its picture was written there."""
    (tmp_path / "home").mkdir()
    own = tmp_path / "home/.bashrc"
    own.write_text("mine", encoding="utf-8")
    first, second = parts(tmp_path / "home/runs")
    target = first / "examples" / name
    if ".bashrc" in name:
        target.resolve().write_text("theirs", encoding="utf-8")
        own.write_text("mine", encoding="utf-8")
    changed(first, lambda entries: entries[0].update(seen=name))
    with pytest.raises(BadRequest, match="kept picture"):
        merge([first, second], tmp_path / "home/runs/joined")
    assert not (tmp_path / "home/runs/joined").exists()
    assert own.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", [one for one in OUTSIDE if one])
def test_a_report_shows_no_picture_from_outside(run: Path, name: str) -> None:
    """The list of kept pictures can name nothing but files of the run."""
    changed(run, lambda entries: [one.update(adversarial=name) for one in entries])
    with pytest.raises(BadRequest, match="kept picture"):
        build(run)


@pytest.mark.parametrize("name", ["manifest.json", "summary.json", "rows.csv", "examples.json"])
def test_links_out_of_a_run_are_not_followed(run: Path, tmp_path: Path, name: str) -> None:
    """A report attaches these files: a link would make it carry a file of the reader's own."""
    outside = tmp_path / "private"
    shutil.move(run / name, outside)
    (run / name).symlink_to(outside)
    with pytest.raises(BadRequest, match="link out of the run's folder"):
        build(run)


def test_a_kept_picture_that_is_a_link_is_not_followed(run: Path, tmp_path: Path) -> None:
    """A picture from anywhere would otherwise be embedded into the report."""
    picture = next(iter((run / "examples").glob("*_seen.png")))
    shutil.move(picture, tmp_path / "private.png")
    picture.symlink_to(tmp_path / "private.png")
    with pytest.raises(BadRequest, match="link out of the run's folder"):
        build(run)


def test_merge_copies_no_attacked_picture_that_is_a_link(tmp_path: Path) -> None:
    """The copies would hold what the link leads to."""
    both = parts(tmp_path)
    (tmp_path / "private").write_text("secret", encoding="utf-8")
    (both[0] / "attacked/00001_x.png").symlink_to(tmp_path / "private")
    with pytest.raises(BadRequest, match="link out of the run's folder"):
        merge(both, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_a_link_inside_a_run_and_to_a_run_is_followed(run: Path, tmp_path: Path) -> None:
    """Where a whole run lies is its owner's business."""
    (run / "rows.csv").rename(run / "table.csv")
    (run / "rows.csv").symlink_to("table.csv")
    (tmp_path / "link").symlink_to(run)
    assert len(list(FinishedRun.of(tmp_path / "link").lines())) == 24


def test_a_large_kept_picture_is_left_out(run: Path, tmp_path: Path) -> None:
    """One kilobyte of PNG may claim a thousand million pixels; what cannot be a model's input is not decoded."""
    Image.new("1", (5_000, 5_000)).save(tmp_path / "bomb.png")
    for picture in (run / "examples").glob("*.png"):
        shutil.copy(tmp_path / "bomb.png", picture)
    began = time.process_time()
    assert reader.example_picture(run, picture.name) is None
    assert time.process_time() - began < 0.1
    assert "examples" not in [one.id for one in build(run).sections]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("clean_conf", "nan"),
        ("clean_conf", "7"),
        ("clean_conf", ""),
        ("adv_conf", "high"),
        ("eps", "inf"),
        ("eps", "x"),
        ("time_s", "9" * 400),
        ("success", "True"),
        ("margin_shift", "-inf"),
        ("alpha", "nan"),
        ("minimal_eps", "-1"),
        ("steps", "many"),
        ("label", "\udcff"),
        ("path", ""),
    ],
)
def test_a_row_that_says_nothing_is_refused(run: Path, column: str, value: str) -> None:
    """The sentence names the row, the column and what stands there."""
    with (run / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[3][column] = value
    with (run / "rows.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(BadRequest, match=f"Row 4 of .* its {column} is"):
        build(run)


@pytest.mark.parametrize("text", ["", "path,label\r\na,b\r\n", "x" * (1 << 21), 'path,"' + "x\n" * 100_000])
def test_a_file_that_is_no_table_of_rows_is_refused(run: Path, text: str) -> None:
    """Nothing, another table, and lines and cells without end."""
    (run / "rows.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest, match=r"rows\.csv"):
        build(run)


def test_a_number_that_is_none_in_a_manifest_is_refused(run: Path) -> None:
    """Python's JSON knows NaN; the report's JSON does not."""
    text = (run / "summary.json").read_text(encoding="utf-8").replace('"n": 4', '"n": 4, "drift": NaN', 1)
    (run / "summary.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest, match="not a finite number"):
        build(run)


def test_one_bad_folder_does_not_empty_the_list_of_runs(tmp_path: Path) -> None:
    """Links, pipes, nonsense and a time before all calendars are passed over; the good run is listed."""
    good = kept(tmp_path / "good", 2)
    for i, text in enumerate(("[" * 100_000, "{}", "[]", '{"request": {"data": "\\ud800"}}', "\x00")):
        bad = Path(shutil.copytree(good, tmp_path / f"bad{i}"))
        (bad / "manifest.json").write_text(text, encoding="utf-8")
    early = Path(shutil.copytree(good, tmp_path / "early"))
    manifest = json.loads((early / "manifest.json").read_text(encoding="utf-8"))
    (early / "manifest.json").write_text(json.dumps(manifest | {"ended": "0001-01-01T00:00:00"}), encoding="utf-8")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    out = Path(shutil.copytree(good, tmp_path / "out"))
    (out / "rows.csv").unlink()
    (out / "rows.csv").symlink_to("/dev/zero")
    began = time.process_time()
    assert str(good) in [one.folder for one in kept_runs(tmp_path)]
    assert time.process_time() - began < 2


def test_every_run_of_an_older_version_is_read() -> None:
    """The checks of the reader hold for what was written before there were any."""
    for name in ("analyzed", "evaluated"):
        assert list(reader.lines(BEFORE / name))
