"""Plotly figures from tables of results: pure functions, drawn by pages and by the report."""
