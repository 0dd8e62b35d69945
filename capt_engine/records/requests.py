"""Requests to the engine, and their results."""

from __future__ import annotations

from capt_engine.records.analysis import AnalyzeResult, CheckClassesRequest, ClassesChecked
from capt_engine.records.catalogue import Catalogue, CatalogueRequest
from capt_engine.records.charts import ChartSaved, SaveChartRequest
from capt_engine.records.data import ScanRequest, ScanResult, SplitRequest, SplitResult
from capt_engine.records.downloads import (
    DownloadRequest,
    DownloadResult,
    Ledger,
    LedgerRequest,
    ListModelsRequest,
    ModelsListed,
    OfflineRequest,
    OfflineSet,
    Removed,
    RemoveRequest,
    Verified,
    VerifyRequest,
)
from capt_engine.records.models import (
    ImportLpipsRequest,
    ImportModelRequest,
    ImportPromptsRequest,
    LpipsImported,
    ModelImported,
    PromptsImported,
    SanityRequest,
    SanityScore,
)
from capt_engine.records.pictures import PreviewRequest, PreviewResult
from capt_engine.records.reports import ListRunsRequest, ReportRequest, ReportResult, RunsListed
from capt_engine.records.run_requests import RunRequest
from capt_engine.records.tuning import (
    ForecastRequest,
    SaveTunedRequest,
    TunedSaved,
    TuneForecast,
    TuneRequest,
    TuneResult,
)

__all__ = [
    "Request",
    "Result",
]

Request = (
    RunRequest
    | TuneRequest
    | ReportRequest
    | ListRunsRequest
    | SaveChartRequest
    | PreviewRequest
    | CheckClassesRequest
    | ScanRequest
    | SplitRequest
    | ForecastRequest
    | SaveTunedRequest
    | ListModelsRequest
    | DownloadRequest
    | LedgerRequest
    | OfflineRequest
    | VerifyRequest
    | SanityRequest
    | RemoveRequest
    | CatalogueRequest
    | ImportPromptsRequest
    | ImportModelRequest
    | ImportLpipsRequest
)


Result = (
    AnalyzeResult
    | TuneResult
    | ReportResult
    | RunsListed
    | ChartSaved
    | PreviewResult
    | ClassesChecked
    | ScanResult
    | SplitResult
    | TuneForecast
    | TunedSaved
    | ModelsListed
    | DownloadResult
    | Ledger
    | OfflineSet
    | Verified
    | SanityScore
    | Removed
    | Catalogue
    | PromptsImported
    | ModelImported
    | LpipsImported
)
