"""The panels that stand beside every page."""
