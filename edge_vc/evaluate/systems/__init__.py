"""Voice-conversion systems under evaluation: bundles, teachers, commands, folders of converted audio."""
