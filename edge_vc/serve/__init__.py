"""A page in the browser that converts the browser's microphone and recordings."""
