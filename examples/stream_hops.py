"""Convert audio hop by hop, as a live stream arrives."""

import numpy as np

from edge_vc.assets import ASSETS
from edge_vc_runtime import Session

session = Session.open(ASSETS / "kathleen-base.evc")
print(f"{session.sample_rate} Hz, {session.hop} samples per hop, {session.selection}")

rng = np.random.default_rng(0)
for _ in range(100):  # one second
    hop = 0.01 * rng.standard_normal(session.hop).astype(np.float32)
    out = session.step(hop)  # [hop] float32, overwritten two calls later
print(f"last hop: {len(out)} samples, peak {np.abs(out).max():.4f}")
