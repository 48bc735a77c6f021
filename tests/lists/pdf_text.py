"""Reads back the words of a PDF as our typesetter writes it: page streams through the fonts' ToUnicode tables.

Enough of ISO 32000 for our own files and no more. A glyph 0 is an empty box ("tofu") and comes out as U+FFFD.
"""

import re
import zlib
from collections.abc import Iterator

TOFU = "\ufffd"
FONT = re.compile(r"/(f\d+) [\d.]+ Tf")
ESCAPED = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "\n": ""}


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, one line per run of glyphs, in the order in which they are drawn."""
    objects = {int(found[1]): found[2] for found in re.finditer(rb"(?<!\d)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL)}
    kids = next(body for body in objects.values() if body.startswith(b"<</Type/Pages"))
    numbers = re.findall(rb"(\d+) 0 R", kids.split(b"/Kids")[1])
    return [_text_of(objects, objects[int(number)]) for number in numbers]


def _text_of(objects: dict[int, bytes], page: bytes) -> str:
    resources = objects[_reference(page, b"Resources")]
    fonts = {
        name.decode(): _unicode_table(objects, objects[int(number)])
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources)
    }
    content = _stream(objects[_reference(page, b"Contents")]).decode("latin-1")
    lines, table = [], dict[int, str]()
    for token in _tokens(content):
        if token in fonts:
            table = fonts[token]
        elif token[0] == "(":
            codes = [ord(high) << 8 | ord(low) for high, low in zip(token[1::2], token[2::2], strict=True)]
            lines.append("".join(TOFU if code == 0 else table.get(code, "") for code in codes))
    return "\n".join(lines)


def _tokens(content: str) -> Iterator[str]:
    """Font names, and the strings of one array as one, unescaped, after a "(". Brackets nest within strings."""
    at, run = 0, ""
    while at < len(content):
        if content[at] == "(":
            at, piece = _string(content, at + 1)
            run += piece
            continue
        if content[at] in "]T" and run:
            yield "(" + run
            run = ""
        if found := FONT.match(content, at):
            yield found[1]
        at += 1


def _string(content: str, at: int) -> tuple[int, str]:
    """From after the opening bracket: the place after the closing one, and the string."""
    depth, piece = 1, ""
    while True:
        symbol = content[at]
        if symbol == "\\":
            found = ESCAPED.match(content, at)
            assert found is not None
            code = found[1]
            piece += chr(int(code, 8)) if code[0] in "01234567" else ESCAPES.get(code, code)
            at = found.end()
            continue
        depth += {"(": 1, ")": -1}.get(symbol, 0)
        at += 1
        if depth == 0:
            return at, piece
        piece += symbol


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb" (\d+) 0 R", body)
    assert found is not None, name
    return int(found[1])


def _stream(body: bytes) -> bytes:
    return zlib.decompress(body.split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])


def _unicode_table(objects: dict[int, bytes], font: bytes) -> dict[int, str]:
    table: dict[int, str] = {}
    cmap = _stream(objects[_reference(font, b"ToUnicode")]).decode("latin-1")
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(r"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>", block):
            table[int(code, 16)] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(r"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>", block):
            for code in range(int(first, 16), int(last, 16) + 1):
                table[code] = chr(int(text, 16) + code - int(first, 16))
    return table
