"""A matplotlib figure as PNG bytes."""

from __future__ import annotations

import io
import warnings
from typing import Any


def figure_png(figure: Any, dpi: int = 100) -> bytes:
    """Return a figure as PNG; characters missing in its font become boxes without a warning.

    Names can be anything: each emoji or ideogram would cause a warning of several lines.
    """
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(drawn, format="png", dpi=dpi)
    return drawn.getvalue()
