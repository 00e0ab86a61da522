"""Lengths of time, for people."""


def duration(seconds: float) -> str:
    """Rounded to what matters.

    >>> duration(45), duration(700), duration(7500)
    ('45 s', '12 min', '2 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
