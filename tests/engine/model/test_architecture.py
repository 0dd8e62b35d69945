"""A stranger's configuration makes nobody run code or ask the network, whatever it names and whatever is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from capt_engine.errors import BadCheckpoint
from capt_engine.model.architecture import tokenizer_options
from capt_engine.model.clip import load_backbone

CODE = "raise SystemExit('code of a stranger was run')\n"


def strange(tiny_folder: Path, folder: Path, text: dict[str, Any], vision: dict[str, Any] | None = None) -> Path:
    """A copy of a sound model with more in its configuration, and Python beside it as a tokenizer would have it."""
    folder.mkdir()
    config = json.loads((tiny_folder / "open_clip_config.json").read_text("utf-8"))
    config["model_cfg"]["text_cfg"] |= text
    config["model_cfg"]["vision_cfg"] |= vision or {}
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    (folder / "open_clip_model.safetensors").write_bytes((tiny_folder / "open_clip_model.safetensors").read_bytes())
    (folder / "tokenization.py").write_text(CODE, "utf-8")
    auto = {"tokenizer_class": "Strange", "auto_map": {"AutoTokenizer": ["tokenization.Strange", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(auto), "utf-8")
    return folder


def test_a_tokenizer_of_strangers_code_is_not_trusted(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where transformers is installed it is told not to run code and not to fetch, over what the configuration asks for."""
    asked: list[dict[str, Any]] = []

    class AutoTokenizer:
        """Notes what it is asked, and makes nothing."""

        @staticmethod
        def from_pretrained(name: str, **options: Any) -> None:
            """Note the options."""
            asked.append({"name": name, **options})
            raise OSError("no tokenizer here")

    library = ModuleType("transformers")
    library.AutoTokenizer = AutoTokenizer  # type: ignore[attr-defined]
    library.__spec__ = sys.__spec__
    monkeypatch.setitem(sys.modules, "transformers", library)
    wanted = {
        "hf_tokenizer_name": "evil/model",
        "tokenizer_kwargs": {"trust_remote_code": True, "local_files_only": False},
    }
    folder = strange(tiny_folder, tmp_path / "m", wanted)
    with pytest.raises(BadCheckpoint, match="no tokenizer here"):
        load_backbone(f"local-dir:{folder}", torch.device("cpu"))
    (one,) = asked
    assert str(one["name"]) == str(folder)
    assert (one["trust_remote_code"], one["local_files_only"]) == (False, True)


def test_a_tokenizer_of_another_library_is_said_to_be_missing(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without transformers the sentence names it, and does not look for the fault in the weights."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    folder = strange(tiny_folder, tmp_path / "m", {"hf_tokenizer_name": "evil/model"})
    with pytest.raises(BadCheckpoint, match="library transformers, which is not installed"):
        load_backbone(f"local-dir:{folder}", torch.device("cpu"))


@pytest.mark.parametrize(
    ("text", "vision"),
    [
        ({"hf_model_name": "evil/model"}, {}),
        ({}, {"timm_model_name": "hf-hub:evil/model"}),
        ({}, {"timm_model_name": "local-dir:/somewhere"}),
        ({}, {"timm_model_name": ["vit"]}),
    ],
)
def test_towers_that_would_be_fetched_are_refused(
    tiny_folder: Path, tmp_path: Path, text: dict[str, Any], vision: dict[str, Any]
) -> None:
    """A text tower of transformers and a tower of timm by an address are refused before anything is built."""
    folder = strange(tiny_folder, tmp_path / "m", text, vision)
    with pytest.raises(BadCheckpoint, match="fetch"):
        load_backbone(f"local-dir:{folder}", torch.device("cpu"))


def test_usual_configurations_ask_for_nothing() -> None:
    """CLIP's own tokenizer takes no options, and timm's towers by name are built here."""
    assert tokenizer_options({"text_cfg": {}, "vision_cfg": {"timm_model_name": "fastvit_mci0"}}, "x") == {}
    with pytest.raises(BadCheckpoint, match="no table"):
        tokenizer_options({"text_cfg": 3}, "x")
