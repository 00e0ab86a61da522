"""Published figures that a result is drawn beside."""

from fercore.scoring.statistics import Interval

# Test accuracies of Savitri, Permana and Puspa Dewi (2026); layers and recipe unpublished.
PAPER = {"CNN": 0.6325, "CNN-LSTM": 0.4682}

# Human accuracy on FER2013, 65 ± 5 % (Goodfellow et al., 2013).
HUMAN = Interval(0.60, 0.70)
