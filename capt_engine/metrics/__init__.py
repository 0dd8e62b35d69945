"""The metrics of one picture and its attacked double, one line each, related ones together; the CSV has an order of its own."""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
from capt_engine.metrics import calibration, consistency, distortion, features, prediction
from capt_engine.metrics.base import Metric
from capt_engine.registry import Table

METRICS: Table[Metric] = Table(
    "metric",
    prediction.MARGIN_CLEAN,
    prediction.MARGIN_ATTACKED,
    prediction.MARGIN_SHIFT,
    features.COSINE_MARGIN_CLEAN,
    features.COSINE_MARGIN_ATTACKED,
    prediction.CONFIDENCE_CLEAN,
    prediction.CONFIDENCE_ATTACKED,
    prediction.ENTROPY_CLEAN,
    prediction.ENTROPY_ATTACKED,
    prediction.LOGIT_SHIFT,
    prediction.TOP5_KEPT,
    consistency.AGREEMENT,
    consistency.KL,
    consistency.JS,
    consistency.COSINE,
    features.LABEL_COSINE_CLEAN,
    features.LABEL_COSINE_ATTACKED,
    consistency.FROZEN_AGREEMENT,
    consistency.FROZEN_KL,
    consistency.FROZEN_JS,
    distortion.LINF_DISTANCE,
    distortion.L2_DISTANCE,
    distortion.LINF_SAVED,
    distortion.L2_SAVED,
    distortion.PSNR,
    distortion.SSIM,
    prediction.TOP5_CLEAN,
    prediction.TOP5_ATTACKED,
    calibration.NLL_CLEAN,
    calibration.NLL_ATTACKED,
    calibration.BRIER_CLEAN,
    calibration.BRIER_ATTACKED,
    consistency.ALPHA,
    distortion.L0_DISTANCE,
    distortion.MEAN_CHANGE,
    distortion.HIGH_FREQUENCY,
    distortion.LPIPS,
)
