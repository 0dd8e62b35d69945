"""Scanning and splitting as jobs: what leaves on the way, what is written, and that nothing half done is left behind."""

from __future__ import annotations

import csv
import hashlib
import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from capt_engine.api import Engine
from capt_engine.data import inventory
from capt_engine.data.sources import load_splits
from capt_engine.errors import BadRequest, Cancelled
from capt_engine.jobs import data_jobs
from capt_engine.jobs.context import FileContext
from capt_engine.jobs.data_jobs import handle_scan, handle_split, handle_toy_world
from capt_engine.model import vocabulary
from capt_engine.model.vocabulary import Vocabulary
from capt_engine.progress import no_progress
from capt_engine.records import (
    CountTokensRequest,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    PreviewsReady,
    ScanRequest,
    ScanResult,
    SplitRequest,
    SplitResult,
    TokensCounted,
    ToyWorldDrawn,
    ToyWorldRequest,
)
from tests.engine.data.drawn_pictures import class_folder

JOB = JobId(1)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of twelve, one of them with two broken files at its beginning."""
    root = tmp_path_factory.mktemp("toys")
    for at, name in enumerate(("cat", "dog", "long haired owl")):
        class_folder(root / name, 12, seed=at)
    for name in ("00.png", "01.png"):
        (root / "cat" / name).write_bytes(b"broken")
    return root


def no_model(request: Any, _tick: Any) -> Any:
    """Stands in for the worker that computes, of which nothing is to be asked."""
    raise AssertionError(f"A model was asked: {request}")


def scan(request: ScanRequest, progress: Any = no_progress) -> tuple[ScanResult, list[Any]]:
    """The result, and the events on the way."""
    events: list[Any] = []
    return handle_scan(FileContext(JOB, events.append, progress, no_model), request), events


def test_the_first_usable_pictures_of_each_class_leave_as_small_views(toys: Path) -> None:
    """So many of each class and no more, in its order, none of the broken ones, within the size, with their class."""
    _, events = scan(ScanRequest((str(toys),), thumbnails=5, size=24))
    assert all(isinstance(event, PreviewsReady) for event in events)
    views = [view for event in events for view in event.previews]
    for name in ("cat", "dog", "long haired owl"):
        mine = [view for view in views if view.class_name == name]
        assert [view.path for view in mine] == [str(toys / name / f"{at}.png") for at in range(5)]
        assert {(view.width, view.thumbnail.width, len(view.thumbnail.rgb)) for view in mine} == {(40, 24, 24 * 24 * 3)}
    assert len(views) == 15


def test_every_class_has_something_to_show_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures to be shown are read before all others, whichever class they are of."""
    monkeypatch.setattr(data_jobs, "GATHER_S", 0.0)
    for at in range(4):
        class_folder(tmp_path / f"set/kind {at}", 30, seed=at)
    shown: list[str] = []
    seen_after: dict[int, list[str]] = {}

    def on_event(event: Any) -> None:
        shown.extend(view.class_name for view in event.previews)

    def progress(done: int, *_: object) -> None:
        seen_after.setdefault(done, list(shown))

    job = FileContext(JOB, on_event, progress, no_model)
    handle_scan(job, ScanRequest((str(tmp_path / "set"),), thumbnails=3))
    assert seen_after[16] == shown == [f"kind {at}" for at in range(4) for _ in range(3)]


def test_small_views_travel_in_handfuls(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one by one; and none where none are wanted."""
    monkeypatch.setattr(data_jobs, "GATHER_S", 1e9)
    assert [len(event.previews) for event in scan(ScanRequest((str(toys),)))[1]] == [18]
    monkeypatch.setattr(data_jobs, "GATHER_S", 0.0)
    assert [len(event.previews) for event in scan(ScanRequest((str(toys),)))[1]] == [1] * 18
    assert scan(ScanRequest((str(toys),), thumbnails=0))[1] == []


def test_the_inventory_is_kept_where_it_was_asked_for(toys: Path, tmp_path: Path) -> None:
    """It holds every picture, broken ones with their reason; without a place, nothing is written."""
    result, _ = scan(ScanRequest((str(toys),), keep=str(tmp_path / "wizard"), template="a drawing of a {}."))
    assert result.inventory == str(tmp_path / "wizard/inventory.csv")
    kept = inventory.read(result.inventory)
    assert (kept.template, result.template) == ("a drawing of a {}.", "a drawing of a {}.")
    assert len(kept.entries) == result.listed == 38
    assert [Path(entry.path).name for entry in kept.entries if entry.problem] == ["00.png", "01.png"]
    first = next(entry for entry in kept.entries if not entry.problem)
    assert first.sha256 == hashlib.sha256(Path(first.path).read_bytes()).hexdigest()
    assert scan(ScanRequest((str(toys),)))[0].inventory == ""
    assert [path.name for path in tmp_path.rglob("*")] == ["wizard", "inventory.csv"]


def test_the_data_sets_own_template_is_taken(tmp_path: Path) -> None:
    """One that stands beside the classes goes into the inventory and into the list; one that makes no sense is refused."""
    for at, name in enumerate(("cat", "dog")):
        class_folder(tmp_path / "set" / name, 4, seed=at)
    (tmp_path / "set/template.txt").write_text("a sketch of a {}.\n")
    result, _ = scan(ScanRequest((str(tmp_path / "set"),), keep=str(tmp_path)))
    assert result.template == "a sketch of a {}."
    divided = split(SplitRequest(result.inventory, shots=1, out=str(tmp_path / "split.csv")))
    assert {each.template for each in load_splits(divided.out).values()} == {"a sketch of a {}."}
    with pytest.raises(BadRequest, match="not one line with one"):
        scan(ScanRequest((str(tmp_path / "set"),), template="a sketch"))


@pytest.mark.parametrize("stop_at", range(1, 8))
def test_stopped_anywhere_an_older_inventory_stays(toys: Path, tmp_path: Path, stop_at: int) -> None:
    """While looking, reading, comparing or writing: nothing half done, and what was there is untouched."""
    place = tmp_path / "inventory.csv"
    place.write_bytes(b"older")
    count = 0

    def progress(*_: object) -> None:
        nonlocal count
        count += 1
        if count == stop_at:
            raise Cancelled

    with pytest.raises(Cancelled):
        scan(ScanRequest((str(toys),), keep=str(tmp_path)), progress)
    assert place.read_bytes() == b"older"
    assert os.listdir(tmp_path) == ["inventory.csv"]  # noqa: PTH208


LOOP = """
import sys
from capt_engine.jobs.context import FileContext
from capt_engine.jobs.data_jobs import handle_scan
from capt_engine.progress import no_progress
from capt_engine.records import ScanRequest
while True:
    handle_scan(FileContext(1, lambda event: None, no_progress, None), ScanRequest((sys.argv[1],), keep=sys.argv[2]))
    print("written", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="a kill that nobody can catch")
@pytest.mark.parametrize("later_s", [0.0, 0.007, 0.019])
def test_killed_at_any_time_the_inventory_is_whole(toys: Path, tmp_path: Path, later_s: float) -> None:
    """A scan that is repeated again and again is killed without warning; what stands there is a whole inventory."""
    with subprocess.Popen(
        [sys.executable, "-c", LOOP, str(toys), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "written\n"
        time.sleep(later_s)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert len(inventory.read(tmp_path / "inventory.csv").entries) == 38


def split(request: SplitRequest) -> SplitResult:
    """The result of a split, whose events are none."""
    events: list[Any] = []
    result = handle_split(FileContext(JOB, events.append, no_progress, no_model), request)
    assert events == []
    return result


@pytest.fixture(scope="module")
def kept(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The inventory of the toys."""
    return scan(ScanRequest((str(toys),), keep=str(tmp_path_factory.mktemp("kept"))))[0].inventory


def test_a_split_is_previewed_and_then_written(kept: str, tmp_path: Path) -> None:
    """Without a place nothing is written; the written list says what the preview said, and its sum is told."""
    preview = split(SplitRequest(kept, shots=4))
    assert (preview.out, preview.sha256) == ("", "")
    out = tmp_path / "new/split.csv"
    written = split(SplitRequest(kept, shots=4, out=str(out)))
    assert (written.classes, written.pictures, written.warnings) == (
        preview.classes,
        preview.pictures,
        preview.warnings,
    )
    assert (written.out, written.sha256) == (str(out), hashlib.sha256(out.read_bytes()).hexdigest())
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"]: row["label"] for row in rows} == {each.path: each.class_name for each in written.pictures}
    tests = {row["path"] for row in rows if row["split"] == "test"}
    assert tests == {each.path for each in written.pictures if each.use == "test"}


def test_what_is_blocked_is_not_written(kept: str, tmp_path: Path) -> None:
    """With one class left there is a sentence and no list, and an older one stays."""
    out = tmp_path / "split.csv"
    out.write_bytes(b"older")
    result = split(SplitRequest(kept, excluded_classes=("cat", "dog"), out=str(out)))
    assert result.blocks
    assert (result.out, result.sha256, out.read_bytes()) == ("", "", b"older")


def test_a_missing_inventory_is_a_sentence(tmp_path: Path) -> None:
    """The wizard may have been cleaned up meanwhile."""
    with pytest.raises(BadRequest, match="cannot be read"):
        split(SplitRequest(str(tmp_path / "inventory.csv")))


def test_a_model_is_asked_only_where_one_is_named(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are counted in its tokens by the worker that has it, with the template that will be used, once all pictures are read."""
    asked: list[tuple[str, tuple[str, ...]]] = []

    def ask(request: Any, tick: Any) -> TokensCounted:
        tick()
        assert isinstance(request, CountTokensRequest)
        asked.append((request.model, request.sentences))
        return TokensCounted(tuple(len(sentence.split()) + 2 for sentence in request.sentences), 6)

    known = Vocabulary(("cat", "dog", "here", "one"))
    monkeypatch.setattr(vocabulary, "of_model", lambda model: known if model == "demo" else None)
    job = FileContext(JOB, lambda _: None, no_progress, ask)
    plain = handle_scan(job, ScanRequest((str(toys),)))
    assert (asked, plain.token_limit, plain.long_names) == ([], 0, ())
    request = ScanRequest((str(toys),), model="demo", template="one {} here")
    counted = handle_scan(job, request)
    assert asked == [("demo", ()), ("demo", ("one cat here", "one dog here", "one long haired owl here"))]
    assert counted.token_limit == 6
    assert [(each.name, each.tokens) for each in counted.long_names] == [("long haired owl", 7)]
    said = [note for note in counted.notes if note not in plain.notes]
    assert [note.partition(" is not among the 4 words")[0] for note in said] == [
        f"'{word}' in 'long haired owl'" for word in ("long", "haired", "owl")
    ]


def test_through_the_door(toys: Path, tmp_path: Path) -> None:
    """The real engine scans with the demo model and splits; failures come back as sentences."""
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    engine = Engine(events.put, device="cpu")
    heard: list[Any] = []

    def ending(request: ScanRequest | SplitRequest) -> Any:
        engine.submit(request)
        while not isinstance(event := events.get(timeout=60), JobFinished | JobFailed):
            heard.append(event)
        return event

    try:
        scanned = ending(ScanRequest((str(toys),), model="demo", keep=str(tmp_path))).result
        assert isinstance(scanned, ScanResult)
        assert (scanned.usable, scanned.token_limit) == (36, 32)
        assert any(isinstance(event, PreviewsReady) for event in heard)
        assert any(isinstance(event, JobProgress) for event in heard)
        divided = ending(SplitRequest(scanned.inventory, shots=2, out=str(tmp_path / "split.csv"))).result
        assert isinstance(divided, SplitResult)
        assert Path(divided.out).exists()
        assert ending(ScanRequest((str(toys / "cat"),))).failure.kind == "BadRequest"
    finally:
        assert engine.close(10)


def test_the_toy_world_is_drawn_as_class_folders(tmp_path: Path) -> None:
    """Two pictures of each class lie in its folder; asked again nothing is drawn; stopped, what is drawn stays; other things are safe."""
    told: list[Any] = []

    def draw(folder: Path, progress: Any) -> ToyWorldDrawn:
        return handle_toy_world(
            FileContext(JOB, told.append, progress, no_model), ToyWorldRequest(str(folder), per_class=2)
        )

    def stop(done: int, *_: object) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        draw(tmp_path / "toys", stop)
    assert len(list((tmp_path / "toys").rglob("*.png"))) == 3
    drawn = draw(tmp_path / "toys", lambda done, *_: told.append(done))
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "toys").rglob("*.png")}
    assert drawn == ToyWorldDrawn(str(tmp_path / "toys"), len(files))
    assert {len(list(path.parent.glob("*.png"))) for path in files} == {2}
    assert told[-1] == len(files)
    draw(tmp_path / "toys", no_progress)
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "toys").rglob("*.png")}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear …", encoding="utf-8")
    with pytest.raises(BadRequest):
        draw(tmp_path / "mine", no_progress)
