"""The bundled toy world and the tiny CLIP that knows it."""

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
