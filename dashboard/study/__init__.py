"""Figures and words of the study page."""
