"""The chain's part of a live run's snapshot."""

from __future__ import annotations

from dataclasses import replace

from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.live.snapshot import DelayParts, LiveSnapshot


def with_chain(seen: LiveSnapshot, chain: Chain) -> LiveSnapshot:
    """Add the chain's data: gate, bypass, parameters, its part of the delay."""
    return replace(
        seen,
        muted=seen.muted + chain.muted,
        clipped=chain.clipped,
        bypassed=chain.bypassed,
        gate_open=chain.gate_open,
        parameters=chain.parameters.as_dict(),
        delay=with_chain_delay(seen.delay, chain),
    )


def with_chain_delay(parts: DelayParts, chain: Chain) -> DelayParts:
    """Return the parts with the chain's own delay separated from the model's."""
    chain_ms = chain.added_delay / chain.sample_rate * 1000
    return replace(parts, algorithmic_ms=parts.algorithmic_ms - chain_ms, chain_ms=chain_ms)
