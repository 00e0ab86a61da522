"""What every page and panel uses: selection, loading, widgets, figures, colours."""
