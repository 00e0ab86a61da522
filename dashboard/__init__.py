"""The app: what is drawn of the core's results, and what is asked of it."""

import gc

# Python looks for garbage after every 700 new objects, and a page makes a hundred times as many.
gc.set_threshold(50_000, 20, 100)
