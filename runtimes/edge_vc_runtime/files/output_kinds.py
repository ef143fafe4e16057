"""The kinds of files that more than one verb writes."""

from __future__ import annotations

from edge_vc_runtime.files.output_place import OutputPlace

JSON_REPORT = OutputPlace((".json",), stdout=True, stream=True)
"""A report for programs; on stdout with ``-``."""
JSON_FILE = OutputPlace((".json",), stream=True)
PNG_PICTURE = OutputPlace((".png",), needs_suffix=True, stream=True)
BUNDLE_FILE = OutputPlace((".evc",), needs_suffix=True)
HTML_PAGE = OutputPlace((".html", ".htm"), needs_suffix=True, stream=True)
FOLDER = OutputPlace(folder=True)
"""Created if missing."""
