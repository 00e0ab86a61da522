"""From a photo to an answer, and a model for other programs."""
