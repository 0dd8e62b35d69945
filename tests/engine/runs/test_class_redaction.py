"""The second level of redaction: no class name and no hash of a picture is left, and every figure stays."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capt_engine.reading import decode
from capt_engine.records import Check
from capt_engine.reports import REPORTS
from capt_engine.reports.build import build
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Report
from capt_engine.runs.class_redaction import RunWithoutClasses, StandIns
from capt_engine.runs.finished_run import FinishedRun
from tests.engine.reports.made_runs import CLASSES, kept

NAMES = re.compile(rf"\b({'|'.join(CLASSES)})\b")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twelve pictures whose target, notes, unusable pictures and prompts speak of classes."""
    folder = kept(tmp_path_factory.mktemp("runs") / "run", 12)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["request"]["options"]["classes"] = list(CLASSES)
    manifest["request"]["options"]["threat"]["target"] = "bird"
    document = {"method": "capt", "classes": list(CLASSES), "settings": {"kept": "a dog's"}, "notes": "of cat and dog"}
    manifest["prompts"] = [{"id": "demo-prompts", "sha256": "cd" * 32, "document": document}]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    manifest_options = manifest["request"]["options"]
    manifest_options["class_folders"] = ["patients of dog", *map(str, range(1, len(CLASSES)))]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    summary["notes"] = ["The class cat has 4 pictures.", "Class names by the map: patients of dog → dog."]
    message = "Names that are the same tokens. The same tokens: 'caf\\xe9' and 'cafe\\u0301'."
    summary["checks"] = [Check("names-differ", "Class names differ", "fail", 1, "1", message).__dict__]
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


def hashes(run: Path) -> set[str]:
    """The SHA-256 of every picture of a run, and of their lists."""
    found = FinishedRun.of(run)
    manifest = found.manifest
    return {line["sha256"] for line in found.lines()} | {
        manifest.pictures.sha256,
        manifest.rows.sha256,
        manifest.classes_sha256,
    }


def text_of(report: Report) -> str:
    """All that a report holds, as the JSON of a script."""
    return REPORTS["json"].write(report).decode()


def test_the_first_level_keeps_class_names_and_hashes(run: Path) -> None:
    """That is said where redaction is offered, and is why there is a second one."""
    text = text_of(build(run, redact=True))
    assert NAMES.search(text)
    assert any(one in text for one in hashes(run))


@pytest.mark.parametrize("form", ["json", "html", "csv"])
def test_no_class_name_and_no_hash_is_left(form: str, run: Path) -> None:
    """Neither in the sections nor in the rows and files that travel with the report; names of files are hidden too."""
    text = REPORTS[form].write(build(run, redact_classes=True)).decode()
    assert not NAMES.findall(text)
    assert not [one for one in hashes(run) if one in text or one[:12] in text]
    assert "secret-holiday" not in text
    assert "class 1" in text


def test_every_figure_stays(run: Path) -> None:
    """The same sections with the same numbers; only names differ."""

    def blocks(report: Report) -> list[tuple[str, list[str]]]:
        found = [(one.id, [type(block).__name__ for block in one.blocks]) for one in report.sections]
        return [one for one in found if one[0] != "repeat"]

    plain, hidden = build(run, redact=True), build(run, redact_classes=True)
    assert blocks(plain) == blocks(hidden)
    ways = [json.loads(text_of(one))["runs"][0]["summary"] for one in (plain, hidden)]
    assert ways[0]["robust_accuracy"] == ways[1]["robust_accuracy"]
    assert [one["n"] for one in ways[0]["per_class"]] == [one["n"] for one in ways[1]["per_class"]]


def test_the_same_picture_has_the_same_number_in_two_runs(run: Path, tmp_path: Path) -> None:
    """A comparison pairs pictures by what stands for their hashes, in whatever order they come."""
    other = kept(tmp_path / "other", 6, first=6, seed=1)
    shown, hidden = compare([run, other]), compare([run, other], redact_classes=True)
    shared = [re.findall(r"(\d+) pictures \(by SHA-256", text_of(one)) for one in (shown, hidden)]
    assert shared[0] == shared[1]
    assert set(shared[0]) == {"6"}
    assert not NAMES.findall(text_of(hidden))


def test_words_are_replaced_whole() -> None:
    """A class called "cat" is not cut out of "category"; the longest name goes first."""
    stand_ins = StandIns()
    for one in ("cat", "cat food"):
        stand_ins.name(one)
    assert stand_ins.words("cat food is no cat of a category") == "class 2 is no class 1 of a category"


def test_a_run_of_before_is_hidden_too() -> None:
    """Requests of older versions name their classes elsewhere."""
    run = FinishedRun.of(Path(__file__).parent / "before/analyzed")
    hidden = RunWithoutClasses.from_run(run, StandIns())
    assert hidden.manifest.classes
    assert all(re.fullmatch(r"class \d+", one) for one in hidden.manifest.classes)
    text = json.dumps(hidden.manifest.as_written)
    assert not [one for one in run.manifest.classes if re.search(rf'"{re.escape(one)}"', text)]
    assert [one.sha256 for one in hidden.examples()] == [one.sha256 for one in run.examples()]
    assert replace(hidden, whole=None).is_over


def test_a_manifest_without_class_names_is_not_repeated(run: Path, tmp_path: Path, capsys: Any) -> None:
    """Asked about "class 1", the model would answer something else."""
    from capt_engine.cli.main import main

    text = text_of(build(run, redact_classes=True))
    manifest = decode(text, dict[str, Any], called="the report")["runs"][0]["manifest"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["run", str(tmp_path / "manifest.json")]) == 2
    assert "class names were redacted" in capsys.readouterr().err


@pytest.mark.parametrize("redact_classes", [False, True])
def test_folders_that_were_paired_with_names_are_hidden(run: Path, redact_classes: bool) -> None:
    """A map's folders, and the note that shows the pairing, are names of folders: both levels hide them."""
    text = text_of(build(run, redact=True, redact_classes=redact_classes))
    assert "patients" not in text
    assert ("cafe" in text) is not redact_classes
