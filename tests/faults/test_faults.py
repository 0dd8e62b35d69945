"""A program killed, or without room on the disk, at any change of a file: the next start gives what an unbroken one gives."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from capt_engine.cli.main import main
from capt_engine.demo.class_folders import write_class_folders
from capt_engine.model.store import catalog
from capt_engine.progress import no_progress
from tests import warm
from tests.engine.download.hub_server import Hub, serving
from tests.engine.reports import made_runs
from tests.faults.faulty import Ended, content, run

pytestmark = pytest.mark.skipif(
    not warm.IS_POSSIBLE or sys.platform == "win32", reason="there is no process to fork and no SIGKILL"
)

PARTIAL = ".capt-part"
NO_ROOM = "There is no room left on the disk"
WEIGHTS = bytes(range(256)) * 4000
TUNED = ("--shots", "1", "--epochs", "2", "--batch", "2", "--attack-steps", "1")
SHORT, HEAVY = ((2, 0), (1, 0), (1, 1), (2, 0)), ((12, 6), (10, 5), (8, 3), (12, 6))


@dataclass(frozen=True)
class Work:
    """A command in a folder of its own, how it is taken up again, and what it leaves that must be the same."""

    words: Callable[[Path], list[str]]
    again: Callable[[Path], list[str]]
    result: Callable[[Path], object]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of pictures, a run, and a run in two parts, which every test copies."""
    home = tmp_path_factory.mktemp("material")
    write_class_folders(home / "data", "materials", "train", "plain", 2, 0, no_progress)
    made_runs.kept(home / "run", 6)
    for i in range(2):
        made_runs.kept(home / f"part-{i}", 3, first=3 * i, shard=(i + 1, 2))
    return home


def rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a run without the time that each took."""
    text = (folder / "rows.csv").read_text(encoding="utf-8")
    return [{**row, "time_s": ""} for row in csv.DictReader(io.StringIO(text))]


def run_of(folder: Path) -> object:
    """The rows of a finished run, and the names of its files."""
    assert (folder / "summary.json").exists()
    names = sorted(name for name in content(folder) if PARTIAL not in name)
    return rows(folder), names


def evaluating(model: str, data: Path) -> Work:
    """An evaluation of few pictures under one attack."""
    given = ["evaluate", str(data), "--model", model, "--attack", "fgsm", "--checks", "off"]
    given += ["--batch", "2", "--limit", "8", "--device", "cpu", "--quiet"]

    def again(home: Path) -> list[str]:
        started = (home / "new" / "manifest.json").exists()
        return [*given, "--resume" if started else "--out", str(home / "new")]

    return Work(lambda home: [*given, "--out", str(home / "new")], again, lambda home: run_of(home / "new"))


def tuning(model: str, data: Path) -> Work:
    """Two epochs of CAPT on one picture of each class."""

    def words(home: Path) -> list[str]:
        given = ["tune", str(data), "--model", model, *TUNED, "--device", "cpu", "--quiet"]
        return [*given, "--out", str(home / "new.safetensors")]

    def again(home: Path) -> list[str]:
        has_state = (home / "new.safetensors.state").exists()
        return [*words(home), *(["--resume"] if has_state else [])]

    def result(home: Path) -> object:
        assert not (home / "new.safetensors.state").exists()
        return (home / "new.safetensors").read_bytes()

    return Work(words, again, result)


def reporting() -> Work:
    """A report of a run as HTML."""

    def words(home: Path) -> list[str]:
        return ["report", str(home / "run"), "--out", str(home / "new.html"), "--quiet"]

    return Work(words, words, lambda home: (home / "new.html").read_bytes())


def merging() -> Work:
    """Two parts of a run, merged into one."""

    def words(home: Path) -> list[str]:
        return ["merge", str(home / "part-0"), str(home / "part-1"), "--out", str(home / "new"), "--quiet"]

    return Work(words, words, lambda home: run_of(home / "new"))


def works(model: str, data: Path) -> dict[str, Work]:
    """Every command that is interrupted."""
    return {"evaluate": evaluating(model, data), "tune": tuning(model, data), "report": reporting(), "merge": merging()}


def interrupted(work: Work, material: Path, home: Path, how: str, at: float) -> Ended:
    """The command in a copy of the material, broken off."""
    shutil.copytree(material, home, ignore=shutil.ignore_patterns("data"))
    return run(home, work.words(home), how, at)


def taken_up(work: Work, home: Path, inputs: dict[str, bytes], wanted: object) -> None:
    """What was there is as it was, the next start succeeds, its result is the unbroken one, and nothing lies about."""
    assert {name: data for name, data in content(home).items() if name in inputs} == inputs
    assert main(work.again(home)) == 0
    assert work.result(home) == wanted
    # A process that is killed cannot take away what it was writing; the name says whose it was.
    left = [name for name in content(home) if name not in inputs and not name.startswith("new")]
    assert not [name for name in left if PARTIAL not in name], left


def many(name: str, model: str, material: Path, tmp_path: Path, kills: int, fulls: int) -> None:
    """Break a command off at drawn places: before a change of a file, between two instructions, and from a change on without room."""
    work, draw = works(model, material / "data")[name], random.Random(f"{name}-{kills}")
    inputs = {name: data for name, data in content(material).items() if not name.startswith("data/")}
    whole = interrupted(work, material, tmp_path / "whole", "count", 0)
    assert whole.status == 0, whole.said
    assert whole.changes
    wanted = work.result(tmp_path / "whole")
    for i in range(kills):
        home = tmp_path / f"killed-{i}"
        ended = interrupted(work, material, home, "kill", draw.randint(1, whole.changes))
        assert ended.status == -signal.SIGKILL, ended.said
        taken_up(work, home, inputs, wanted)
    for i in range(fulls):
        home = tmp_path / f"full-{i}"
        ended = interrupted(work, material, home, "full", draw.randint(1, whole.changes))
        if not ended.status:  # nothing was written from there on
            assert work.result(home) == wanted
            continue
        assert ended.status == 5, ended.said
        assert NO_ROOM in ended.said
        assert "Traceback" not in ended.said
        assert not [name for name in content(home) if PARTIAL in name]
        taken_up(work, home, inputs, wanted)


@pytest.mark.parametrize(("name", "n"), list(zip(("evaluate", "tune", "report", "merge"), SHORT, strict=True)))
def test_a_few_moments(name: str, n: tuple[int, int], tiny_folder: Path, material: Path, tmp_path: Path) -> None:
    """Each command, broken off at one or two drawn places."""
    many(name, f"local-dir:{tiny_folder}", material, tmp_path, *n)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "n"), list(zip(("evaluate", "tune", "report", "merge"), HEAVY, strict=True)))
def test_many_moments(name: str, n: tuple[int, int], tiny_folder: Path, material: Path, tmp_path: Path) -> None:
    """Each command, broken off at many drawn places."""
    many(name, f"local-dir:{tiny_folder}", material, tmp_path, *n)


def test_what_a_killed_evaluation_had_computed_is_not_computed_again(
    tiny_folder: Path, material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill -9 the same question, into another folder, goes on from the store: its rows are those of an unbroken run."""
    work = evaluating(f"local-dir:{tiny_folder}", material / "data")
    whole = interrupted(work, material, tmp_path / "whole", "count", 0)
    monkeypatch.setenv("CAPT_NO_CACHE", "0")
    monkeypatch.setenv("CAPT_CACHE_DIR", str(tmp_path / "store"))
    killed = interrupted(work, material, tmp_path / "killed", "kill", whole.changes - 2)
    assert killed.status == -signal.SIGKILL, killed.said
    begun = len((tmp_path / "killed" / "new" / "rows.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert main(work.words(tmp_path / "again")) == 0
    assert work.result(tmp_path / "again") == work.result(tmp_path / "whole")
    manifest = json.loads((tmp_path / "again" / "new" / "manifest.json").read_text(encoding="utf-8"))
    # At most the batch of two that was in flight is computed anew.
    assert manifest["from_store"] >= max(2, begun)
    assert list((tmp_path / "store").glob("*.bad-*")) == []


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one small model, and a user without any."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    config = json.dumps({"model_cfg": {"embed_dim": 16}, "preprocess_cfg": {}}).encode()
    with serving(Hub({"open_clip_model.safetensors": WEIGHTS, "open_clip_config.json": config})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_a_download_killed_at_many_moments(hub: Hub, tmp_path: Path) -> None:
    """Dead after a drawn time, eight times on end: a model is there whole or not at all, and the next start fetches it."""
    draw = random.Random(0)
    words = ["models", "get", "hf-hub:somebody/tiny", "--yes", "--quiet"]
    for _ in range(8):
        hub.slow_s = 0.02
        run(tmp_path, words, "alarm", draw.uniform(0.2, 4))
        hub.slow_s = 0
        found = [one for one in catalog.models_dir().glob("*") if catalog.is_model(one)]
        if not found:
            assert main(words) == 0
        (folder,) = [one for one in catalog.models_dir().glob("*") if catalog.is_model(one)]
        sha256 = hashlib.sha256((folder / "open_clip_model.safetensors").read_bytes()).hexdigest()
        assert sha256 == hashlib.sha256(WEIGHTS).hexdigest()
        shutil.rmtree(folder)
