"""Run stages in a run folder: planning, artifacts, resuming."""
