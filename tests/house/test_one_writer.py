"""Files are written in one place: what `capt_engine/files.py` promises holds for the whole tree, on a full disk too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtGui import QImage

from capt_engine import crash_log, files, resources
from capt_engine.demo import samples, training_set
from capt_engine.demo.class_folders import write_class_folders
from capt_engine.demo.pretrain import Plan, Pretraining, export
from capt_engine.download import offline
from capt_engine.errors import CannotWrite
from capt_engine.jobs.chart_saving import handle_save_chart
from capt_engine.jobs.context import JobContext
from capt_engine.model import checkpoints
from capt_engine.model.importers import models
from capt_engine.model.importers.lpips import LpipsWeights, read_lpips
from capt_engine.model.lpips import ALEX
from capt_engine.model.prompts import Prompts
from capt_engine.model.store import install_record, lpips_store, prompt_store
from capt_engine.model.tensor_file import write_tensors
from capt_engine.progress import no_progress
from capt_engine.protocols import render
from capt_engine.protocols.cache import WorkFolder
from capt_engine.records import Bar, BarChart, JobId, LedgerEntry, Picture, SaveChartRequest, ScanResult
from capt_engine.runs import kept_pictures
from capt_engine.runs.merge import merge
from capt_engine.runs.run_folder import RunFolder
from capt_engine.tuning import state
from capt_gui import settings
from capt_gui.pages.explore.intake import write_png
from capt_gui.view_models.tune import project_file, scan_file
from capt_gui.view_models.tune.state import TuneState
from tests.conftest import TINY_CONFIG
from tests.engine.model.importers import forms
from tests.engine.model.perceptual import files as files_of_lpips
from tests.engine.model.perceptual import random_state
from tests.engine.reports import made_runs
from tests.engine.tuning.test_state import saved

resource = pytest.importorskip("resource", reason="no limit on the size of files here")

WRITING = re.compile(
    r"os\.(?:replace|rename|link)\b|mkstemp|mkdtemp|NamedTemporaryFile|\.rename\(|write_text|write_bytes|save_file\b|"
    r"shutil\.(?:move|copy)|QSaveFile|file_digest|fsync|"
    # Path.replace takes one argument, str.replace two.
    r"\.replace\([^,()=\"']+\)(?!\s*\.)|"
    r"open\([^)]*[\"'][wax]b?\+?[\"']"
)
ALLOWED = {
    "capt_engine/files.py": "the one writer",
    "capt_engine/model/tensor_file.py": "save_file fills a temporary file of files.replacing",
    "capt_engine/model/importers/pickled.py": "a process that may open nothing else fills a scratch file of its parent's",
    "capt_engine/runs/run_folder.py": "rows.csv grows, row by row",
    "capt_engine/runs/merge.py": "rows.csv in a folder of files.new_folder",
    "capt_engine/download/process.py": "a download grows, and is gone on with",
    "capt_engine/download/offline.py": "the ledger grows, line by line",
    "capt_gui/__main__.py": "the null device, and the log of a native crash",
    "capt_gui/pages/explore/intake.py": "a scratch folder for pasted pictures",
}


def writing(file: Path) -> list[str]:
    """The lines of a module that write a file themselves."""
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if WRITING.search(line)]


def test_no_other_module_writes_files(sources: tuple[Path, ...], root: Path) -> None:
    """Whoever writes a file does it through files.py; those that may not are named with their reason, and none too many."""
    found = {file.relative_to(root).as_posix(): lines for file in sources if (lines := writing(file))}
    assert {name: lines for name, lines in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found)


@pytest.mark.parametrize(
    "line",
    ["partial.replace(path)", "os.replace(a, b)", 'path.open("w", newline="")', "path.write_text(text)", "a.rename(b)"],
)
def test_the_search_bites(line: str) -> None:
    """Each way of writing a file that was found in the tree once would be found again."""
    assert WRITING.search(line)
    assert not WRITING.search('text.replace("a", "b").strip()')


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can get a byte longer, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


TINY = Plan(pictures=16, steps=2, batch=8, warm_up=1, width=32, layers=1, text_width=16, text_layers=1)


@pytest.fixture
def writers(tmp_path: Path) -> dict[str, Callable[[Path], object]]:
    """Every writer of the tree by name: each is given a new folder, and what else it needs is there already."""
    bundled = checkpoints.read(resources.resource("prompts", "capt-shapes-night.safetensors"))
    document = bundled.document
    prompts = Prompts.blank(document.backbone.sizes, document.shape)
    prompts.load_state_dict(dict(bundled.state))
    source = tmp_path / "source"
    source.write_bytes(b"something")
    shards = [made_runs.kept(tmp_path / f"part-{i}", 4, first=4 * i, shard=(i + 1, 2)) for i in range(2)]
    run = made_runs.request(tmp_path / "run")
    picture = Picture(8, 8, bytes(192))
    training = Pretraining(TINY, np.zeros((16, 80, 80, 3), np.uint8), tmp_path / "run.pt")
    chart = SaveChartRequest(BarChart("Two", (Bar("a", 0.5),), "A."), "", "csv")
    entry = LedgerEntry("m", "u", 1, "s", "w", "complete")
    job = JobContext(JobId(1), print, no_progress)
    weights = forms.random_clip(TINY_CONFIG["model_cfg"])
    plain, pickled = tmp_path / "clip.safetensors", forms.state_dict(tmp_path / "clip.pt", weights)
    write_tensors(plain, weights, {})
    distance = random_state(ALEX)
    halves = files_of_lpips(tmp_path, ALEX)
    lpips = LpipsWeights(ALEX, distance, ("network", "0"), ("channels", "1"))
    scanned = ScanResult("", (), (), 0, 0, (), (), (), (), 1.0)
    return {
        "a file": lambda to: files.write_atomic(to / "x", "text"),
        "a copy": lambda to: files.copy(source, to / "x"),
        "tensors": lambda to: write_tensors(to / "x", {"a": torch.zeros(8)}, {}),
        "prompts": lambda to: checkpoints.save(to / "x.safetensors", prompts, document),
        "prompts on the store": lambda _: prompt_store.install("mine", prompts, document),
        "an imported model": lambda to: models.install(plain, "mine", head_width=16, root=to),
        "a model out of a pickle": lambda to: models.install(pickled, "mine", head_width=16, root=to),
        "the halves of LPIPS out of pickles": lambda _: read_lpips(*halves),
        "LPIPS weights on the store": lambda _: lpips_store.install(lpips),
        "a tuning state": lambda to: state.write(to / "x.state", saved()),
        "an install record": lambda to: install_record.remember(to / "installed.json", (source,), {}),
        "a run": lambda to: RunFolder(to / "run", run, {}, resume=False),
        "a merged run": lambda to: merge(shards, to / "joined"),
        "the list of kept pictures": lambda to: kept_pictures.write(to, ()),
        "a picture of a run": lambda to: kept_pictures.write_picture(to / "x.png", picture),
        "a protocol's table": lambda to: render.write(render.Page("T", (), ()), to / "x.md"),
        "a protocol's cell": _cell,
        "sample pictures": lambda to: samples.write_samples(to),
        "class folders": lambda to: write_class_folders(to / "new", "shapes", "test", "plain", 1, 0, no_progress),
        "training pictures": lambda to: training_set.load(1, 0, to / "new", 1, no_progress),
        "the tiny CLIP": lambda to: export(training.model, TINY, to / "new", 1),
        "its checkpoint": lambda _: training.save(),
        "a chart": lambda to: handle_save_chart(job, replace(chart, path=str(to / "x.csv"))),  # type: ignore[arg-type]
        "the offline lock": lambda _: offline.set_lock(True),
        "the ledger": lambda _: offline.note(entry),
        "settings": lambda to: settings.save(settings.Settings(), to / "settings.toml"),
        "a project": lambda to: project_file.save(TuneState(), to),
        "a scan": lambda to: scan_file.save(scanned, to),
        "a picture of the window": lambda to: write_png(QImage(8, 8, QImage.Format.Format_RGB888), to / "x.png"),
    }


def _cell(folder: Path) -> None:
    """A finished cell of a protocol in a work folder."""
    (folder / "cells").mkdir()
    try:
        WorkFolder(folder, make=False).write("a", {"right": "1"})
    finally:
        (folder / "cells").rmdir()  # which fails where something was left in it


def test_a_full_disk_is_a_sentence_that_leaves_nothing(
    writers: dict[str, Callable[[Path], object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every writer says that there is no room, with the exit code of a disk, and leaves its folder as it was."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(prompt_store, "data_dir", lambda: home)
    monkeypatch.setattr(lpips_store, "lpips_dir", lambda: home / "lpips")
    monkeypatch.setattr(offline, "data_dir", lambda: home)
    said = {}
    for number, (name, write) in enumerate(writers.items()):
        to = tmp_path / str(number)
        to.mkdir()
        with full_disk():
            try:
                write(to)
                said[name] = "was written"
            except CannotWrite as error:
                said[name] = "" if error.exit_code == 5 and "no room" in error.message and error.hint else str(error)
        said[name] += ", ".join(one.name for one in to.iterdir())
    assert {name: words for name, words in said.items() if words} == {}
    # A line of the ledger is added to what is there: the file itself may have been made.
    assert [one.name for one in home.rglob("*") if one.stat().st_size or one.name != "downloads.jsonl"] == []


def test_a_crash_report_that_does_not_fit_is_said(tmp_path: Path) -> None:
    """The report of a bug on a full disk is no second bug."""
    with full_disk():
        path, text = crash_log.write_report(tmp_path, "details")
    assert path is None
    assert "details" in text
    assert crash_log.where(path) == "The details could not be saved."
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
from capt_engine.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "data", "{to}", "--task", "shapes", "--per-class", "1"),
        ("analyze", "{picture}", "--model", "demo", "--attack", "none", "--out", "{to}"),
        ("evaluate", "{data}", "--model", "demo", "--attack", "fgsm", "--out", "{to}"),
        ("tune", "{data}", "--method", "tecoa", "--model", "demo", "--epochs", "1", "--out", "{to}"),
        ("report", "{run}", "--out", "{to}.pdf"),
        ("merge", "{part}-0", "{part}-1", "--out", "{to}"),
    ],
    ids=lambda words: words[0],
)
def test_the_command_line_on_a_full_disk(
    warm_python: Callable[..., object], tmp_path: Path, words: tuple[str, ...]
) -> None:
    """One sentence, exit code 5, no traceback and nothing left behind."""
    data = tmp_path / "data"
    write_class_folders(data, "shapes", "train", "plain", 2, 0, no_progress)
    made_runs.kept(tmp_path / "run", 2)
    for i in range(2):
        made_runs.kept(tmp_path / f"part-{i}", 4, first=4 * i, shard=(i + 1, 2))
    places = {"to": tmp_path / "new", "data": data, "picture": next(data.rglob("*.png"))}
    places |= {"run": tmp_path / "run", "part": tmp_path / "part"}
    # Counting which lines are run writes a file too, which is not the program's.
    done = warm_python("-c", FULL, *(word.format(**places) for word in words), env={"COVERAGE_PROCESS_CONFIG": None})
    assert done.returncode == 5, done.stderr  # type: ignore[attr-defined]
    assert "There is no room left on the disk" in done.stderr  # type: ignore[attr-defined]
    assert "Traceback" not in done.stderr  # type: ignore[attr-defined]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "part-0", "part-1", "run"]


def test_the_import_folder_cannot_be_left_half(tmp_path: Path) -> None:
    """A JSON note that cannot be written leaves the one before readable."""
    note = tmp_path / "installed.json"
    install_record.remember(note, (), {"model": "a"})
    with full_disk(), pytest.raises(CannotWrite):
        install_record.remember(note, (), {"model": "b"})
    assert json.loads(note.read_text(encoding="utf-8"))["model"] == "a"
