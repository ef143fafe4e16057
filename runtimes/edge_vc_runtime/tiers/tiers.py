"""Several students of one voice as one converter that can switch between them while running."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_vc_runtime.bundle.input_spec import InputSpec, find_input
from edge_vc_runtime.live.crossfade import Crossfade
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session
from edge_vc_runtime.tiers.priming import TierPrimer

FADE_HOPS = 4
"""Length of a crossfade in hops."""
WARM_HOPS, COLD_HOPS, CLIMB_HOPS = 10, 50, 100
"""Hops for which a tier runs without output before it is faded in. A tier primed with this speaker
is within 1 dB after 10; otherwise it needs 50. Both tiers run in the meantime, so a switch to a
cheaper one, due to overload, takes no longer than necessary; one to a more expensive can wait."""


class AlignedTier:
    """A session whose output is delayed to the largest delay among the tiers."""

    def __init__(self, session: Session, delay: int) -> None:
        self.session = session
        self.name = session.model.tier
        self.macs_per_second = session.model.macs_per_second
        self._lag = delay - session.delay
        self._line = np.zeros(self._lag + session.hop, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Convert one hop; the result is overwritten by the next step."""
        if not self._lag:
            return self.session.step(audio)
        hop, line = self.session.hop, self._line
        line[: self._lag] = line[hop:]
        line[self._lag :] = self.session.step(audio)
        return line[:hop]

    def reset(self) -> None:
        """Return to the initial state."""
        self.session.reset()
        self._line.fill(0.0)


class TieredConverter:
    """A `HopConverter` over sessions of one hop and rate; the largest student runs first.

    All sessions are open from the start, so that nothing is loaded while audio runs; this costs
    their memory. An inactive tier is not stepped, with one exception: once there are two seconds of
    input with speech, it processes them, one step every four hops, to adapt to the speaker.
    """

    def __init__(self, sessions: Sequence[Session], start: str | None = None) -> None:
        """Take open sessions; ``start`` is the initial tier, the largest one by default.

        Raises `ValueError` for tiers of different hop or rate, or a duplicate.
        """
        _check(sessions)
        first = sessions[0]
        self.hop = first.hop
        self.sample_rate = first.sample_rate
        self.delay = max(session.delay for session in sessions)
        """Delay of every tier's output in samples."""
        ordered = sorted(sessions, key=lambda session: -session.model.macs_per_second)
        self._tiers = tuple(AlignedTier(session, self.delay) for session in ordered)
        self._by_name = {tier.name: index for index, tier in enumerate(self._tiers)}
        self._heard = self._wanted = self._index(start) if start else 0
        self._coming: int | None = None
        self._warming = 0
        self._fade = Crossfade(self.hop, FADE_HOPS)
        self._primer = TierPrimer(self.hop, len(self._tiers))
        self._primer.mark(self._heard)
        self._mixed = np.zeros(self.hop, np.float32)

    @property
    def tiers(self) -> tuple[str, ...]:
        """Names, from the most to the least expensive tier."""
        return tuple(tier.name for tier in self._tiers)

    @property
    def costs(self) -> dict[str, float]:
        """Multiply-accumulates per second of audio by name, in the same order."""
        return {tier.name: tier.macs_per_second for tier in self._tiers}

    @property
    def tier(self) -> str:
        """The active tier."""
        return self._tiers[self._heard].name

    @property
    def session(self) -> Session:
        """The session of the active tier."""
        return self._tiers[self._heard].session

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every tier's session, the active one last."""
        heard = self._tiers[self._heard]
        return (*(tier.session for tier in self._tiers if tier is not heard), heard.session)

    @property
    def switching(self) -> bool:
        """Whether another tier is being warmed up or faded in."""
        return self._wanted != self._heard

    def select(self, name: str) -> None:
        """Switch to a tier, from any thread, from the next hop on; `ValueError` if unknown."""
        self._wanted = self._index(name)

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """Conditioning inputs of all tiers, each from the most expensive one that has it."""
        found = {spec.name: spec for s in reversed(self.sessions) for spec in s.inputs}
        return tuple(found.values())

    def get(self, name: str) -> tuple[float, ...]:
        """Return the values of an input; raises `ModelInputError` for one that no tier has."""
        return self._with_input(name)[0].get(name)

    def set(self, name: str, value: object) -> tuple[float, ...]:
        """Set an input in every tier that has it; raises `ModelInputError`."""
        first, *others = self._with_input(name)
        for session in others:
            session.set(name, value)
        return first.set(name, value)

    def _with_input(self, name: str) -> list[Session]:
        find_input(self.inputs, name)
        return [s for s in self.sessions if any(spec.name == name for spec in s.inputs)]

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]``; the result is overwritten by the next step."""
        heard = self._tiers[self._heard].step(audio)
        if self._coming is None and self._wanted == self._heard:
            self._prime(audio)
            return heard
        coming = self._advance()
        if coming is None:
            return heard
        output = self._tiers[coming].step(audio)
        if self._warming:
            self._warming -= 1
            return heard
        return self._faded(heard, output, coming)

    def reset(self) -> None:
        """Return every tier to its initial state; a switch in progress is completed."""
        for tier in self._tiers:
            tier.reset()
        self._heard = self._wanted
        self._coming = None
        self._primer.restart()
        self._primer.mark(self._heard)

    def _advance(self) -> int | None:
        """Return the tier to run beside the active one; a fade ends before another begins."""
        wanted = self._wanted
        if self._fade.done and wanted != self._coming:
            self._coming = None if wanted == self._heard else wanted
            if self._coming is not None:
                self._warming = self._hops_unheard(wanted)
        return self._coming

    def _hops_unheard(self, tier: int) -> int:
        if tier < self._heard:
            return CLIMB_HOPS
        return WARM_HOPS if self._primer.primed(tier) else COLD_HOPS

    def _faded(self, heard: Samples, output: Samples, coming: int) -> Samples:
        if self._fade.done:
            self._fade.start()
        self._fade.mix(heard, output, self._mixed)
        if self._fade.done:
            self._heard, self._coming = coming, None
            self._primer.mark(coming)
        return self._mixed

    def _prime(self, audio: Samples) -> None:
        index, hop = self._primer.next(audio)
        if hop is not None:
            self._tiers[index].step(hop)

    def _index(self, name: str) -> int:
        if name not in self._by_name:
            raise ValueError(f"no tier {name!r:.40}: choose from {', '.join(self._by_name)}")
        return self._by_name[name]


def _check(sessions: Sequence[Session]) -> None:
    if not sessions:
        raise ValueError("no sessions: give at least one")
    names = [session.model.tier for session in sessions]
    if len(set(names)) != len(names):
        raise ValueError(f"tiers are {', '.join(names)}: give each once")
    for session in sessions[1:]:
        for key in ("hop", "sample_rate"):
            first, other = getattr(sessions[0], key), getattr(session, key)
            if first != other:
                raise ValueError(f"{key} is {first} in {names[0]}, {other} in {session.model.tier}")
