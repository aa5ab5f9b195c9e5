"""A preprocessor of mdBook: formulas between dollars become MathML, which every browser shows without a script.

Only pages that ask for it by a display formula (`$$ … $$`) are touched; code spans and blocks are left as they are.
"""

import json
import re
import sys

from latex2mathml.converter import convert

CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
INLINE = re.compile(r"\$([^$\n]+(?:\n[^$\n]+)?)\$")


def formulas(page: str) -> str:
    """The page with its formulas converted."""
    if "$$" not in page:
        return page
    kept = []

    def keep(text: str) -> str:
        kept.append(text)
        return f"\0{len(kept) - 1}\0"

    page = CODE.sub(lambda found: keep(found.group()), page)
    page = DISPLAY.sub(lambda found: "\n" + keep(convert(found.group(1).strip(), display="block")) + "\n", page)
    page = INLINE.sub(lambda found: keep(convert(found.group(1))), page)
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found.group(1))], page)


def chapters(items: list) -> None:
    """Converts all chapters, in place."""
    for item in items:
        if isinstance(item, dict) and "Chapter" in item:
            chapter = item["Chapter"]
            chapter["content"] = formulas(chapter["content"])
            chapters(chapter["sub_items"])


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "supports":
        sys.exit(0 if sys.argv[2] == "html" else 1)
    _, book = json.load(sys.stdin)
    chapters(book.get("items", book.get("sections", [])))
    json.dump(book, sys.stdout)
