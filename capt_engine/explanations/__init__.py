"""Saliency: where in a picture a model's answer comes from, and which of its patches an attack moved."""

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
