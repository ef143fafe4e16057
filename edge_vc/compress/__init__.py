"""From a teacher to a small student: recipe, stages, run folder."""
