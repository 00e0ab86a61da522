"""What can be sent to someone: a report on two models as one HTML file, and a model card."""
