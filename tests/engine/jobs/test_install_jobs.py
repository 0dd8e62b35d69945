"""Installed models and prompts are removed into a trash, and come back whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from capt_engine import trash
from capt_engine.errors import BadRequest
from capt_engine.folders import models_dir
from capt_engine.jobs.context import JobContext
from capt_engine.jobs.install_jobs import handle_put_back, handle_remove
from capt_engine.model.store import model_store, prompt_store
from capt_engine.records import CatalogueChanged, PutBackRequest, RemoveRequest
from capt_engine.resources import resource
from capt_engine.runs import kept_runs


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """A job that keeps its events in `told`, among models and prompts of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    told: list[Any] = []
    return cast(JobContext, SimpleNamespace(progress=lambda *_: None, on_event=told.append, told=told))


@pytest.mark.parametrize("kind", ["model", "prompts"])
def test_a_removed_one_comes_back_as_it_was(kind: str, job: JobContext) -> None:
    """All its files leave together and return together, and the choice is listed anew each time."""
    files = installed(kind)
    before = {path: path.read_bytes() for path in files}
    removed = handle_remove(job, RemoveRequest(kind, "mine"))
    assert removed.is_kept
    assert not removed.emptied
    assert not any(path.exists() for path in files)
    handle_put_back(job, PutBackRequest(kind, "mine"))
    assert {path: path.read_bytes() for path in files} == before
    assert not trash.discarded(files[0].parent if kind == "prompts" else models_dir())
    assert [type(event) for event in cast(Any, job).told] == [CatalogueChanged] * 2
    with pytest.raises(BadRequest, match="no longer in the trash"):
        handle_put_back(job, PutBackRequest(kind, "mine"))


@pytest.mark.parametrize("kind", ["model", "prompts"])
def test_nothing_is_written_over_when_it_comes_back(kind: str, job: JobContext) -> None:
    """Another one that took the name meanwhile stays, and so does the one in the trash."""
    installed(kind)
    handle_remove(job, RemoveRequest(kind, "mine"))
    taken = installed(kind)
    with pytest.raises(BadRequest):
        handle_put_back(job, PutBackRequest(kind, "mine"))
    assert all(path.exists() for path in taken)
    assert len(trash.discarded(taken[0].parent if kind == "prompts" else models_dir())) == 1


def test_a_trash_without_room_says_that_it_went_for_good(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk needs the room at once, nobody is offered to put it back."""
    installed("model")
    monkeypatch.setattr(kept_runs, "trash_rules", lambda: trash.TrashRules(n_bytes=1))
    removed = handle_remove(job, RemoveRequest("model", "mine"))
    assert not removed.is_kept
    assert "1 model" in removed.emptied


@pytest.mark.parametrize(("kind", "name"), [("model", "demo"), ("prompts", "capt-shapes-night"), ("model", "nobody")])
def test_only_ones_own_can_be_removed(kind: str, name: str, job: JobContext) -> None:
    """Those that ship with the program stay, and a name that is not there is said."""
    with pytest.raises(BadRequest):
        handle_remove(job, RemoveRequest(kind, name))


def installed(kind: str) -> tuple[Path, ...]:
    """Install a model of two files or prompts with their record, called "mine"; return the files."""
    if kind == "model":
        files = (models_dir() / "mine" / "open_clip_config.json", models_dir() / "mine" / "weights.safetensors")
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(path.name.encode())
        assert model_store.folder_of("mine").is_dir()
        return files
    path = prompt_store.own_folder() / "mine.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(resource("prompts") / "capt-shapes-night.safetensors", path)
    prompt_store.note_of(path).write_text("{}", "utf-8")
    return path, prompt_store.note_of(path)
