"""Pure functions of labels and probabilities; nothing here needs a model or torch."""
