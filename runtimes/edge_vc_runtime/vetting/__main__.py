"""The process of a trial: opens the bundle on its stdin and runs some hops of one model.

Prints ``ready CPU_S`` once the libraries are loaded, then ``passed`` or ``refused REASON``, one
line each. Everything caused by the bundle happens between the two.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines.engine import Engine, EngineError
from edge_vc_runtime.engines.registry import load_engine
from edge_vc_runtime.message import one_line
from edge_vc_runtime.vetting.bundle_check import check_bundle_model
from edge_vc_runtime.vetting.limits import apply_limits, cpu_allowance

_GOLDEN_SHARE = 0.3
"""Share of the allowed CPU time spent on the golden recording."""
_NOISE_HOPS = 8


def main() -> int:
    """Try the model given by the arguments: engine, tier, file, size of the file in bytes."""
    engine, tier, file, size = sys.argv[1:]
    factory = load_engine(engine)
    cpu_s = cpu_allowance()
    _say(f"ready {cpu_s:.3f}")
    apply_limits(int(size), cpu_s)
    try:
        bundle = read_bundle("/dev/stdin").tier(tier)
        model = next(m for m in bundle.manifest.models if m.file == file)
        check_bundle_model(bundle, model)
        opened = factory(bundle.manifest, model, bundle.read(file), 1)
        _run(opened, bundle, _GOLDEN_SHARE * cpu_s)
    except (BundleError, EngineError) as error:
        _say(f"refused {one_line(error)}")
    except MemoryError:
        _say("refused out of memory")
    except Exception as error:
        _say(f"refused {type(error).__name__}: {one_line(error)}")
    else:
        _say("passed")
    return 0


def _run(engine: Engine, bundle: Bundle, golden_s: float) -> None:
    """Run silence, noise up to full scale, and as much of the golden recording as time permits."""
    noise = np.random.default_rng(0).uniform(-1, 1, (_NOISE_HOPS, bundle.manifest.hop))
    noise *= np.linspace(0, 1, _NOISE_HOPS)[:, None]
    for hop in noise.astype(np.float32):
        engine.input[:] = hop
        engine.run()
    if bundle.manifest.golden is None:
        return
    engine.reset()
    audio, hop_size = bundle.golden()["input"], bundle.manifest.hop
    end = time.process_time() + golden_s
    for start in range(0, audio.size - hop_size + 1, hop_size):
        engine.input[:] = audio[start : start + hop_size]
        engine.run()
        if time.process_time() > end:
            break


def _say(line: str) -> None:
    os.write(1, f"{line[:400]}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
