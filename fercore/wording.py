"""Numbers in words, the same on the command line and on every page."""


def p_value(p: float) -> str:
    """
    >>> p_value(0.0031), p_value(1e-9)
    ('p = 0.003', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def duration(seconds: float) -> str:
    """Rounded to what matters.

    >>> duration(45), duration(700), duration(7500)
    ('45 s', '12 min', '2 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
