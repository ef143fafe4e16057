"""Speech synthesised with espeak-ng, for runs without a corpus."""
