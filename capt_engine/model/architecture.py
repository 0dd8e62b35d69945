"""The configuration of a model, which may be a stranger's: nothing in it may make open_clip run code or ask the network.

open_clip builds some towers and tokenizers with the libraries transformers and timm, by names that stand in the configuration. transformers
can fetch what is named and run Python that lies beside it (`trust_remote_code`); timm can fetch too ("hf-hub:…"). None of that is let.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any, Final

from capt_engine.errors import BadCheckpoint

# For the library transformers; these come before what a configuration says.
_NO_CODE: Final = {"trust_remote_code": False, "local_files_only": True}
_SUPPORTED = "Only models whose parts lie in the folder, or are timm's and open_clip's own, are supported."


def tokenizer_options(model: Mapping[str, Any], called: str) -> dict[str, Any]:
    """Check a model's configuration and return the options that its tokenizer is to be made with.

    model: open_clip's `model_cfg`. called: the folder or architecture, for messages. Raises BadCheckpoint where a part
    of the model would be fetched, or made by a library that is not installed.
    """
    text, vision = _part(model, "text_cfg", called), _part(model, "vision_cfg", called)
    if text.get("hf_model_name"):
        raise BadCheckpoint(
            f"The text tower of {called!r} is {_shown(text['hf_model_name'])} of the library transformers, which would fetch it.",
            _SUPPORTED,
        )
    tower = vision.get("timm_model_name") or ""
    if not isinstance(tower, str) or any(one in tower for one in ":/\\"):
        raise BadCheckpoint(f"The image tower of {called!r} is {_shown(tower)}, which would be fetched.", _SUPPORTED)
    if not text.get("hf_tokenizer_name"):
        return {}
    if importlib.util.find_spec("transformers") is None:
        raise BadCheckpoint(
            f"The tokenizer of {called!r} is one of the library transformers, which is not installed.",
            "Install it beside this program (pip install transformers); the tokenizer's files must lie in the folder.",
        )
    return dict(_NO_CODE)


def _part(model: Mapping[str, Any], name: str, called: str) -> Mapping[str, Any]:
    part = model.get(name, {})
    if not isinstance(part, Mapping):
        raise BadCheckpoint(f"The configuration of {called!r} has a {name} that is no table.", "Copy the model again.")
    return part


def _shown(name: object) -> str:
    return repr(str(name)[:60])
