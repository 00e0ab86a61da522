"""The training loop: recipes, augmentation, batches, checkpoints."""
