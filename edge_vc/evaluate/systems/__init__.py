"""Systems under evaluation: bundles, teachers, commands, folders of converted audio."""
