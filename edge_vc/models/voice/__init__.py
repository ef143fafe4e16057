"""The voice network: contents and pitch to the waveform of one voice."""
