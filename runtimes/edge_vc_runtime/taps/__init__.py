"""Second processes that listen to a live run: subtitles, prosody. Never in the audio threads."""
