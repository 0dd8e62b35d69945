"""Measurements: functions of tensors, the table of those that every run reports, and how runs are counted."""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
from capt_engine.metrics.calibration import brier, ece, nll
from capt_engine.metrics.consistency import agreement, js, kl
from capt_engine.metrics.distortion import high_frequency, l0, l2, linf, mean_change, psnr, ssim
from capt_engine.metrics.features import cosine, label_cosine, text_drift
from capt_engine.metrics.prediction import confidence, entropy, in_top_k, logit_shift, margin, top_k_kept
from capt_engine.metrics.table import METRICS

__all__ = [
    "METRICS",
    "agreement",
    "brier",
    "confidence",
    "cosine",
    "ece",
    "entropy",
    "high_frequency",
    "in_top_k",
    "js",
    "kl",
    "l0",
    "l2",
    "label_cosine",
    "linf",
    "logit_shift",
    "margin",
    "mean_change",
    "nll",
    "psnr",
    "ssim",
    "text_drift",
    "top_k_kept",
]
