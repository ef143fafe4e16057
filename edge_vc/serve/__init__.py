"""A web page that converts the browser's microphone and recordings."""
