from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
