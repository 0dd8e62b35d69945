"""Measurements: functions of tensors, the table of those that every run reports, and how runs are counted."""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
from capt_engine.metrics.calibration import *
from capt_engine.metrics.consistency import *
from capt_engine.metrics.distortion import *
from capt_engine.metrics.features import *
from capt_engine.metrics.prediction import *
from capt_engine.metrics.table import METRICS as METRICS
