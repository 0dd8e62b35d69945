"""The digest of the code that decides a result: whatever an evaluation runs is in it, or is known to change nothing."""

from __future__ import annotations

from pathlib import Path

from capt_engine.evaluation import code_digest
from tests.house.import_graph import graph

ROOT = Path(__file__).parents[3]

# What an evaluation imports besides, and why it changes no row: words, files, tables and records of requests; the classes and settings in
# these are parts of a question themselves, and so are the plug-ins.
CHANGES_NOTHING = (
    "capt_engine.bundled_models",
    "capt_engine.crash_log",
    "capt_engine.data.class_files",
    "capt_engine.data.class_lists",
    "capt_engine.data.class_names",
    "capt_engine.data.folders",
    "capt_engine.data.labelled_set",
    "capt_engine.data.products",
    "capt_engine.errors",
    "capt_engine.files",
    "capt_engine.folders",
    "capt_engine.formatting",
    "capt_engine.frozen",
    "capt_engine.plugins",
    "capt_engine.progress",
    "capt_engine.reading",
    "capt_engine.records",
    "capt_engine.registry",
    "capt_engine.resources",
    "capt_engine.results",
    "capt_engine.runs",
    "capt_engine.download",
    "capt_engine.trash",
)


def test_all_that_an_evaluation_runs_is_in_the_digest() -> None:
    """Every module that is imported on the way from a batch to its rows is in DECIDING or changes nothing."""
    arrows = graph(ROOT)
    reached, waiting = set(), ["capt_engine.evaluation.rows", "capt_engine.evaluation.checks"]
    while waiting:
        if (one := waiting.pop()) not in reached:
            reached.add(one)
            waiting += arrows[one]
    deciding = tuple(f"capt_engine.{part.removesuffix('.py').replace('/', '.')}" for part in code_digest.DECIDING)

    def is_among(name: str, parts: tuple[str, ...]) -> bool:
        return any(name == part or name.startswith(f"{part}.") for part in parts)

    assert len(reached) > 60
    others = [name for name in reached if not is_among(name, deciding) and not is_among(name, CHANGES_NOTHING)]
    assert sorted(others) == []
    unused = [part for part in deciding if not any(is_among(name, (part,)) for name in reached)]
    assert unused == []


def test_other_code_is_another_digest(tmp_path: Path) -> None:
    """One byte of one file changes it; how a line ends on another system does not."""
    files = code_digest.deciding_files()
    copies = [tmp_path / str(i) / path.name for i, path in enumerate(files)]
    for path, copy in zip(files, copies, strict=True):
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(copies) > 60
    assert code_digest.digest_of_source(copies) == code_digest.digest_of_source(files)
    copies[7].write_bytes(copies[7].read_bytes() + b"#")
    assert code_digest.digest_of_source(copies) != code_digest.digest_of_source(files)
    assert code_digest.digest_of_source((), "1.0") != code_digest.digest_of_source((), "1.1")
