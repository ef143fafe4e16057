"""Running stages in a run folder: plan, artifacts, resume."""
