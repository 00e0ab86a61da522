"""Figures and tables of the analysis pages."""
