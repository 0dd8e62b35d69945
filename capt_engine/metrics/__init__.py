"""The metrics of one picture and its attacked double, one line each."""

from __future__ import annotations

from capt_engine.metrics import calibration, consistency, distortion, prediction
from capt_engine.metrics.base import Metric
from capt_engine.registry import Table

METRICS: Table[Metric] = Table(
    "metric",
    prediction.MARGIN_CLEAN,
    prediction.MARGIN_ATTACKED,
    prediction.MARGIN_SHIFT,
    prediction.CONFIDENCE_CLEAN,
    prediction.CONFIDENCE_ATTACKED,
    prediction.LOGIT_SHIFT,
    prediction.TOP5_KEPT,
    consistency.AGREEMENT,
    consistency.KL,
    consistency.JS,
    consistency.COSINE,
    consistency.FROZEN_AGREEMENT,
    consistency.FROZEN_KL,
    consistency.FROZEN_JS,
    distortion.LINF_DISTANCE,
    distortion.L2_DISTANCE,
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
    distortion.LPIPS,
)
