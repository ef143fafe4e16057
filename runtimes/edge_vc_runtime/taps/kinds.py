"""The kinds of taps by name. To add one: its file with a `TapKind`, and a line here."""

from __future__ import annotations

from edge_vc_runtime.taps.kind import TapKind
from edge_vc_runtime.taps.mood import MOOD
from edge_vc_runtime.taps.words import WORDS

KINDS: dict[str, TapKind] = {kind.name: kind for kind in (WORDS, MOOD)}
