"""Doppelgram learns what "looks alike" means from your own photographs, and finds look-alikes with it.

The functions named here are the commands of the command line; the nouns are what they take and return.
Everything is imported when it is first used, so that ``import doppelgram`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doppelgram.api.bench import bench as bench
    from doppelgram.api.calibrate import calibrate as calibrate
    from doppelgram.api.catalog import delete_images as delete_images
    from doppelgram.api.catalog import relabel_images as relabel_images
    from doppelgram.api.check import check as check
    from doppelgram.api.compare import compare as compare
    from doppelgram.api.compare_images import compare_images as compare_images
    from doppelgram.api.convert import to_arrow as to_arrow
    from doppelgram.api.convert import to_hugging_face as to_hugging_face
    from doppelgram.api.convert import to_pandas as to_pandas
    from doppelgram.api.convert import to_torch as to_torch
    from doppelgram.api.convert import vectors_of as vectors_of
    from doppelgram.api.demo import demo as demo
    from doppelgram.api.duplicates import duplicates as duplicates
    from doppelgram.api.embed import embed as embed
    from doppelgram.api.evaluate import evaluate as evaluate
    from doppelgram.api.export import export as export
    from doppelgram.api.export_catalog import export_catalog as export_catalog
    from doppelgram.api.export_site import export_site as export_site
    from doppelgram.api.index import index as index
    from doppelgram.api.label_errors import list_label_errors as list_label_errors
    from doppelgram.api.map import draw_map as draw_map
    from doppelgram.api.pose import estimate_poses as estimate_poses
    from doppelgram.api.report_comparison import report_comparison as report_comparison
    from doppelgram.api.saliency import compute_saliency as compute_saliency
    from doppelgram.api.save_images import save_images as save_images
    from doppelgram.api.search import search as search
    from doppelgram.api.search_many import search_many as search_many
    from doppelgram.api.split import split_data as split_data
    from doppelgram.api.trace import trace as trace
    from doppelgram.api.train import train as train
    from doppelgram.api.verify import verify as verify
    from doppelgram.catalog.store import Catalog as Catalog
    from doppelgram.comparison.grid import Grid as Grid
    from doppelgram.console import Progress as Progress
    from doppelgram.console import SilentProgress as SilentProgress
    from doppelgram.console import TerminalProgress as TerminalProgress
    from doppelgram.dataset.collection import Collection as Collection
    from doppelgram.dataset.posts.registry import read_posts as read_posts
    from doppelgram.dataset.read import read_collection as read_collection
    from doppelgram.errors import DoppelgramError as DoppelgramError
    from doppelgram.models.arrangement import ArrangementModel as ArrangementModel
    from doppelgram.models.bundle import load_model as load_model
    from doppelgram.models.model import Model as Model
    from doppelgram.rolemodels.result import RoleModels as RoleModels
    from doppelgram.rolemodels.settings import TraceSettings as TraceSettings
    from doppelgram.scikit_learn.features import MetricLearner as MetricLearner
    from doppelgram.scikit_learn.images import ImageEmbedder as ImageEmbedder
    from doppelgram.scikit_learn.images import ImageMetricLearner as ImageMetricLearner
    from doppelgram.studies.lookalike.reproduce import reproduce_lookalike as reproduce_lookalike
    from doppelgram.studies.role_model.reproduce import reproduce_role_model as reproduce_role_model
    from doppelgram.training.run import Run as Run
    from doppelgram.training.run import open_run as open_run
    from doppelgram.web.serve import serve as serve

__version__ = "0.1.0"

_NOUNS = {
    "ArrangementModel": "doppelgram.models.arrangement",
    "Catalog": "doppelgram.catalog.store",
    "Collection": "doppelgram.dataset.collection",
    "DoppelgramError": "doppelgram.errors",
    "Grid": "doppelgram.comparison.grid",
    "ImageEmbedder": "doppelgram.scikit_learn.images",
    "ImageMetricLearner": "doppelgram.scikit_learn.images",
    "MetricLearner": "doppelgram.scikit_learn.features",
    "Model": "doppelgram.models.model",
    "Progress": "doppelgram.console",
    "RoleModels": "doppelgram.rolemodels.result",
    "Run": "doppelgram.training.run",
    "SilentProgress": "doppelgram.console",
    "TerminalProgress": "doppelgram.console",
    "TraceSettings": "doppelgram.rolemodels.settings",
}
_FUNCTIONS = {
    "bench": "doppelgram.api.bench",
    "check": "doppelgram.api.check",
    "compare": "doppelgram.api.compare",
    "compare_images": "doppelgram.api.compare_images",
    "compute_saliency": "doppelgram.api.saliency",
    "demo": "doppelgram.api.demo",
    "draw_map": "doppelgram.api.map",
    "duplicates": "doppelgram.api.duplicates",
    "estimate_poses": "doppelgram.api.pose",
    "calibrate": "doppelgram.api.calibrate",
    "delete_images": "doppelgram.api.catalog",
    "embed": "doppelgram.api.embed",
    "evaluate": "doppelgram.api.evaluate",
    "export": "doppelgram.api.export",
    "export_catalog": "doppelgram.api.export_catalog",
    "export_site": "doppelgram.api.export_site",
    "index": "doppelgram.api.index",
    "list_label_errors": "doppelgram.api.label_errors",
    "load_model": "doppelgram.models.bundle",
    "open_run": "doppelgram.training.run",
    "read_collection": "doppelgram.dataset.read",
    "read_posts": "doppelgram.dataset.posts.registry",
    "relabel_images": "doppelgram.api.catalog",
    "report_comparison": "doppelgram.api.report_comparison",
    "reproduce_lookalike": "doppelgram.studies.lookalike.reproduce",
    "reproduce_role_model": "doppelgram.studies.role_model.reproduce",
    "save_images": "doppelgram.api.save_images",
    "search": "doppelgram.api.search",
    "search_many": "doppelgram.api.search_many",
    "serve": "doppelgram.web.serve",
    "split_data": "doppelgram.api.split",
    "to_arrow": "doppelgram.api.convert",
    "to_hugging_face": "doppelgram.api.convert",
    "to_pandas": "doppelgram.api.convert",
    "to_torch": "doppelgram.api.convert",
    "trace": "doppelgram.api.trace",
    "train": "doppelgram.api.train",
    "vectors_of": "doppelgram.api.convert",
    "verify": "doppelgram.api.verify",
}
_MODULES = {**_NOUNS, **_FUNCTIONS}
__all__ = [*sorted(_MODULES), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'doppelgram' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
