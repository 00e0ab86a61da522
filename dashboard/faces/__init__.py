"""Faces: the grid, the dialog, verdicts, and the answer to a photo."""
