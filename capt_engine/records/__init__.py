"""Every frozen value that passes the door: requests in, events and results out.

Plain values only (numbers, strings, tuples, bytes): no tensors, no arrays, no Qt types. They can be compared in tests, written to
JSON, printed in a report, and sent to another process the day that is needed. This page gives them all; each module below it is a
subject.
"""

from __future__ import annotations

from capt_engine.records.analysis import *
from capt_engine.records.catalogue import *
from capt_engine.records.charts import *
from capt_engine.records.comparison import *
from capt_engine.records.data import *
from capt_engine.records.downloads import *
from capt_engine.records.events import *
from capt_engine.records.heat_scale import *
from capt_engine.records.kept_rows import *
from capt_engine.records.kept_runs import *
from capt_engine.records.models import *
from capt_engine.records.pace import *
from capt_engine.records.pictures import *
from capt_engine.records.reports import *
from capt_engine.records.requests import *
from capt_engine.records.run_requests import *
from capt_engine.records.saliency import *
from capt_engine.records.signed_scale import *
from capt_engine.records.stored import *
from capt_engine.records.suites import *
from capt_engine.records.threat import *
from capt_engine.records.tuning import *
from capt_engine.records.vocabulary import *
