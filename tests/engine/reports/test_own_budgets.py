"""Reports of runs that no ball binds, of corruptions, and of prompts with a sentence of their own: read as a person would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.model.checkpoints import Document, MadeFor
from capt_engine.model.prompts import PromptShape, TowerSizes
from capt_engine.records import AttackSpec, EvaluateRequest, HeatMap, PictureRow
from capt_engine.reports import model_card
from capt_engine.reports.build import build
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Facts, Grid, Report
from capt_engine.reports.html import report as html_report
from capt_engine.reports.pdf.report import write
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.front import command
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest import as_json
from tests.engine.reports.made_runs import kept, request, rows

BUDGETS = {
    "patch": "a square patch over 5 % of the picture at a random place",
    "typographic": "a printed word, 15 % of the height",
    "spatial": "turned by up to 30 degrees",
    "corruption": "Fog, severity 3 of 5",
}


def one_budget(folder: Path, attack: str) -> Path:
    """A run of one attack with a budget of its own."""
    changes = {"attacks": (AttackSpec(attack),), "curve": ()}
    asked = request(folder, **changes)
    given = (
        replace(
            row, attack=AttackSpec(attack), threat=replace(row.threat, budget=BUDGETS[attack], knowledge="no search")
        )
        for row in rows(asked, 12)
    )
    return kept(folder, given=given, **changes)


def words(report: Report) -> str:
    """All that the page says, without its marks, style, and attached files."""
    page = html_report.write(report).decode().partition("<body>")[2].partition('aria-labelledby="files"')[0]
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))


@pytest.mark.parametrize("attack", list(BUDGETS))
def test_a_budget_in_words_stands_where_an_epsilon_would(attack: str, tmp_path: Path) -> None:
    """In the verdict, the threat model and the limits; nowhere outside the glossary and the command stands a norm with its ε."""
    report = build(one_budget(tmp_path / "run", attack))
    told = replace(
        report, sections=tuple(one for one in report.sections if one.id not in ("repeat", "glossary", "checks"))
    )
    text = words(told).replace(command(ReportContext.of(tmp_path / "run")), "")
    assert f"Under {BUDGETS[attack]}, B: prompts demo-prompts keeps" in text
    assert f"({attack}; {BUDGETS[attack]}; 12 pictures)" in text
    assert "4/255" not in text
    assert "ε =" not in text
    facts = dict(
        pair
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Facts)
        for pair in block.pairs
    )
    assert facts["Budget"] == BUDGETS[attack]
    grids = [block for section in told.sections for block in section.blocks if isinstance(block, Grid)]
    assert not any(column.title == "ε" for grid in grids for column in grid.columns)
    assert write(told).startswith(b"%PDF")


def test_what_was_done_is_not_said_to_be_left_out(tmp_path: Path) -> None:
    """A run of patches does not claim that patches are not covered; one of fog does."""
    said = {attack: words(build(one_budget(tmp_path / attack, attack))) for attack in ("patch", "corruption")}
    assert "patches and stickers" not in said["patch"]
    assert "patches and stickers" in said["corruption"]


def test_own_budgets_are_compared_only_with_the_same(tmp_path: Path) -> None:
    """Two runs of a patch by its words; a patch and a fog share no budget."""
    patch, again = (one_budget(tmp_path / name, "patch") for name in ("patch", "again"))
    assert f"Under {BUDGETS['patch']}:" in words(compare([patch, again]))
    mixed = words(compare([patch, one_budget(tmp_path / "fog", "corruption")]))
    assert "share no budget" in mixed
    assert f"corruption, {BUDGETS['corruption']}" in mixed


def corrupted(asked: EvaluateRequest, n: int) -> Iterator[PictureRow]:
    """Rows of n pictures under every corruption of a request."""
    for row in rows(replace(asked, curve=()), n):
        for label, spec in zip(asked.labels, asked.all_attacks, strict=True):
            yield replace(row, attack=spec, attack_label=label, metrics=(), survives_png=None, survives_jpeg95=None)


def corruption_run(folder: Path, n: int = 24) -> Path:
    """A kept run of the table of corruptions."""
    changes = {"suite": "corruptions", "attacks": (), "curve": ()}
    return kept(folder, n, given=corrupted(request(folder, **changes), n), **changes)


def test_corruptions_are_a_table_and_no_attack(tmp_path: Path) -> None:
    """A shaded table for each set of prompts with n and means; the verdict has the mean; nobody is said to have attacked."""
    folder = corruption_run(tmp_path / "run")
    report = build(folder)
    tables = [block for section in report.sections for block in section.blocks if isinstance(block, HeatMap)]
    assert [len(one.rows) for one in tables] == [16, 16]
    assert all("n = 24 in every cell" in one.caption for one in tables)
    text = words(report)
    assert "Mean accuracy under common corruptions: A: plain CLIP" in text
    assert "over 15 kinds of corruption at 5 severities" in text
    assert "none: nobody attacks" in text
    assert "upper bound" not in text
    assert "worst of all" not in text
    summary = FinishedRun.of(folder).summary.as_written
    assert summary["robust_accuracy"] is None
    first = summary["corruptions"][0]
    assert (len(first["cells"]), first["n"], first["cells"][0]["n"]) == (75, 24, 24)
    assert first["mean"]["low"] < first["mean"]["accuracy"] < first["mean"]["high"]
    shown = tables[0].rows[-1].last
    assert shown.startswith(f"{first['mean']['accuracy'] * 100:.1f} %")
    assert write(report).startswith(b"%PDF")


def imported(classes: tuple[str, ...] = ()) -> Document:
    """What a converted file of another program says."""
    return Document(
        "maple",
        MadeFor("demo", "ab" * 32, TowerSizes(32, 32, 16, 2)),
        PromptShape("text_to_vision", 2, 2),
        "a photo of a {}.",
        classes=classes,
        settings={"sentence": "own"},
    )


def test_a_card_does_not_count_classes_it_was_not_told() -> None:
    """The words "0 classes" would be wrong: the file does not say."""
    text = model_card.card("theirs", imported(), "cd" * 32)
    assert "0 classes" not in text
    assert "tuned on classes that the file does not name" in text
    assert "| Sentence of its own | a photo of a {}. |" in text
    assert "tuned on 2 classes; other names" in model_card.card("theirs", imported(("cat", "dog")), "cd" * 32)


def test_the_sentence_that_was_asked_is_told(tmp_path: Path) -> None:
    """Of prompts that keep their own sentence, that one; not the run's template, which they were never shown."""
    folder = kept(tmp_path / "run", compare=None)
    run = FinishedRun.of(folder)
    document = {"template": "a photo of a {}.", "settings": {"sentence": "own"}, "classes": []}
    prompts = [{"id": "theirs", "sha256": "cd" * 32, "document": document}]
    manifest = {**run.manifest.as_written, "template": "a satellite photo of {}.", "prompts": prompts}
    (folder / "manifest.json").write_bytes(as_json(manifest))
    text = words(build(folder))
    assert "a photo of a {}. (kept by prompts theirs)" in text
    assert "a satellite photo" not in text
    assert "classes that the file does not name" in text
    plain = {"id": "none", "sha256": "", "document": None}
    (folder / "manifest.json").write_bytes(as_json({**manifest, "prompts": [plain, *prompts]}))
    assert "a satellite photo of {}.; prompts theirs keep their own: a photo of a {}." in words(build(folder))
    assert ReportContext.of(folder).own == ""
