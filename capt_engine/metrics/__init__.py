"""The metrics of one picture and its attacked double, one line each."""

from __future__ import annotations

from capt_engine.metrics import consistency, distortion, prediction
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
)
