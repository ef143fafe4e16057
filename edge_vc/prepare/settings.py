"""Settings of the preparation of recordings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from edge_vc.audio.denoise import METHODS
from edge_vc.audio.segment import SegmentSettings
from edge_vc.audio.voice_activity import SAMPLE_RATE as SAMPLE_RATE

FORMATS = ("flac", "wav")


class PrepareError(ValueError):
    """Preparation cannot start or continue; a one-line message with the cause and the remedy."""


@dataclass(frozen=True)
class PrepareSettings:
    """All settings that determine the output, given the recordings."""

    audio_format: str = "flac"
    """``flac`` or ``wav``, 16 bit, `SAMPLE_RATE`."""
    denoise: str = "wiener"
    """A method of `edge_vc.audio.denoise`, or ``none``."""
    level_db: float = -23.0
    """Active speech level of every piece in dBFS; peaks stay below -1 dBFS."""
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    min_seconds: float = 1.0
    """Shorter pieces are dropped."""
    min_snr_db: float = 0.0
    """Noisier pieces are dropped; 0 keeps all."""
    max_clipped: float = 0.001
    """Share of clipped samples above which a piece is dropped."""
    agreement: float = 0.7
    """Near duplicates agree in this share of fingerprint bits; 1 keeps all but exact copies."""
    validation: float = 0.1
    """Share of the speakers set aside for validation."""
    seed: int = 0
    variants: int = 0
    """Augmented copies of every training piece whose role is ``source``."""
    noise: str = ""
    """Folder of noise recordings for those copies; empty for none."""
    rooms: str = ""
    """Folder of room impulse responses for those copies; empty for none."""
    target: str = ""
    """Speaker whose recordings get the role ``target``; empty: as the table or folders say."""
    evaluation: bool = False
    """Whether a part is set aside for `edge-vc evaluate`."""

    def __post_init__(self) -> None:
        """Check the values; raises `PrepareError` naming the invalid one."""
        allowed: dict[str, tuple[bool, str]] = {
            "audio_format": (self.audio_format in FORMATS, " or ".join(FORMATS)),
            "denoise": (self.denoise in (*METHODS, "none"), " or ".join((*METHODS, "none"))),
            "level_db": (-60 <= self.level_db <= -10, "-60 to -10 dBFS"),
            "min_seconds": (
                0.1 <= self.min_seconds < self.segment.max_seconds,
                f"0.1 to less than the longest piece, {self.segment.max_seconds:g}",
            ),
            "min_snr_db": (0 <= self.min_snr_db <= 60, "0 to 60 dB"),
            "max_clipped": (0 <= self.max_clipped <= 1, "a share, 0 to 1"),
            "agreement": (
                0.65 <= self.agreement <= 1,
                "0.65 to 1; unrelated recordings reach 0.62",
            ),
            "validation": (0 <= self.validation <= 0.5, "a share of the speakers, 0 to 0.5"),
            "evaluation": (
                not self.evaluation or self.validation > 0,
                "a validation share above 0",
            ),
            "variants": (0 <= self.variants <= 20, "0 to 20 copies"),
        }
        for name, (good, wanted) in allowed.items():
            if not good:
                raise PrepareError(f"{name} is {getattr(self, name)!r}; give {wanted}")

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file; the last two only if they are set.

        This way runs from before these settings existed can be resumed.
        """
        values = asdict(self)
        return {k: v for k, v in values.items() if v or k not in ("target", "evaluation")}

    def key(self) -> str:
        """Return a hash of all settings, so that results of different settings are not mixed."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
