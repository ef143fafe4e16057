"""Measure a bundle on this machine and keep the report."""

from pathlib import Path

from edge_vc.assets import ASSETS
from edge_vc_runtime import ProfileOptions, profile

report = profile(ASSETS / "kathleen-nano.evc", ProfileOptions(modes=("tight",), seconds=1.0))
assert report.tight is not None
print(f"{report.environment}: p50 {report.tight.p50_ms:.3f} ms, p99 {report.tight.p99_ms:.3f} ms")
Path("report.json").write_text(report.to_json(), encoding="utf-8")
