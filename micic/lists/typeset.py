"""Sets one list in type: JSON on standard input, PDF on standard output. Run as a program of its own, because the
typesetter takes hundreds of megabytes and must give them back. Nothing of a person touches a file.

Imports nothing of the product, so that it can be run by its path.
"""

import sys
from pathlib import Path

import fontpkg_noto_sans
import fontpkg_noto_sans_arabic
import typst

TEMPLATE = Path(__file__).with_name("list.typ")
FONTS = [fontpkg_noto_sans.ROOT / "files", fontpkg_noto_sans_arabic.ROOT / "files"]


def typeset(data: str) -> bytes:
    """The PDF of one document. Raises typst.TypstError."""
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=FONTS),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": data},
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(sys.stdin.buffer.read().decode()))
