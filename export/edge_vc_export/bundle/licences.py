"""The licence text included in a bundle."""

from __future__ import annotations

_CC0 = """SPDX-License-Identifier: CC0-1.0

To the extent possible under law, whoever made this voice model has waived all copyright and
related or neighbouring rights to it, under the Creative Commons CC0 1.0 Universal Public Domain
Dedication. The full text: https://creativecommons.org/publicdomain/zero/1.0/legalcode

The model is provided as it is, without warranty of any kind.
"""


def licence_text(spdx: str) -> str:
    """Return the content of a bundle's file ``LICENSE`` for an SPDX identifier."""
    return _CC0 if spdx == "CC0-1.0" else f"SPDX-License-Identifier: {spdx}\n"
