"""A menu on each figure: its numbers as CSV, its picture as PNG, the page's link. All of it is made
in the browser, from what the figure has been drawn with: the app hears of none of it.

Streamlit takes a `<` before a letter for markup, and leaves the script out: it is told in hex here.
"""

import json
import re
from pathlib import Path

from fercore.csv_tables import FORMULA

_SCRIPT = re.sub(r"<(?=[\w/])", r"\\x3c", Path(__file__).with_suffix(".js").read_text())
MENUS = f"<script>{{ const FORMULA = {json.dumps(FORMULA)}; {_SCRIPT} }}</script>"
