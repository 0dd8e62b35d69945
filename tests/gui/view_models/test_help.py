"""The help is the project's own documents: every page is there, every link leads somewhere, every term has its sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from capt_engine.records import DeviceInfo
from capt_gui.view_models.help.glossary import Glossary
from capt_gui.view_models.help.library import GLOSSARY, SHORTCUTS, Library, anchor_of, contents
from capt_gui.view_models.help.problem_report import problem_report, redacted

_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def library() -> Library:
    """The help that ships."""
    return Library()


@pytest.fixture(scope="module")
def glossary(library: Library) -> Glossary:
    """Its glossary."""
    return Glossary(library)


def test_every_page_is_there(library: Library) -> None:
    """Each page of the contents has a text that begins with its title; the sheet of shortcuts is written by the window."""
    missing = [page for page, _ in contents() if page != SHORTCUTS and not library.text(page).startswith("# ")]
    assert missing == []


def test_every_link_to_a_place_in_the_help_finds_it(library: Library) -> None:
    """Pages that are linked are there, and so are the headings that links name."""
    lost = []
    for page, _ in contents():
        for link in _LINK.findall(library.text(page)):
            name, _, anchor = link.partition("#")
            if "://" in link or not (name.endswith(".md") or not name):
                continue
            target = (Path(page).parent / name).as_posix() if name else page
            target = re.sub(r"[^/]+/\.\./", "", target)
            anchors = {one.anchor for one in library.sections() if one.page == target}
            if not library.text(target) or (anchor and anchor not in anchors):
                lost.append(f"{page}: {link}")
    assert lost == []


def test_nothing_outside_the_folder_is_read(library: Library) -> None:
    """A link cannot lead out of what ships."""
    assert library.text("../README.md") == ""
    assert library.path("../pyproject.toml") is None


def test_a_search_finds_headings_first_and_shows_the_words_around(library: Library) -> None:
    """All words must stand in one section; the glossary answers with the line of the term."""
    hits = library.search("toy world")
    assert (hits[0].page, hits[0].anchor) == ("guide/first-look.md", "the-toy-world")
    assert "shapes" in hits[0].snippet
    assert any(
        hit.page == GLOSSARY and hit.anchor == "gradient-masking" for hit in library.search("masking robust look")
    )
    assert library.search("no such words anywhere") == []


def test_an_anchor_is_what_links_call_a_heading() -> None:
    """Small letters, hyphens, no other marks."""
    assert anchor_of("What is the same, and where") == "what-is-the-same-and-where"


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("Robust accuracy of 12 pictures", "accuracy, robust"),
        ("Attacked within ε = 1/255", "budget"),
        ("Learned prompts", "learned prompt"),
        ("Norm", "norm"),
        ("ASR", "attack success rate"),
    ],
)
def test_a_term_is_found_in_the_words_of_the_window(glossary: Glossary, words: str, term: str) -> None:
    """Turned terms, plurals and symbols are recognised."""
    found = glossary.term_in(words)
    assert found is not None
    assert found.name == term
    assert found.sentence.startswith(f"{term}: ")


@pytest.mark.parametrize("words", ["Open the project", "", "Cancel", "normal", "classroom"])
def test_other_words_are_left_alone(glossary: Glossary, words: str) -> None:
    """Parts of words, and everyday words that mean something else in the glossary, have no sentence."""
    assert glossary.term_in(words) is None


def test_the_place_of_the_mouse_decides_among_terms(glossary: Glossary) -> None:
    """In a longer text the term under the mouse is meant."""
    words = "The margin stays while the perturbation grows"
    assert [
        getattr(glossary.term_in(words, words.index(one)), "name", None) for one in ("margin", "stays", "pert")
    ] == [
        "margin",
        None,
        "perturbation",
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("'/data/patients/Mr. Smith.png' is empty", "'<path>.png' is empty"),
        ("opened ~/pictures/cat.jpg, then left", "opened <path>.jpg, then left"),
        (r"D:\pictures\cat.png", "<path>.png"),
        ('File "/opt/app/capt_engine/jobs/runner.py", line 3', 'File "…/capt_engine/jobs/runner.py", line 3'),
        ('File "/opt/venv/lib/python3.11/site-packages/torch/nn.py"', 'File "…/site-packages/torch/nn.py"'),
        ("holiday.jpeg is empty", "<path>.jpeg is empty"),
        ("3/4 of 10 at 1/255, https://example.org/page", "3/4 of 10 at 1/255, https://example.org/page"),
    ],
)
def test_a_report_names_no_file_of_the_user(line: str, shown: str) -> None:
    """Paths are hidden but for their ending; those of program files stay, as they tell where a fault is."""
    assert redacted(line) == shown


def test_a_report_holds_what_is_needed(tmp_path: Path) -> None:
    """Versions, device, facts, the last crash and the end of the log, none of which need be there."""
    device = DeviceInfo("cpu", "CPU, 2 cores", None, "No GPU was found.")
    empty = problem_report(tmp_path / "nowhere", device, None, {"Page": "Explore"})
    assert "capt-explorer" in empty
    assert "Device: CPU, 2 cores" in empty
    assert "Page: Explore" in empty
    (tmp_path / "crash-20260101-000000-0.txt").write_text("ZeroDivisionError\n", encoding="utf-8")
    (tmp_path / "capt-explorer.log").write_text("\n".join(f"line {n}" for n in range(500)), encoding="utf-8")
    full = problem_report(tmp_path, None, None, {})
    assert "ZeroDivisionError" in full
    assert "line 499" in full
    assert "line 100\n" not in full
