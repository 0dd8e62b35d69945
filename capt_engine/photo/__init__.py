"""The training of the bundled photograph model: EfficientNet-Lite0's knowledge of ImageNet, distilled into a CLIP."""

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
