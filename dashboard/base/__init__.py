"""What every page and panel uses: selection, loading, widgets, caching of figures."""
