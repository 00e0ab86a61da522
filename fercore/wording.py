"""Numbers in words, the same on the command line and on every page."""


def p_value(p: float) -> str:
    """
    >>> p_value(0.0031), p_value(1e-9)
    ('p = 0.003', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
