"""Separate processes that analyse a live run: subtitles, prosody. Never in the audio threads."""
