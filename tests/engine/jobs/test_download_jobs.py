"""Models through the door: listed offline, fetched from a hub of our own, paused, killed, resumed, verified, and then there to be used."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.api import Engine
from capt_engine.bundled_models import BUNDLED
from capt_engine.model.store import catalog
from capt_engine.records import (
    DownloadRequest,
    DownloadResult,
    Event,
    JobCancelled,
    JobContinued,
    JobFailed,
    JobFinished,
    JobId,
    JobPaused,
    JobProgress,
    Ledger,
    LedgerRequest,
    ListModelsRequest,
    ModelsListed,
    OfflineRequest,
)
from tests.conftest import TINY_CONFIG
from tests.engine.download.hub_server import COMMIT, Hub, serving
from tests.engine.model.importers import forms

NAME = "open_clip_model.safetensors"
WEIGHTS = bytes(range(256)) * 8000
CONFIG = json.dumps({"model_cfg": {"embed_dim": 16, "quick_gelu": False}, "preprocess_cfg": {}}).encode()
MODEL = "hf-hub:somebody/tiny"


class Talk:
    """An engine without torch's worker in the way: only what the light one says is waited for."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.engine = Engine(self.events.put)

    def until(self, wanted: Callable[[Event], bool], timeout_s: float = 30) -> Event:
        """The next event of a kind."""
        ends_s = time.monotonic() + timeout_s
        while True:
            event = self.events.get(timeout=max(0.01, ends_s - time.monotonic()))
            if wanted(event):
                return event

    def end_of(self, job: JobId) -> Event:
        """How a job ended."""
        ends = (JobFinished, JobFailed, JobCancelled)
        return self.until(lambda event: isinstance(event, ends) and event.job == job)

    def progress_of(self, job: JobId) -> None:
        """Wait until some bytes have come."""
        self.until(
            lambda event: isinstance(event, JobProgress) and event.job == job and event.total > 1e5 and event.done > 0
        )


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one small model, and a user without any."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving(Hub({NAME: WEIGHTS, "open_clip_config.json": CONFIG})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def talk(hub: Hub) -> Iterator[Talk]:
    """An engine that talks."""
    del hub
    talk = Talk()
    yield talk
    assert talk.engine.close(30)


def test_every_offer_is_listed_without_the_network(hub: Hub, talk: Talk) -> None:
    """Sizes, licences, sources and what this machine makes of it; nothing is asked of anybody."""
    ended = talk.end_of(talk.engine.submit(ListModelsRequest()))
    assert isinstance(ended, JobFinished)
    listed = ended.result
    assert isinstance(listed, ModelsListed)
    assert not listed.offline
    assert not hub.asked
    assert [one.id for one in listed.offered if one.state == "bundled"] == list(BUNDLED)
    for one in listed.offered[len(BUNDLED) :]:
        assert one.purpose
        assert one.licence
        assert one.parameters > 1e6
        assert one.state == "absent"
        assert one.comfort in ("comfortable", "slow", "too large")
        assert bool(one.repo) == bool(one.bytes) != bool(one.base)
        if one.repo:
            assert one.files[1].startswith(f"https://huggingface.co/{one.repo}/resolve/{one.revision}/")
    known = {one.id: one for one in listed.offered}
    assert {"vit-b-32-openai", "vit-b-16-openai", "vit-l-14-openai", "fare4-vit-b-32", "tecoa4-vit-l-14"} <= set(known)


def test_a_model_is_paused_resumed_and_there(hub: Hub, talk: Talk) -> None:
    """While paused nothing is on the wire; afterwards only the rest is fetched; then the model is installed with its origin."""
    hub.slow_s = 0.02
    job = talk.engine.submit(DownloadRequest(MODEL))
    talk.progress_of(job)
    talk.engine.pause(job)
    talk.until(lambda event: isinstance(event, JobPaused))
    asked = len(hub.asked)
    time.sleep(0.3)
    assert len(hub.asked) == asked
    hub.slow_s = 0
    talk.engine.resume(job)
    talk.until(lambda event: isinstance(event, JobContinued))
    ended = talk.end_of(job)
    assert isinstance(ended, JobFinished), ended
    result = ended.result
    assert isinstance(result, DownloadResult)
    assert result.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert result.commit == COMMIT
    assert hub.ranges[0] != "bytes=0-"
    folder = Path(result.folder)
    assert sorted(path.name for path in folder.iterdir()) == ["installed.json", "open_clip_config.json", NAME]
    assert json.loads((folder / "installed.json").read_text())["files"][NAME] == result.sha256
    assert not list(folder.parent.glob(".*"))
    again = talk.end_of(talk.engine.submit(DownloadRequest(MODEL)))
    assert isinstance(again, JobFailed)
    assert "installed already" in again.failure.message


def test_a_cancelled_download_is_not_a_model(hub: Hub, talk: Talk) -> None:
    """What came is kept out of sight, and counted when the models are listed."""
    hub.slow_s = 0.02
    job = talk.engine.submit(DownloadRequest(MODEL))
    talk.progress_of(job)
    talk.engine.cancel(job)
    assert isinstance(talk.end_of(job), JobCancelled)
    assert not [folder for folder in catalog.models_dir().iterdir() if catalog.is_model(folder)]
    ended = talk.end_of(talk.engine.submit(LedgerRequest()))
    assert isinstance(ended, JobFinished)
    assert isinstance(ended.result, Ledger)
    assert [entry.ended for entry in ended.result.entries] == ["cancelled", "complete"]


def test_offline_is_said_and_nothing_leaves(hub: Hub, talk: Talk) -> None:
    """One click, for good."""
    talk.end_of(talk.engine.submit(OfflineRequest(locked=True)))
    ended = talk.end_of(talk.engine.submit(DownloadRequest(MODEL)))
    assert isinstance(ended, JobFailed)
    assert "offline for good" in ended.failure.message
    assert not hub.asked


def test_a_stranger_is_not_installed(hub: Hub, talk: Talk) -> None:
    """A repository whose configuration is none leaves nothing behind."""
    hub.files["open_clip_config.json"] = b"[]"
    ended = talk.end_of(talk.engine.submit(DownloadRequest(MODEL)))
    assert isinstance(ended, JobFailed)
    assert "no model's configuration" in ended.failure.message
    assert not list(catalog.models_dir().iterdir())


def test_a_wrong_activation_is_put_right(hub: Hub, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the list says QuickGELU and the configuration forgets it, the installed one says it."""
    listed = catalog.entry_of("vit-b-32-openai")
    entry = replace(listed, bytes=len(WEIGHTS), sha256=hashlib.sha256(WEIGHTS).hexdigest())
    monkeypatch.setattr(catalog, "_entries", lambda: (entry,))
    ended = talk.end_of(talk.engine.submit(DownloadRequest("vit-b-32-openai")))
    assert isinstance(ended, JobFinished), ended
    assert isinstance(ended.result, DownloadResult)
    config = json.loads((Path(ended.result.folder) / "open_clip_config.json").read_text())
    assert config["model_cfg"]["quick_gelu"] is True
    assert hub.asked


def test_a_model_of_another_form_is_converted(
    hub: Hub, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CLIPModel folder and pickled weights end as the form that we keep, with their commit, and nothing else is left."""
    model, look = TINY_CONFIG["model_cfg"], TINY_CONFIG["preprocess_cfg"]
    made = forms.clip_model(tmp_path / "made", forms.random_clip(model), model, look)
    hub.files = {path.name: path.read_bytes() for path in made.iterdir()}
    entry = catalog.Entry(
        id="small",
        label="Small",
        purpose="",
        licence="MIT",
        activation="as its config says",
        parameters=1,
        size=1,
        repo="somebody/small",
        revision="main",
        weights=("model.safetensors",),
        form="CLIPModel",
    )
    monkeypatch.setattr(catalog, "_entries", lambda: (entry,))
    ended = talk.end_of(talk.engine.submit(DownloadRequest("small")))
    assert isinstance(ended, JobFinished), ended
    assert isinstance(ended.result, DownloadResult)
    folder = Path(ended.result.folder)
    assert sorted(path.name for path in folder.iterdir()) == ["installed.json", "open_clip_config.json", NAME]
    assert json.loads((folder / "installed.json").read_text())["commit"] == COMMIT
    assert not list(folder.parent.glob(".*"))


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_clip_model_of_the_hub_is_fetched(hub: Hub, talk: Talk, tmp_path: Path, in_parts: bool) -> None:
    """A repository in the layout of transformers is found by its config.json, and its weights by their index where they are in parts."""
    model, look = TINY_CONFIG["model_cfg"], TINY_CONFIG["preprocess_cfg"]
    made = forms.clip_model(tmp_path / "made", forms.random_clip(model), model, look)
    if in_parts:
        forms.in_parts(made)
    hub.files = {path.name: path.read_bytes() for path in made.iterdir()}
    ended = talk.end_of(talk.engine.submit(DownloadRequest(MODEL)))
    assert isinstance(ended, JobFinished), ended
    assert isinstance(ended.result, DownloadResult)
    folder = Path(ended.result.folder)
    assert sorted(path.name for path in folder.iterdir()) == ["installed.json", "open_clip_config.json", NAME]
    note = json.loads((folder / "installed.json").read_text())
    assert (note["commit"], note["form"], note["imported_from"]) == (COMMIT, "CLIPModel folder", MODEL)
    assert not list(folder.parent.glob(".*"))


def test_a_fault_of_a_download_is_the_repositorys(hub: Hub, talk: Talk, tmp_path: Path) -> None:
    """What does not fit together is called by the name that was asked for, not by the hidden folder in which it lies."""
    model, look = TINY_CONFIG["model_cfg"], TINY_CONFIG["preprocess_cfg"]
    made = forms.clip_model(tmp_path / "made", forms.random_clip(model), model, look)
    config = json.loads((made / "config.json").read_text())
    heads = {"vision_config": {**config["vision_config"], "num_attention_heads": 7}}
    for changed, said in (({"model_type": "siglip"}, "siglip"), (heads, "7 attention heads")):
        hub.files = {path.name: path.read_bytes() for path in made.iterdir()}
        hub.files["config.json"] = json.dumps({**config, **changed}).encode()
        ended = talk.end_of(talk.engine.submit(DownloadRequest(MODEL)))
        assert isinstance(ended, JobFailed), ended
        assert said in ended.failure.message
        assert ".download" not in ended.failure.message
        shutil.rmtree(catalog.models_dir())


def test_an_index_of_the_hub_leads_nowhere_else(hub: Hub, talk: Talk) -> None:
    """An index that names a path is refused before anything is asked for by that name."""
    hub.files = {
        "config.json": b"{}",
        "model.safetensors.index.json": json.dumps({"weight_map": {"a": "../../up.safetensors"}}).encode(),
    }
    ended = talk.end_of(talk.engine.submit(DownloadRequest(MODEL)))
    assert isinstance(ended, JobFailed), ended
    assert "no file of weights beside it" in ended.failure.message
    assert all("up.safetensors" not in name for _, name in hub.asked)


_CHILD = f"""
import sys, time
from capt_engine.jobs.download_jobs import download
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.records import DownloadRequest
import threading

def report(done, total, note, left):
    print(done, total, flush=True)

download(DownloadRequest({MODEL!r}), StoppableProgress(report, threading.Event()))
print("done", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_a_killed_program_goes_on_where_it_was(hub: Hub) -> None:
    """kill -9 of the program itself: the next start fetches only the rest."""
    hub.slow_s = 0.02
    child = subprocess.Popen([sys.executable, "-c", _CHILD], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        done, total = line.split()
        if int(total) > 1e5 and int(done) > 3e5:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    time.sleep(0.5)  # the process that fetches ends when nobody listens any more
    hub.slow_s = 0
    ended = subprocess.run([sys.executable, "-c", _CHILD], stdout=subprocess.PIPE, text=True, check=True)
    assert ended.stdout.endswith("done\n")
    assert int(hub.ranges[-1].removeprefix("bytes=").rstrip("-")) > 2e5
    (folder,) = (folder for folder in catalog.models_dir().iterdir() if catalog.is_model(folder))
    assert (folder / NAME).read_bytes() == WEIGHTS
