"""The library for LiteRT models: ai-edge-litert, or its predecessor tflite-runtime."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from edge_vc_runtime.distributions import distribution_version
from edge_vc_runtime.engines.engine import EngineError

CURRENT = "ai-edge-litert"
ANCESTOR = "tflite-runtime"
_MODULES = {CURRENT: "ai_edge_litert.interpreter", ANCESTOR: "tflite_runtime.interpreter"}
_STDERR = threading.Lock()


@dataclass(frozen=True)
class Library:
    """One of the two libraries, imported."""

    name: str
    """Its pip name."""
    version: str
    interpreter: Callable[..., Any]
    """Its class ``Interpreter``; both have the same methods."""


@lru_cache(maxsize=1)
def load_library() -> Library:
    """Import the first one that is installed, ai-edge-litert before tflite-runtime.

    Raises `ModuleNotFoundError` if neither is, `EngineError` if numpy is too new for it.
    """
    for name, module in _MODULES.items():
        version = distribution_version(name)
        if version is None:
            continue
        if name == ANCESTOR:
            _check_numpy(version)
        with quiet_stderr():
            return Library(name, version, import_module(module).Interpreter)
    raise ModuleNotFoundError("No module named 'ai_edge_litert'", name="ai_edge_litert")


def _check_numpy(version: str) -> None:
    if int(np.__version__.split(".")[0]) >= 2:
        raise EngineError(
            f"{ANCESTOR} {version} needs numpy below 2, {np.__version__} is installed: "
            f"pip install 'numpy<2', or {CURRENT} in its place"
        )


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard C++ output to stderr; failures also raise exceptions.

    Both libraries log a line about XNNPACK, some versions at import, and have no option to disable
    this. The file descriptor belongs to the process, so other output to stderr is discarded too.
    """
    with _STDERR, tempfile.TemporaryFile() as aside:
        if sys.stderr:
            sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # a service may run without one
            yield
            return
        try:
            os.dup2(aside.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
