"""The configuration of a student, and the tiers that ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from edge_vc.models.student.inputs import check_inputs, input_from_dict
from edge_vc_runtime.bundle.input_spec import InputSpec

Head = Literal["source-filter", "istft"]
Phase = Literal["fixed", "predicted"]
ChannelNorm = Literal["recovering", "gated"]
LookaheadIn = Literal["blocks", "first"]
NO_FLOOR = -40.0
"""An `input_floor` that log-mels never reach."""


@dataclass(frozen=True)
class StudentConfig:
    """Every size of a `Student`, pruned ones included. Sizes are in samples at `sample_rate`."""

    sample_rate: int = 16000
    hop: int = 160
    """Samples per frame, and per step of the exported graph."""
    analysis_window: int = 512
    """Samples of the front end's window; even, at least one hop."""
    synthesis_window: int = 320
    """Samples of the head's window, two or more whole hops; all but one hop of it is delay."""
    mels: int = 64
    log_floor: float = 1e-6
    """Added to the mel powers before the logarithm; white noise of unit power has unit power."""
    input_floor: float = -8.0
    """Lowest normalised log-mel power in nats: below it, quiet and noisy rooms look the same. -40
    keeps everything, as earlier students did."""
    channel_norm: ChannelNorm = "recovering"
    """The running mean of the log-mels: ``recovering`` is back two seconds after something loud;
    ``gated`` takes ten or more, as in earlier students."""
    channels: int = 160
    """Channels of the residual stream."""
    hidden: tuple[int, ...] = (448,) * 5
    """Channels inside each block, which structured pruning removes one by one."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 8)
    """Dilation of each block's depthwise convolution, in frames of one hop."""
    kernel: int = 5
    lookahead: int = 0
    """Future frames that the trunk waits for."""
    lookahead_in: LookaheadIn = "blocks"
    """Which convolutions see them: those of the ``blocks``, centred on their frame as far as the
    look-ahead allows, or only the ``first`` one, as in earlier students."""
    outputs: int = 160
    """Channels from the trunk to the head."""
    head: Head = "source-filter"
    phase: Phase = "fixed"
    """Phase of the harmonic filter: one learned curve for the voice, or predicted per frame."""
    pitch_channels: int = 48
    """Width of the float network that predicts F0 for the source-filter head."""
    bands: int = 64
    """Mel-spaced bands per filter of the source-filter head."""
    target_f0_hz: float = 155.0
    """The target voice's median F0, at which the predicted F0 is initialised."""
    inputs: tuple[InputSpec, ...] = ()
    """Conditioning inputs; see `edge_vc.models.student.inputs`."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for an impossible configuration, naming the field and its range."""
        for name in _SIZES:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 1")
        if not self.hidden or len(self.hidden) != len(self.dilations):
            raise ValueError(
                f"hidden has {len(self.hidden)} blocks and dilations {len(self.dilations)}: "
                "give both one entry per block"
            )
        if min(self.hidden + self.dilations) < 1:
            raise ValueError(f"hidden = {self.hidden}, dilations = {self.dilations}: at least 1")
        if self.lookahead < 0:
            raise ValueError(f"lookahead = {self.lookahead}: must be 0 or more frames")
        if self.lookahead_in not in get_args(LookaheadIn):
            kinds = ", ".join(get_args(LookaheadIn))
            raise ValueError(f"lookahead_in = {self.lookahead_in!r}: must be one of {kinds}")
        if self.lookahead_in == "blocks" and sum(self.block_lookahead) < self.lookahead:
            raise ValueError(
                f"lookahead = {self.lookahead}: the blocks see at most {sum(self._sights)} frames "
                f"ahead with kernel = {self.kernel} and dilations = {self.dilations}"
            )
        if self.head not in get_args(Head):
            raise ValueError(f"head = {self.head!r}: must be one of {', '.join(get_args(Head))}")
        if self.phase not in get_args(Phase):
            raise ValueError(f"phase = {self.phase!r}: must be one of {', '.join(get_args(Phase))}")
        if self.channel_norm not in get_args(ChannelNorm):
            kinds = ", ".join(get_args(ChannelNorm))
            raise ValueError(f"channel_norm = {self.channel_norm!r}: must be one of {kinds}")
        if self.analysis_window % 2 or self.analysis_window < self.hop:
            raise ValueError(
                f"analysis_window = {self.analysis_window}: must be even and at least {self.hop}"
            )
        hops, rest = divmod(self.synthesis_window, self.hop)
        if rest or hops < 2 or self.synthesis_window % 2:
            raise ValueError(
                f"synthesis_window = {self.synthesis_window}: must be even and two or more whole "
                f"hops of {self.hop}"
            )
        if not 0 < self.log_floor < 1:
            raise ValueError(f"log_floor = {self.log_floor}: must be within 0..1")
        if not NO_FLOOR <= self.input_floor < 0:
            raise ValueError(f"input_floor = {self.input_floor}: must be within {NO_FLOOR:g}..0")
        if not 50 <= self.target_f0_hz <= 500:
            raise ValueError(f"target_f0_hz = {self.target_f0_hz}: must be within 50..500")
        check_inputs(self.inputs, self.head)

    @property
    def hop_ms(self) -> float:
        """Duration of one hop in milliseconds."""
        return 1000 * self.hop / self.sample_rate

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop

    @property
    def first_lookahead(self) -> int:
        """Frames that the first convolution looks ahead."""
        return self.lookahead if self.lookahead_in == "first" else 0

    @property
    def block_lookahead(self) -> tuple[int, ...]:
        """Frames that each block's depthwise convolution looks ahead, early blocks first."""
        left = self.lookahead - self.first_lookahead
        found = []
        for sight in self._sights:
            found.append(min(sight, left))
            left -= found[-1]
        return tuple(found)

    @property
    def _sights(self) -> tuple[int, ...]:
        """Frames that each block's kernel reaches to either side of its centre."""
        return tuple(self.kernel // 2 * dilation for dilation in self.dilations)

    def at(self, hop_ms: float, sample_rate: int | None = None) -> StudentConfig:
        """Return the same network at another hop and sample rate in Hz (None: the same rate).

        Durations stay as close as possible: the analysis window is rounded to 16 samples, for a
        cheap transform, and dilations to whole frames. The synthesis window becomes two hops,
        so the algorithmic latency without look-ahead is two hops; ``lookahead`` stays the same
        number of frames. Raises `ValueError` when a hop is not a whole number of samples.
        """
        rate = sample_rate or self.sample_rate
        hop = hop_samples(hop_ms, rate)
        if (hop, rate) == (self.hop, self.sample_rate):
            return self
        window = 16 * round(self.analysis_window * rate / self.sample_rate / 16)
        frames = self.hop_ms / hop_ms
        return replace(
            self,
            sample_rate=rate,
            hop=hop,
            analysis_window=max(window, 16 * -(-hop // 16)),
            synthesis_window=2 * hop,
            dilations=tuple(max(1, round(d * frames)) for d in self.dilations),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudentConfig:
        """Build from plain data, as read from TOML or JSON; unknown keys raise `ValueError`."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            known = ", ".join(field.name for field in fields(cls))
            raise ValueError(f"unknown student setting {unknown[0]!r}: the settings are {known}")
        plain: dict[str, Any] = {**_BEFORE, **values}
        if not plain.get("lookahead"):
            plain["lookahead_in"] = cls.lookahead_in  # has no effect
        for name in ("hidden", "dilations"):
            if name in plain:
                plain[name] = tuple(plain[name])
        plain["inputs"] = tuple(map(input_from_dict, plain.get("inputs", ())))
        return cls(**plain)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON or TOML; the inverse of `from_dict`."""
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        # A student without inputs is serialised as before, byte for byte.
        if not self.inputs:
            del plain["inputs"]
        if not self.lookahead:
            del plain["lookahead_in"]
        return plain


def hop_samples(hop_ms: float, sample_rate: int) -> int:
    """Return the samples per hop; raises `ValueError` if that is not a whole number."""
    samples = hop_ms * sample_rate / 1000
    if samples < 1 or abs(samples - round(samples)) > 1e-6:
        raise ValueError(
            f"hop_ms = {hop_ms:g} at {sample_rate} Hz is {samples:g} samples: choose a hop of a "
            "whole number of samples"
        )
    return round(samples)


_BEFORE = {
    "input_floor": NO_FLOOR,
    "phase": "predicted",
    "channel_norm": "gated",
    "lookahead_in": "first",
}
"""Values of these fields in files that lack them."""
_SIZES = (
    "sample_rate",
    "hop",
    "analysis_window",
    "synthesis_window",
    "mels",
    "channels",
    "kernel",
    "outputs",
    "bands",
    "pitch_channels",
)

TIERS: dict[str, StudentConfig] = {
    "wide": StudentConfig(channels=192, hidden=(640,) * 5, outputs=192),
    "base": StudentConfig(),
    "nano": StudentConfig(channels=96, hidden=(256,) * 5, outputs=96),
    "clear": StudentConfig(
        channels=288,
        hidden=(704,) * 6,
        dilations=(1, 2, 4, 8, 8, 16),
        outputs=224,
        lookahead=4,
    ),
}
"""``wide`` is trained and then pruned; ``base`` and ``nano`` fit their boards' caches; ``clear``
has four hops of look-ahead, and the highest naturalness and similarity."""
