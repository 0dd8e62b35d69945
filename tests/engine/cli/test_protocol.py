"""`capt protocol` as a script sees it: tables from cells, runs that can be stopped and shared, failures that stay where they are."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.cli import protocol, protocol_run
from capt_engine.cli.main import main
from capt_engine.cli.protocol_run import CellRun, answers
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.protocols.cache import REVISION, Measured, WorkFolder
from capt_engine.protocols.data import Pictures
from capt_engine.records import FailedPicture
from capt_engine.tuning.methods import METHODS

Run = Callable[..., int]
CLASSES = ("cone", "cube", "mug", "star")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets of four classes, as class folders with train, val and test."""
    root = tmp_path_factory.mktemp("sets")
    stream = np.random.default_rng(0)
    for dataset in ("one", "two"):
        for split, count in (("train", 2), ("val", 1), ("test", 3)):
            for at, name in enumerate(CLASSES):
                folder = root / dataset / split / name
                folder.mkdir(parents=True)
                for i in range(count):
                    pixels = stream.integers(0, 120, (24, 24, 3)) + np.array([at % 2, at // 2, 0]) * 120
                    Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    return root


@pytest.fixture
def run(root: Path, tiny_folder: Path, tmp_path: Path) -> Run:
    """A function of (protocol, *options): the command on both sets with the tiny CLIP, short attacks, and its own work folder."""

    def command(name: str, *options: str) -> int:
        usual = [
            "--model",
            f"local-dir:{tiny_folder}",
            "--shots",
            "1",
            "--seeds",
            "1",
            "--limit",
            "6",
            "--eps",
            "2/255",
        ]
        where = ["--data", str(root), "--out", str(tmp_path / "work")]
        return main(["protocol", name, *where, *usual, "--attack-steps", "2", "--device", "cpu", "--quiet", *options])

    return command


def cells(work: Path) -> dict[str, dict[str, Any]]:
    """The finished cells by name."""
    told = [json.loads(file.read_text(encoding="utf-8")) for file in (work / "cells").glob("*.json")]
    return {one["name"]: one for one in told}


def summary(text: str) -> dict[str, Any]:
    """The last line of --json."""
    last: dict[str, Any] = json.loads(text.splitlines()[-1])
    return last


def no_engine(*_: object, **__: object) -> None:
    """Stands where an engine would be started."""
    raise AssertionError("nothing was left to compute")


def test_few_shot_from_pictures_to_a_page(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cell keeps every picture's answers, the page holds every row, and the same command again computes nothing."""
    page = tmp_path / "page.md"
    assert run("few-shot", "--datasets", "one", "--methods", "capt", "--table", str(page)) == 0
    kept = cells(tmp_path / "work")
    assert set(kept) == {"zero-shot → one", "capt on one, 1 shot, seed 1 → one"}
    for cell in kept.values():
        assert {name: len(marks) for name, marks in cell["right"].items()} == {"clean": 6, "2/255": 6}
        assert cell["clean_accuracy"] == cell["right"]["clean"].count("1") / 6
    assert len({cell["pictures"] for cell in kept.values()}) == 1
    text = page.read_text(encoding="utf-8")
    assert "| one | zero-shot |" in text
    assert "| one | capt | 1 shot | one seed | 6 |" in text
    assert "Not measured" not in text
    assert "- **Tuning, capt**: coupling vision_to_text, n ctx 2, depth 2, lambda 2.5, alpha label_prob" in text
    assert str(tmp_path) not in text.replace(str(tmp_path / "tiny"), "")

    monkeypatch.setattr(protocol_run, "Engine", no_engine)
    capsys.readouterr()
    assert run("few-shot", "--datasets", "one", "--methods", "capt", "--json") == 0
    told = summary(capsys.readouterr().out)
    assert (told["event"], told["cells"], told["done"]) == ("summary", 2, 2)
    assert [entry["method"] for entry in told["tables"][0]["entries"]] == ["zero-shot", "capt"]


def test_base_to_new_asks_among_half_of_the_classes(run: Run, tmp_path: Path) -> None:
    """Both halves of the classes are measured, each on its own pictures, with one set of prompts."""
    assert (
        run("base-to-new", "--datasets", "two", "--methods", "capt", "--limit", "0", "--table", str(tmp_path / "t.csv"))
        == 0
    )
    kept = cells(tmp_path / "work")
    assert len(kept) == 4
    assert {cell["n"] for cell in kept.values()} == {6}
    assert len({cell["pictures"] for cell in kept.values()}) == 2
    assert len(list((tmp_path / "work" / "prompts").glob("*.safetensors"))) == 1
    assert "HM4" in (tmp_path / "t.csv").read_text(encoding="utf-8")


def test_only_table_says_what_is_missing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page can be written with no cell at all, names every missing row, and computes none."""
    monkeypatch.setattr(protocol_run, "Engine", no_engine)
    (tmp_path / "work").mkdir()
    assert run("few-shot", "--datasets", "one", "--methods", "capt", "--only-table") == 0
    said = capsys.readouterr().out
    assert "Not measured: one zero-shot; one capt 1 shot." in said
    assert run("few-shot", "--only-table", "--out", str(tmp_path / "nowhere")) == 2


def test_a_cell_says_what_made_it(run: Run, tmp_path: Path) -> None:
    """Revision, commit, the seconds of tuning and α of every epoch stand in the cell, and survive prompts that were there already."""
    assert run("few-shot", "--datasets", "one", "--methods", "capt") == 0
    work = tmp_path / "work"
    first = cells(work)["capt on one, 1 shot, seed 1 → one"]
    assert (first["revision"], len(first["commit"].rstrip("+"))) == (REVISION, 12)
    assert first["tune_s"] > 0
    assert len(first["alpha_by_epoch"]) == first["tuned_with"]["epochs"]
    assert all(0 < alpha < 1 for alpha in first["alpha_by_epoch"])
    for file in (work / "cells").iterdir():
        file.unlink()
    assert run("few-shot", "--datasets", "one", "--methods", "capt") == 0
    again = cells(work)["capt on one, 1 shot, seed 1 → one"]
    assert (again["tune_s"], again["alpha_by_epoch"]) == (first["tune_s"], first["alpha_by_epoch"])


def test_a_cell_of_an_older_revision_is_never_mixed_in(run: Run, tmp_path: Path) -> None:
    """Its row counts as not measured, and the page says how many such cells there are."""
    page = tmp_path / "page.md"
    assert run("few-shot", "--datasets", "one", "--methods", "capt") == 0
    for file in (tmp_path / "work" / "cells").glob("capt*.json"):
        kept = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(kept | {"revision": REVISION - 1}), encoding="utf-8")
    assert run("few-shot", "--datasets", "one", "--methods", "capt", "--only-table", "--table", str(page)) == 0
    text = page.read_text(encoding="utf-8")
    assert "1 of an older revision" in text
    assert "Not measured: one capt 1 shot." in text
    assert run("few-shot", "--datasets", "one", "--methods", "capt") == 0
    assert {cell["revision"] for cell in cells(tmp_path / "work").values()} == {REVISION}, "it is computed again"


def test_the_study_cannot_be_bent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that would change what the study measures is refused by name, for its results and for its search."""
    for name in ("results", "search"):
        assert main(["protocol", name, "--eps", "4/255", "--seeds", "7", "--out", str(tmp_path / "w"), "--quiet"]) == 2
        assert "--seeds, --eps cannot be chosen" in capsys.readouterr().err
    assert main(["protocol", "few-shot", "--cifar10", str(tmp_path), "--out", str(tmp_path / "w"), "--quiet"]) == 2
    assert "--cifar10 belongs to the study" in capsys.readouterr().err


def test_the_study_is_drawn_from_cells_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --from nothing is computed, and what is missing is named, for the results and for the search."""
    monkeypatch.setattr(protocol_run, "Engine", no_engine)
    assert main(["protocol", "results", "--from", str(tmp_path), "--quiet"]) == 0
    assert "Not measured: seed 1 of every row" in capsys.readouterr().out
    assert main(["protocol", "search", "--from", str(tmp_path), "--quiet"]) == 0
    assert "Not decided: cells are missing." in capsys.readouterr().out
    assert main(["protocol", "results", "--from", str(tmp_path / "nowhere"), "--quiet"]) == 2


def test_a_failing_cell_is_told_and_the_others_go_on(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CoOp's sixteen tokens do not fit the tiny text tower: that is said in the table, and CAPT is measured all the same."""
    assert run("few-shot", "--datasets", "one", "--methods", "coop,capt") == 0
    kept = cells(tmp_path / "work")
    reason = kept["coop on one, 1 shot, seed 1 → one"]["failure"]
    assert reason
    assert "right" in kept["capt on one, 1 shot, seed 1 → one"]
    assert f"Failed: one coop 1 shot: {reason}" in capsys.readouterr().out


def test_an_interrupt_keeps_what_is_finished(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of the second cell ends with 130 and the first cell kept; the same command then does the rest."""

    class Interrupted(queue.SimpleQueue[object]):
        """Events, with Ctrl-C pressed as the second job starts."""

        started = 0

        def get(self, block: bool = True, timeout: float | None = None) -> object:
            event = super().get(block, timeout)
            self.started += type(event).__name__ == "JobStarted"
            if self.started == 2:
                self.started += 1
                raise KeyboardInterrupt
            return event

    with monkeypatch.context() as patch:
        patch.setattr(protocol_run.queue, "SimpleQueue", Interrupted)
        assert run("few-shot", "--datasets", "one", "--methods", "capt") == 130
    assert set(cells(tmp_path / "work")) == {"zero-shot → one"}
    assert run("few-shot", "--datasets", "one", "--methods", "capt") == 0
    assert len(cells(tmp_path / "work")) == 2


def test_results_is_one_page_of_every_table(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From no cells, the plan of the results page names each of its tables."""
    (tmp_path / "work").mkdir()
    assert run("results", "--only-table", "--datasets", "one,two") == 0
    said = capsys.readouterr().out
    assert [title in said for title in ("Few-shot:", "Ablation:", "Base to new:", "Cross-dataset:")] == [True] * 4


_HOLDER = """
import sys, time
from pathlib import Path
from capt_engine.protocols.cache import WorkFolder
with WorkFolder(Path(sys.argv[1])).claimed("cell") as is_ours:
    print(is_ours, flush=True)
    time.sleep(60)
"""


def test_a_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    """While another process lives its claim holds; killed without a chance to tidy up, it loses it at once."""
    folder = WorkFolder(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with folder.claimed("cell") as is_ours:
            assert not is_ours
        assert (tmp_path / "locks" / "cell.lock").read_text(encoding="utf-8") == f"{holder.pid}\n"
    finally:
        holder.kill()
        holder.communicate()
    with folder.claimed("cell") as is_ours:
        assert is_ours
    assert (tmp_path / "locks" / "cell.lock").read_text(encoding="utf-8") == f"{os.getpid()}\n"


def test_a_cell_of_another_process_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claimed cell is left to whoever claimed it, and the run ends once that one has finished it."""
    from capt_engine.cli.terminal import ProgressLine
    from capt_engine.protocols.definitions import Cell, Setting, Settings

    folder, settings, cell = WorkFolder(tmp_path), Settings(Setting("demo", "demo")), Cell(None, "shapes@night")
    key, slept = settings.cell_key(cell), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        folder.write(key, {"right": {}})

    monkeypatch.setattr(protocol_run, "Engine", no_engine)
    monkeypatch.setattr(protocol_run.time, "sleep", sleep)
    pictures = Pictures("demo", 10, (1,))
    with folder.claimed(key):
        CellRun([cell], settings, folder, pictures, device="cpu", progress=ProgressLine(quiet=True)).run()
    assert len(slept) == 1


def test_a_damaged_cell_is_computed_again(tmp_path: Path) -> None:
    """Half a file counts as none."""
    folder = WorkFolder(tmp_path)
    folder.write("key", {"right": {"clean": "1"}})
    assert folder.read("key") == Measured(format=1, right={"clean": "1"}, revision=REVISION)
    file = next((tmp_path / "cells").iterdir())
    file.write_text(file.read_text(encoding="utf-8")[:10], encoding="utf-8")
    assert folder.read("key") is None


def test_unusable_pictures_have_a_mark_of_their_own() -> None:
    """A picture that could not be read stands in its place as neither right nor wrong."""
    told = answers([FailedPicture("broken.png", "No picture.")], ["1/255"])
    assert told["right"] == {"clean": "-", "1/255": "-"}


def test_data_sets_are_found_or_refused(root: Path) -> None:
    """Subfolders are found by name, an absent one is answered with the nearest, and one without test pictures is refused."""
    pictures = Pictures(str(root), 10, (1,))
    assert pictures.usual("few-shot") == ("one", "two")
    assert pictures.place("one", lambda *_: None) == (str(root / "one"), "")
    with pytest.raises(UnknownName, match="onne"):
        pictures.check("onne")
    with pytest.raises(BadRequest, match="no test pictures"):
        Pictures(str(root / "one"), 10, (1,)).check("train")
    with pytest.raises(BadRequest, match="no folder"):
        Pictures(str(root / "nowhere"), 10, (1,))


def test_the_toy_worlds_sets_are_drawn_once() -> None:
    """Train, val and test as class folders with the task's own template, enough for limit and shots, and kept for the next run."""
    from capt_engine.data.sources import load_splits

    pictures = Pictures("demo", 9, (1, 2))
    pictures._train = 2  # 48 of each class would take the test a while
    place, _ = pictures.place("materials@night", lambda *_: None)
    splits = load_splits(place)
    kinds = len(splits["test"].classes)
    assert {name: len(one.items) for name, one in splits.items()} == {
        "train": 2 * kinds,
        "val": 4 * kinds,
        "test": -(-9 // kinds) * kinds,
    }
    assert "{}" in splits["test"].template
    before = {file: file.stat().st_mtime_ns for file in Path(place).rglob("*.png")}
    assert pictures.place("materials@night", lambda *_: None)[0] == place
    assert {file: file.stat().st_mtime_ns for file in Path(place).rglob("*.png")} == before


def test_other_looks_are_those_a_task_can_have() -> None:
    """Every domain but its own; clay, where everything has one material, is none for materials."""
    pictures = Pictures("demo", 9, (1,))
    assert "shapes@clay" in pictures.other_looks("shapes@night")
    assert "shapes@night" not in pictures.other_looks("shapes@night")
    assert "materials@clay" not in pictures.other_looks("materials@night")
    with pytest.raises(BadRequest, match="TASK@DOMAIN"):
        pictures.check("shapes")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--methods", "cpat"), "Did you mean 'capt'?"),
        (("--shots", "0"), "at least one picture"),
        (("--shots", "some"), "is not a number"),
        (("--seeds", "x"), "whole number"),
        (("--eps", "4"), "Did you mean 4/255?"),
        (("--table", "t.pdf"), "ending"),
        (("--datasets", "thre"), "data set"),
        (("--datasets", ","), "names nothing"),
        (("--attack-steps", "0"), "attack step"),
    ],
)
def test_refusals_have_a_sentence(
    run: Run, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    """Wrong usage is 2, before anything is computed, in plain words."""
    assert run("few-shot", *options) == 2
    assert words in capsys.readouterr().err


def test_names_for_help_are_those_of_the_tables() -> None:
    """What --help lists without loading anything is what there is."""
    from capt_engine.protocols import definitions

    assert set(protocol.METHODS) <= {*METHODS.names(), definitions.ZERO_SHOT}
    assert protocol.AIMS == definitions.AIMS


def test_the_toy_world_is_measured_with_the_toy_model(root: Path, tmp_path: Path) -> None:
    """A command that names no model takes demo for the toy world's pictures, and the default model for others."""
    (tmp_path / "work").mkdir()
    for data, model in (((), "demo"), (("--data", str(root), "--datasets", "one"), DEFAULT_MODEL)):
        page = tmp_path / f"{model}.md"
        asked = ["protocol", "few-shot", *data, "--only-table", "--out", str(tmp_path / "work"), "--quiet"]
        assert main([*asked, "--table", str(page)]) == 0
        text = page.read_text(encoding="utf-8")
        assert f"--model {model} " in text
        assert f"**Model**: {model}," in text


def test_a_signal_from_outside_ends_the_program(root: Path, tiny_folder: Path, tmp_path: Path) -> None:
    """SIGTERM to the real program: exit code 143, a sentence, and a work folder to go on with."""
    command = [
        "protocol",
        "few-shot",
        "--data",
        str(root),
        "--model",
        f"local-dir:{tiny_folder}",
        "--out",
        str(tmp_path / "w"),
    ]
    program = subprocess.Popen(
        [sys.executable, "-m", "capt_engine", *command, "--attack-steps", "10000", "--device", "cpu"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert program.stderr is not None
    said = program.stderr.readline()
    assert "0 of" in said
    program.send_signal(signal.SIGTERM)
    rest = program.communicate(timeout=60)[1]
    assert program.returncode == 143, rest
    assert "the same command goes on from there" in rest
