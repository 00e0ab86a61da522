"""Words that people wrote, shown as they stand: notes, names, sentences that quote them.

Streamlit reads what most of its elements are given as Markdown: a note could make every reader's
browser fetch a picture. Whatever a person or a file may have written goes through `plain` where it
enters an element. Figures hold none of it but in their titles, which stand outside of them; the
options of a select box are no Markdown.
"""

import re

_JOINER = "\u2060"  # without width: what it parts is no link, icon, emoji or colour
_BREAKS = re.compile(r"[^\S\u00a0\u202f]+")  # spaces that lines may break at
_INLINE = re.compile(r"[\\`*\[\]<>$~]|&(?=[#\w])|\b_|_\b")
_DIRECTIVE = re.compile(r":(?=[a-z+/_-])|www(?=\.)", re.I)
_AT_THE_START = re.compile(r"^([#+=|-]|\d+(?=[.)]))")


def without_directives(markdown: str) -> str:
    """Markdown of which Streamlit makes no icon, emoji or colour, as no other reader of it does."""
    return _DIRECTIVE.sub(rf"\g<0>{_JOINER}", markdown)


def in_brackets(words: str) -> str:
    """Our own words whose brackets, as an interval's, are no link of Markdown's."""
    return words.replace("[", "\\[").replace("]", "\\]")


def file_name(words: str) -> str:
    """Words as the name of a file that is handed out, without its suffix."""
    return re.sub(r"[^\w.@-]+", "-", words)


def plain(text: object) -> str:
    """`text` as Markdown that shows it on one line, as it is, no-break spaces too.

    >>> print(plain("![a](b) *c* <img> cnn_lstm $x$"))
    !\\[a\\](b) \\*c\\* \\<img\\> cnn_lstm \\$x\\$
    """
    line = _BREAKS.sub(" ", str(text)).strip()
    line = _INLINE.sub(r"\\\g<0>", line)
    line = without_directives(line)
    return _AT_THE_START.sub(lambda m: m[0] + "\\" if m[0].isdigit() else "\\" + m[0], line)
