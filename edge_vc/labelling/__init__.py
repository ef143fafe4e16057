"""Converting a corpus with a teacher, in parallel and resumable, for a student to learn from."""
