"""Every error that is the input's fault and whose one line is all a user needs."""

from __future__ import annotations

from edge_vc_runtime.audio.error import AudioError
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.profiling.coldstart import ColdStartError
from edge_vc_runtime.profiling.picture import PictureError


class UsageError(Exception):
    """Arguments that do not go together; one line."""


ERRORS = (AudioError, BundleError, ColdStartError, EngineError, PictureError, UsageError)


def one_line(error: BaseException | str) -> str:
    """Return an error's message as one line without control characters."""
    words = " ".join(str(error).split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
