"""Converts a corpus with a teacher, in parallel and resumable, into training data for a student."""
