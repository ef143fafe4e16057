"""Writing bundles: archive, model card, licences, signature."""
