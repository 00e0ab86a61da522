"""A menu on each figure: its numbers as CSV, its picture as PNG, the page's link. All of it is made
in the browser, from what the figure has been drawn with: the app hears of none of it.

The script holds no `<` before a letter: Streamlit takes that for markup, and leaves the script out.
"""

from pathlib import Path

MENUS = f"<script>{Path(__file__).with_suffix('.js').read_text()}</script>"
