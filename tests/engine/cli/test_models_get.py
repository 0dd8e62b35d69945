"""`capt models get`, `ledger` and `offline`: nothing unasked, resumable, on record; and none of it waits for torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from capt_engine.cli.main import main
from capt_engine.model.store import catalog
from tests.conftest import TINY_CONFIG
from tests.engine.download.hub_server import COMMIT, Hub, serving
from tests.engine.model.importers import forms

WEIGHTS = bytes(range(256)) * 2000
CONFIG = json.dumps({"model_cfg": {"embed_dim": 16}, "preprocess_cfg": {}}).encode()
MODEL = "hf-hub:somebody/tiny"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one small model, and a user without any."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving(Hub({"open_clip_model.safetensors": WEIGHTS, "open_clip_config.json": CONFIG})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The JSON lines on stdout."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_get_downloads_verifies_and_lists(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """With --yes; afterwards it is among the models and in the ledger, and a second time is refused."""
    assert main(["models", "get", MODEL, "--yes", "--json"]) == 0
    (summary,) = said(capsys)
    assert summary["sha256"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert summary["commit"] == COMMIT
    assert main(["models", "list", "--json"]) == 0
    assert "somebody--tiny" in [line.get("id") for line in said(capsys)]
    assert main(["models", "ledger", "--json"]) == 0
    assert {line.get("ended") for line in said(capsys)[:-1]} == {"complete"}
    assert main(["models", "get", MODEL, "--yes"]) == 2
    assert "installed already" in capsys.readouterr().err
    assert hub.asked


def test_a_fetched_model_is_tried_on_a_few_pictures(
    hub: Hub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Random weights guess: the score is near chance, and the usual causes are named."""
    model, look = TINY_CONFIG["model_cfg"], TINY_CONFIG["preprocess_cfg"]
    made = forms.open_clip_folder(tmp_path / "made", forms.random_clip(model), model, look)
    hub.files = {path.name: path.read_bytes() for path in made.iterdir()}
    assert main(["models", "get", MODEL, "--yes"]) == 0
    said = capsys.readouterr().out
    assert "of 12 right on the demo pictures" in said
    assert "Warning:" in said


def test_nothing_is_fetched_unasked(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there is nobody to ask; the sentence says how to agree."""
    assert main(["models", "get", MODEL]) == 2
    assert "--yes" in capsys.readouterr().err
    assert not hub.asked


def test_offline_holds_for_every_later_run(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Locked, refused, unlocked; and --offline alone refuses too."""
    assert main(["models", "offline", "on"]) == 0
    assert main(["models", "get", MODEL, "--yes"]) == 2
    assert "offline for good" in capsys.readouterr().err
    assert main(["models", "offline", "off"]) == 0
    assert not hub.asked
    assert main(["models", "get", MODEL, "--yes", "--no-score"]) == 0
    hub.asked.clear()
    assert main(["models", "get", "hf-hub:somebody/else", "--yes", "--offline"]) == 2
    assert not hub.asked


def test_an_unknown_name_offers_the_nearest(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the finger is answered with what was meant."""
    assert main(["models", "get", "vit-b-32-opnai", "--yes"]) == 2
    assert "vit-b-32-openai" in capsys.readouterr().err
    assert not hub.asked


def test_a_download_does_not_load_torch(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker that computes is not even started."""
    from capt_engine.jobs import worker_threads

    def never(*_: object) -> object:
        raise AssertionError("the worker that loads torch was started")

    monkeypatch.setattr(worker_threads, "science", never)
    assert main(["models", "get", MODEL, "--yes", "--quiet", "--no-score"]) == 0
    assert catalog.is_model(catalog.models_dir() / "somebody--tiny")
    assert hub.asked
    capsys.readouterr()
