"""Reading bundles: archive, manifest, golden outputs."""
