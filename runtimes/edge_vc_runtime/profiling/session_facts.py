"""A report's data on a session: the model that ran, and the settings."""

from __future__ import annotations

import platform
from typing import Literal

from edge_vc_runtime.profiling.report import Setup, Subject
from edge_vc_runtime.session import Session
from edge_vc_runtime.version import __version__


def subject_of(session: Session) -> Subject:
    """Return the bundle and the model that run."""
    manifest, model = session.manifest, session.model
    entry = manifest.files[model.file]
    return Subject(
        bundle=manifest.name,
        version=manifest.version,
        model_file=model.file,
        model_sha256=entry.sha256,
        model_bytes=entry.size,
        precision=model.precision,
        tier=model.tier,
        parameters=model.parameters,
        macs_per_second=model.macs_per_second,
        sample_rate=manifest.sample_rate,
        hop=manifest.hop,
        delay=manifest.delay,
    )


def setup_of(
    session: Session, warmup_hops: int, fed: Literal["golden", "noise", "microphone"]
) -> Setup:
    """Return engine, threads and versions, and the kind of input."""
    selection = session.selection
    return Setup(
        engine=selection.engine,
        engine_version=selection.version,
        runtime_version=__version__,
        python_version=platform.python_version(),
        threads=session.threads,
        warmup_hops=warmup_hops,
        input=fed,
        engine_library=selection.library,
        engine_reason=selection.reason,
    )
