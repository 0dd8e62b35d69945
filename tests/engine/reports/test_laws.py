"""What holds of every format of a report: the whole table is in it, the same run gives the same bytes, no hidden name is left."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from capt_engine.cli.main import main
from capt_engine.data.products import left_out
from capt_engine.errors import UnknownName
from capt_engine.files import refuse_foreign_file
from capt_engine.records import AttackSpec, EvaluateRequest, PictureRow, Verdict
from capt_engine.reports import REPORTS, Format, format_of
from capt_engine.reports.build import build, chosen, infos
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Grid, Report
from tests.engine.reports.made_runs import CLASSES, kept, request, rows
from tests.engine.reports.schema import check

HIDDEN = ("secret", "holiday", "beach", "torn-page", "somewhere")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of twelve pictures."""
    return kept(tmp_path_factory.mktemp("kept") / "run")


def text_of(form: Format, content: bytes) -> str:
    """All text of a file, without the spaces and line breaks that only lay it out."""
    if form.name == "pdf":
        document = pypdfium2.PdfDocument(content)
        text = "".join(page.get_textpage().get_text_range() for page in document)
        document.close()
    else:
        text = html.unescape(content.decode())
    return "".join(text.split()).replace("\ufffe", "").replace("\xad", "")


def main_table(report: Report) -> Grid:
    """The table that everything else explains."""
    (section,) = (one for one in report.sections if one.id == "results")
    return next(block for block in section.blocks if isinstance(block, Grid))


@pytest.mark.parametrize("form", list(REPORTS), ids=lambda form: form.name)
def test_every_figure_of_the_table_is_in_the_file(form: Format, run: Path) -> None:
    """PDF, HTML and JSON print each cell of the main table; the CSV holds every row behind it."""
    report = build(run)
    content = form.write(report)
    if form.name == "csv":
        assert content == (run / "rows.csv").read_bytes()
        return
    text = text_of(form, content)
    for row in main_table(report).rows:
        for cell in row:
            assert "".join(cell.split()) in text, cell


@pytest.mark.parametrize("form", list(REPORTS), ids=lambda form: form.name)
def test_the_same_run_gives_the_same_bytes(form: Format, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the clock, of memory addresses or of a draw is in a report."""
    first = form.write(build(run))
    monkeypatch.setattr(time, "time", lambda: 1.0e9)
    assert form.write(build(run)) == first


@pytest.mark.parametrize("form", list(REPORTS), ids=lambda form: form.name)
def test_redaction_leaves_no_name_behind(form: Format, run: Path) -> None:
    """Neither a file's nor a folder's name is in the file, in the attachments or in the manifest."""
    report = build(run, redact=True)
    content = form.write(report)
    texts = [text_of(form, content), *(one.content.decode() for one in report.attachments)]
    for hidden in (*HIDDEN, str(run), str(Path.cwd())):
        assert not [text for text in texts if hidden in text], hidden
    assert "picture1" in texts[0]
    (grid,) = (block for one in report.sections if one.id == "rows" for block in one.blocks if isinstance(block, Grid))
    assert {row[0] for row in grid.rows} == {f"picture {i}" for i in range(1, 13)}
    assert report.id == build(run).id


def test_notes_that_name_a_folder_are_not_in_a_redacted_report(run: Path, tmp_path: Path) -> None:
    """A folder that was passed over is named in a note; with redaction that note is left out, the others stay."""
    copied = Path(shutil.copytree(run, tmp_path / "copied"))
    summary = json.loads((copied / "summary.json").read_text())
    passed_over = left_out("family/party", "a run of this program")
    looped = "/somewhere/secret-holiday/family/party is a link that leads in a circle."
    named = "The folder 'party' cannot be read."
    notes = [passed_over, looped, named, "A note on nothing, at ε = 4/255."]
    (copied / "summary.json").write_text(json.dumps(summary | {"notes": notes}))
    assert "party" in REPORTS["json"].write(build(copied)).decode()
    redacted = REPORTS["json"].write(build(copied, redact=True)).decode()
    assert "party" not in redacted
    assert "family" not in redacted
    assert "A note on nothing, at ε = 4/255." in redacted


def test_the_json_has_the_documented_fields(run: Path, tmp_path: Path) -> None:
    """One run, several runs and a run without labels or attack all obey the schema."""
    other = kept(tmp_path / "other", seed=1, compare=None)
    for report in (build(run), compare([run, other]), build(run, redact=True)):
        told = json.loads(REPORTS["json"].write(report))
        check(told)
        assert sum(len(one["rows"]) for one in told["runs"]) == sum(
            len(list(csv.DictReader(io.StringIO(one.content.decode()))))
            for one in report.attachments
            if "rows" in one.name
        )


def test_a_report_says_what_it_does_not_know(run: Path) -> None:
    """Limits are there, nothing is called secure, checks that were not run are named."""
    told = json.dumps(json.loads(REPORTS["json"].write(build(run)))["sections"])
    assert "secure" not in told.lower()
    assert "upper bound on robustness under the attacks listed" in told
    assert '"not run"' in told


def test_sections_can_be_chosen(run: Path) -> None:
    """Those asked for, in the report's own order; an unknown one is answered with the nearest."""
    report = build(run)
    assert [one.id for one in chosen(report, ("limits", "verdict")).sections] == ["verdict", "limits"]
    with pytest.raises(UnknownName, match="verdit"):
        chosen(report, ("verdit",))
    # Nobody was shown what was computed on another, no smallest budget was searched, and nothing was corrupted.
    assert {one.id for one in infos(report) if not one.present} == {"corruptions", "matrix", "smallest"}


def test_an_ending_says_the_format() -> None:
    """Known endings in any case; another one is refused with the known ones."""
    assert format_of(Path("r.PDF")).name == "pdf"
    with pytest.raises(UnknownName):
        format_of(Path("report.docx"))


def test_runs_stand_side_by_side(run: Path, tmp_path: Path) -> None:
    """Every model is a column, pictures that two runs share are paired, and the CSV holds both under one header."""
    other = kept(tmp_path / "other", n=6, compare=None)
    report = compare([run, other])
    table = main_table(report)
    assert len(table.columns) == 1 + 3
    (paired,) = (
        block for one in report.sections if one.id == "paired" for block in one.blocks if isinstance(block, Grid)
    )
    first = next(row for row in paired.rows if row[0].startswith("1: plain") and row[1].startswith("2: plain"))
    assert first[3:6] == ("6", "0", "0")
    content = REPORTS["csv"].write(report)
    lines = (run / "rows.csv").read_bytes() + (other / "rows.csv").read_bytes().partition(b"\r\n")[2]
    assert content == lines


def test_thousands_of_rows_stay_small(tmp_path: Path) -> None:
    """The tables show a hundred and say how many there are; memory stays within a few times the CSV's own size."""
    asked = request(tmp_path / "large", curve=())
    folder = kept(tmp_path / "large", 2000, given=rows(asked, 2000, pictures=False), curve=())
    size = (folder / "rows.csv").stat().st_size
    tracemalloc.start()
    report = build(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (grid,) = (block for one in report.sections if one.id == "rows" for block in one.blocks if isinstance(block, Grid))
    assert (len(grid.rows), grid.total) == (100, 4_000)
    assert peak < 6 * size + 4_000_000
    assert REPORTS["csv"].write(report) == (folder / "rows.csv").read_bytes()


def test_attacks_on_survivors_are_told_over_all_pictures(tmp_path: Path) -> None:
    """Where each attack has only the pictures that are left, what counts falls from line to line, in one report and in a comparison."""
    specs = (AttackSpec("fgsm"), AttackSpec("pgd"))
    changes: dict[str, object] = {"compare": None, "curve": (), "attacks": specs, "skip_broken": True}

    def given(asked: EvaluateRequest) -> Iterator[PictureRow]:
        for i, row in enumerate(rows(asked, 12)):
            # A third falls to the first attack, and of the others a quarter to the second.
            clean = replace(row, label=CLASSES[row.clean.winner], label_source="list")
            wrong = (row.clean.winner + 1) % len(CLASSES)
            shares = tuple(0.8 if j == wrong else 0.1 for j in range(3))
            answers = {"right": row.clean, "wrong": Verdict(shares, shares)}
            first, second = i < 4, i in (5, 7)
            yield replace(clean, attack=specs[0], attacked=answers["wrong" if first else "right"], success=first)
            if first:
                left = replace(clean, attacked=None, success=None, metrics=(), survives_png=None, survives_jpeg95=None)
                yield replace(left, attack=specs[1], skipped="broken by fgsm")
            else:
                yield replace(clean, attack=specs[1], attacked=answers["wrong" if second else "right"], success=second)

    folder = tmp_path / "run"
    kept(folder, given=given(request(folder, **changes)), **changes)
    table = main_table(build(folder))
    at = [column.title for column in table.columns].index("Cumulative accuracy")
    told = {row[1]: row[at] for row in table.rows}
    assert told == {"clean": "100.0 %", "fgsm": "66.7 %", "pgd": "50.0 %", "worst of all": "50.0 %"}
    beside = main_table(compare([folder, folder]))
    assert [row[1].split(" (")[0] for row in beside.rows[2:]] == ["66.7 %", "50.0 %"]


@pytest.mark.parametrize("form", list(REPORTS), ids=lambda form: form.name)
def test_a_report_replaces_a_report_and_nothing_else(
    form: Format, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each format is known by its mark: what the command wrote it writes again, and a file of the user's stays."""
    place = tmp_path / f"thesis{form.suffix}"
    place.write_bytes(b"my own thesis, on the CAPT method\n")
    assert main(["report", str(run), "--out", str(place), "--quiet"]) == 2
    assert "was not written by this program" in capsys.readouterr().err
    assert place.read_bytes() == b"my own thesis, on the CAPT method\n"
    place.write_bytes(form.write(build(run)))
    refuse_foreign_file(place, re.compile(form.mark))
