"""What takes more than a prediction table: the images, the weights, votes, verdicts."""
