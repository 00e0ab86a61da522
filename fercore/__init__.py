"""fercore: train, evaluate and compare facial-expression models, error by error."""

__version__ = "0.3.0"
