"""The page `glossary.md`, written from the terms that the dashboard explains itself with.

python docs/glossary.py
"""

from pathlib import Path

from fercore.glossary import SECTIONS, titled

PAGE = Path(__file__).with_name("glossary.md")
INTRODUCTION = """# Glossary

<!-- Written by docs/glossary.py from fercore/glossary.py: change that, then run it. -->

What each term on the pages means, in one sentence. The pages show the same sentences, under
**Words** below their title.
"""


def page() -> str:
    """The page as it should stand."""
    parts = [INTRODUCTION.rstrip()]
    for title, terms in SECTIONS.items():
        lines = [
            f"| {titled(name)} | {term.meaning} | {term.source or '–'} |"
            for name, term in terms.items()
        ]
        parts.append(
            "\n".join(
                [f"## {title}\n", "| term | meaning | after |", "| --- | --- | --- |", *lines]
            )
        )
    return "\n".join(part + "\n" for part in parts).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
