"""The two pages in front of a report and the appendix behind them: what they hold, that they are two, where contents lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from capt_engine.cli.main import main
from capt_engine.errors import BadRequest
from capt_engine.records import BarChart, ConfusionMatrix, EvaluateRequest, PictureRow, ThreatModel, UnknownWord
from capt_engine.reports.build import build, chosen
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Facts, Lights, Paragraph, Report, Strip, unrepeated
from capt_engine.reports.html import report as html_report
from capt_engine.reports.pdf.report import write
from capt_engine.reports.sections import front, results
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.request_text import variant_name
from tests.engine.reports.made_runs import kept, request, rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of twelve pictures, A and B at three budgets."""
    return kept(tmp_path_factory.mktemp("kept") / "run")


def pages(report: Report) -> list[str]:
    """The text of each page of a report's PDF."""
    with pypdfium2.PdfDocument(write(report)) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def bookmarks(report: Report) -> list[tuple[int, str, int]]:
    """(level, title, page from 1) of each bookmark of a report's PDF."""
    with pypdfium2.PdfDocument(write(report)) as document:
        return [(one.level, one.get_title(), (one.get_dest().get_index() or 0) + 1) for one in document.get_toc()]


def test_the_first_page_is_for_whoever_decides(run: Path) -> None:
    """In this order: verdict in a sentence, a chart with intervals, three pictures, threat model, failed checks, command."""
    report = build(run)
    first = report.sections[0]
    assert [type(block) for block in first.blocks] == [Paragraph, Paragraph, BarChart, Strip, Facts, Lights, Facts]
    lead, _, chart, strip, threat, lights, again = first.blocks
    assert lead.text.startswith("B (prompts demo-prompts) is right under attack (L∞, ε = 4/255) on more pictures than")
    assert [(bar.name[0], bar.series) for bar in chart.bars] == [("A", 0), ("A", 1), ("B", 0), ("B", 1)]
    assert all(bar.low is not None and bar.low <= bar.value <= bar.high for bar in chart.bars)
    assert len({example.name for example in strip.examples}) == 3
    assert dict(threat.pairs)["Budget"].startswith("L∞, ε = 4/255")
    assert {light.status for light in lights.lights} == {"fail"}
    assert "checks passed" in lights.summary
    assert again.pairs[0][1].startswith("capt evaluate ")
    page = html_report.write(report).decode()
    assert page.index("Verdict</h2>") < page.index("Three pictures of the run") < page.index("Behind the verdict</h2>")


def long_winded(asked: EvaluateRequest, n: int) -> Iterator[PictureRow]:
    """Rows of pictures that nobody labelled and that the model cannot know, with names as long as they get."""
    for row in rows(asked, n):
        yield replace(row, label_source="model", path=row.path.replace("beach", "beach-" + "z" * 120), ood_score=3.0)


@pytest.mark.parametrize("n", [2, 12, 200])
@pytest.mark.parametrize("compare", ["demo-prompts", None])
def test_a_short_report_is_two_pages(n: int, compare: str | None, tmp_path: Path) -> None:
    """Of few and of many pictures, with and without B, and with all the warnings that there are."""
    changes: dict[str, object] = {"compare": compare, "data": "/somewhere/" + "very-long-folder/" * 30}
    folder = tmp_path / "run"
    kept(folder, n, given=long_winded(request(folder, **changes), n) if n == 12 else None, **changes)
    found = pages(chosen(build(folder), (), short=True))
    assert len(found) == 2
    assert "Verdict" in found[0]
    assert "Repeat" in found[0]
    assert "Behind the verdict" in found[1]
    assert "Files inside this PDF: manifest.json, rows.csv, summary.json." in found[1]


def test_the_rest_is_an_appendix_with_its_contents(run: Path) -> None:
    """Below the second page's figures stands every section behind, with the page on which its bookmark and heading are."""
    report = build(run)
    found, marks = pages(report), bookmarks(report)
    assert [one[:2] for one in marks[:3]] == [(0, "Verdict"), (0, "Behind the verdict"), (0, "Appendix")]
    behind = marks[3:]
    titles = [one.title for one in unrepeated(report.sections) if not one.is_front]
    titles.insert(titles.index("How to repeat") + 1, "Files inside this PDF")
    assert [title for _, title, _ in behind] == titles
    contents = found[marks[2][2] - 1]
    for level, title, page in behind:
        assert level == 1
        assert f"{title} {page}" in contents
        assert title in found[page - 1]


@pytest.mark.parametrize(("compare", "most"), [(None, 8), ("demo-prompts", 10)])
def test_twelve_pictures_are_a_few_pages(compare: str | None, most: int, tmp_path: Path) -> None:
    """A whole report at three budgets, on one set of prompts and on two; nothing is told twice in it."""
    found = pages(build(kept(tmp_path / "run", compare=compare)))
    assert len(found) <= most
    assert sum("These figures are an upper bound" in page for page in found) == 1


def test_chosen_sections_have_contents_only_behind_a_front(run: Path) -> None:
    """Without the pages in front there is no appendix; a short report takes no list of sections."""
    titles = [title for _, title, _ in bookmarks(chosen(build(run), ("data", "limits")))]
    assert titles == ["Data", "Limits", "Files inside this PDF"]
    with pytest.raises(BadRequest, match="own two sections"):
        chosen(build(run), ("data",), short=True)


def test_the_command_writes_a_short_one(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--short` is two pages, and says so."""
    assert main(["report", str(run), "--short", "--out", str(tmp_path / "r.pdf"), "--quiet"]) == 0
    assert "2 pages; sections: verdict, summary." in capsys.readouterr().out


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_picture_is_shown_twice(n: int, tmp_path: Path) -> None:
    """A run of so few pictures shows each once on the first page, and under each set of prompts once among the examples."""
    report = build(kept(tmp_path / "run", n, curve=()))
    (strip,) = (block for block in report.sections[0].blocks if isinstance(block, Strip))
    assert sorted({example.name for example in strip.examples}) == sorted(example.name for example in strip.examples)
    assert len(strip.examples) == n
    strips = [block for one in report.sections if one.id == "examples" for block in one.blocks]
    shown = Counter((one.name, one.words.partition(". ")[0]) for strip in strips for one in strip.examples)
    assert len(shown) == 2 * n
    assert set(shown.values()) == {1}


def test_few_pictures_among_many_classes_make_a_small_matrix(run: Path) -> None:
    """Classes that are nobody's label and nobody's answer have no row of nothing in the confusion matrix."""
    context = ReportContext.of(run)
    many = ("cat", *(f"class {i}" for i in range(129)))
    manifest = replace(context.run.manifest, classes=many)
    context = replace(context, run=replace(context.run, manifest=manifest))
    charts = [block for block in results.confusion(context) if isinstance(block, ConfusionMatrix)]
    assert charts
    for chart in charts:
        assert set(chart.names) <= {"cat", "dog", "bird"}
        assert "of 132 classes that occur)" in chart.caption


def test_one_alone_is_told_in_one_sentence(tmp_path: Path) -> None:
    """Clean and attacked accuracy with their intervals, of how many pictures, within which budget."""
    context = ReportContext.of(kept(tmp_path / "run", compare=None))
    assert front.headline(context) == (
        "Plain CLIP is right on 100.0 % (75.8 to 100.0) of 12 pictures, and under attack (L∞, ε = 4/255) on 8.3 % (1.5 to 35.4)."
    )


def test_where_nobody_withstands_nobody_is_ahead(tmp_path: Path) -> None:
    """The sentence of A and B says so, as does that of a ranking; no first of equals is called the best."""
    run = kept(tmp_path / "run", curve=(), threat=ThreatModel(eps=16 / 255))
    said = front.headline(ReportContext.of(run))
    assert said.startswith(
        "Under attack (L∞, ε = 16/255) neither A (plain CLIP) nor B (prompts demo-prompts) is right on any of 12"
    )
    lead = compare([run]).sections[0].blocks[0]
    assert isinstance(lead, Paragraph)
    assert lead.text == "No variant is ahead. Both are right under attack on 0.0 % of 12 pictures."


def test_prompts_are_called_as_their_file() -> None:
    """The folders of a file of prompts are no part of its name, whatever system the run is from."""
    assert variant_name("/somewhere/tuning/mine.safetensors") == "prompts mine.safetensors"
    assert variant_name("C:\\me\\mine.safetensors") == "prompts mine.safetensors"
    assert variant_name("/somewhere/tuning/prompts.safetensors") == "prompts.safetensors"
    assert variant_name("mine") == "prompts mine"


def test_a_command_too_long_for_the_page_is_that_of_the_manifest(tmp_path: Path) -> None:
    """A list of many class names makes a command of many lines, which stands in the appendix alone."""
    context = ReportContext.of(kept(tmp_path / "run", 2, data="/somewhere/" + "long/" * 200))
    assert front.command(context) == "capt run manifest.json (the manifest is attached)"


def test_unknown_words_are_said_before_any_figure(run: Path) -> None:
    """They stand between the sentence and the chart."""
    context = ReportContext.of(run)
    summary = replace(context.run.summary, unknown_words=(UnknownWord("zebu", 78, ("zebu",)),))
    said = front.warnings(replace(context, run=replace(context.run, summary=summary)))
    assert any("zebu" in block.text for block in said if isinstance(block, Paragraph))


def test_prompts_of_one_file_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two projects of the wizard keep their prompts under the same name."""
    context = ReportContext.of(kept(tmp_path / "run"))
    names = ["/one/prompts.safetensors", "/other/prompts.safetensors"]
    monkeypatch.setattr(ReportContext, "prompts", names)
    assert [context.who(name) for name in names] == [f"A: prompts {names[0]}", f"B: prompts {names[1]}"]
