"""The `st.session_state` keys that pages share.

The query parameters of the same names (see `parameters`) restore the view on any page.
"""

MODEL_A, MODEL_B, PART, TRUE = "a", "b", "part", "true"
LABELS = "labels"  # what is right: one of `labelling.LABELS`
PREDICTED, PREDICTED_B = "predicted", "predicted_b"  # what A says, what B says
CONFIDENCE = "confidence"  # percent, from and to
SLICE = "slice"  # 'property: name'
WHICH = "which"  # one of `samples.VIEWS`
SEEDS_WRONG = "seeds-wrong"  # percent of a group's seeds, from and to
METRIC = "metric"  # one of `CLASS_METRICS`
LASSO = "lasso"  # indices, in the sample table, of the faces marked on the embedding's map
FACE = "face"  # the row of the face that is open, or None
ORDER_OF_FACE = "order-of-face"  # which of the page's orders it was opened from
RETRAIN = "retrain"  # whether that panel is open
FINISHED = "finished-runs"  # of the container of the cards of finished trainings

CELL = (TRUE, PREDICTED, PREDICTED_B)
SHARED = frozenset({MODEL_A, MODEL_B, PART, LABELS, *CELL, SLICE, CONFIDENCE})  # by every page
