"""Photos of your own, and a model fine-tuned on them."""
