"""Write bundles: archive, model card, licences, signature."""
