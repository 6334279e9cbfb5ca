"""Doppelgram learns what "looks alike" means from your own photographs, and finds look-alikes with it.

The functions named here are the commands of the command line; `Model` is what training leaves behind.
Everything is imported when it is first used, so that ``import doppelgram`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doppelgram.api.comparing import compare as compare
    from doppelgram.api.comparing_images import compare_images as compare_images
    from doppelgram.api.demo import demo as demo
    from doppelgram.api.evaluating import evaluate as evaluate
    from doppelgram.api.mapping import draw_map as draw_map
    from doppelgram.api.mistakes import list_mistakes as list_mistakes
    from doppelgram.api.posing import estimate_poses as estimate_poses
    from doppelgram.api.reproducing import reproduce_lookalike as reproduce_lookalike
    from doppelgram.api.run import Run as Run
    from doppelgram.api.run import open_run as open_run
    from doppelgram.api.searching import index as index
    from doppelgram.api.searching import search as search
    from doppelgram.api.searching import verify as verify
    from doppelgram.api.splitting import split_data as split_data
    from doppelgram.api.tracing import trace as trace
    from doppelgram.api.training import train as train
    from doppelgram.catalog.store import Catalog as Catalog
    from doppelgram.dataset.collection import Collection as Collection
    from doppelgram.dataset.post_readers import read_posts as read_posts
    from doppelgram.dataset.readers import read_collection as read_collection
    from doppelgram.errors import DoppelgramError as DoppelgramError
    from doppelgram.models.arrangement import ArrangementModel as ArrangementModel
    from doppelgram.models.bundle import load_model as load_model
    from doppelgram.models.model import Model as Model
    from doppelgram.rolemodels.result import RoleModels as RoleModels
    from doppelgram.rolemodels.settings import TraceSettings as TraceSettings

__version__ = "0.1.0"

_WHERE = {
    "compare": "doppelgram.api.comparing",
    "compare_images": "doppelgram.api.comparing_images",
    "demo": "doppelgram.api.demo",
    "evaluate": "doppelgram.api.evaluating",
    "draw_map": "doppelgram.api.mapping",
    "estimate_poses": "doppelgram.api.posing",
    "list_mistakes": "doppelgram.api.mistakes",
    "reproduce_lookalike": "doppelgram.api.reproducing",
    "Run": "doppelgram.api.run",
    "open_run": "doppelgram.api.run",
    "index": "doppelgram.api.searching",
    "search": "doppelgram.api.searching",
    "verify": "doppelgram.api.searching",
    "split_data": "doppelgram.api.splitting",
    "trace": "doppelgram.api.tracing",
    "train": "doppelgram.api.training",
    "Catalog": "doppelgram.catalog.store",
    "Collection": "doppelgram.dataset.collection",
    "read_collection": "doppelgram.dataset.readers",
    "read_posts": "doppelgram.dataset.post_readers",
    "DoppelgramError": "doppelgram.errors",
    "ArrangementModel": "doppelgram.models.arrangement",
    "load_model": "doppelgram.models.bundle",
    "Model": "doppelgram.models.model",
    "RoleModels": "doppelgram.rolemodels.result",
    "TraceSettings": "doppelgram.rolemodels.settings",
}
__all__ = [*sorted(_WHERE), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'doppelgram' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
