"""A matplotlib figure as the bytes of a picture."""

from __future__ import annotations

import io
import warnings
from typing import Any


def figure_png(figure: Any, dpi: int = 100) -> bytes:
    """Return a figure as PNG; letters that its font lacks are boxes, and nothing is said of them.

    Names are anybody's: each emoji or ideogram would be a warning of several lines.
    """
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(drawn, format="png", dpi=dpi)
    return drawn.getvalue()
