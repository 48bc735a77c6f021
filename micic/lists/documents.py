"""Released lists as files: CSV for machines, PDF for paper. A file holds the visible cells and nothing else.

What is read, masked and audited is a `Sheet`, made within the transaction; files are made from it afterwards, with
no database behind them. CSV is UTF-8 with a byte order mark, because spreadsheets in offices take it for a local
code page otherwise; every row names the list, so that a torn-out row still says what it is.
"""

import csv
import hashlib
import io
import json
import subprocess
import sys
import unicodedata
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anyascii import anyascii
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from micic.audit.models import AuditEntry
from micic.errors import Conflict, Invalid, MicicError
from micic.lists.access import audit, get_readable
from micic.lists.masks import Column, RecipientClass, Seen, visible_cells, visible_columns
from micic.lists.models import PersonList
from micic.lists.reading import open_lines
from micic.posts.models import ConsularPost
from micic.registry.vault import Vault
from micic.security.principal import Principal
from micic.watch.models import Situation

LINES_PER_PDF = 5_000
"""A longer list comes in parts: the typesetter takes 150 MB for a thousand lines."""

TYPESET_SECONDS = 120
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
DRAWN_SCRIPTS = frozenset(
    {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "DEVANAGARI", "ARABIC-INDIC", "EXTENDED", "MODIFIER", "COMBINING"}
)
"""The first words of the names of the letters, digits and marks in the fonts that come with the product."""

C = Column
RECIPIENTS = {
    RecipientClass.INTERNAL: "For the post's own staff only",
    RecipientClass.CONSULAR: "For a partner consulate",
    RecipientClass.CIVIL_PROTECTION: "For civil protection",
    RecipientClass.RED_CROSS: "For the Red Cross and Red Crescent",
    RecipientClass.CARRIER: "For the carrier",
}
LAYOUT: tuple[tuple[str, float, tuple[tuple[Column, ...], ...]], ...] = (
    ("No.", 1.2, ((C.LINE,), (C.CHANGE,))),
    ("Person", 3.6, ((C.NAME,), (C.NAME_ORIGINAL,), (C.REFERENCE, C.AGE, C.NATIONALITY), (C.DOCUMENTS,))),
    ("Household", 1.8, ((C.HOUSEHOLD,), (C.MEMBER,))),
    ("Priority", 3.2, ((C.TIER,), (C.SENTENCE,))),
    ("Hazard", 2.2, ((C.PRESENCE, C.SEVERITY), (C.ZONE,))),
    ("Where", 3.6, ((C.PLACE, C.COUNTRY), (C.POSITION, C.RADIUS), (C.SOURCE, C.LOCATION_AGE))),
    ("Needs, languages", 2.2, ((C.NEEDS,), (C.LANGUAGES,))),
    ("Contact", 2.8, ((C.ADDRESSES,), (C.CHANNELS,), (C.CONTACT,))),
    ("Answer", 1.8, ((C.ANSWER,), (C.MOVEMENT,))),
)
"""The columns of the paper: heading, relative width, and the lines within a cell."""

STYLES = {C.LINE: "strong", C.NAME: "strong", C.TIER: "strong", C.CHANGE: "quiet", C.SOURCE: "quiet"}
STYLES |= dict.fromkeys((C.REFERENCE, C.HOUSEHOLD, C.POSITION, C.ADDRESSES), "ltr")
WORDS = {
    C.AGE: "age {}",
    C.TIER: "tier {}",
    C.SEVERITY: "severity {}",
    C.RADIUS: "within {}",
    C.MEMBER: "person {}",
    C.LOCATION_AGE: "{} old",
    C.CHANNELS: "channels: {}",
    C.CONTACT: "contact: {}",
    C.MOVEMENT: "movement: {}",
}


class DocumentFailed(MicicError):
    """The file could not be made. Nothing was released by this; try again, or take the CSV."""

    kind = "internal"


@dataclass(frozen=True)
class Sheet:
    """Everything that the files of one copy may contain: already masked."""

    state: str
    post: str
    event: str
    kind: str
    version: int
    exercise: bool
    as_of: datetime
    released_at: datetime
    recipient: RecipientClass
    note: str
    sha256: str
    copy_no: int
    newest_version: int
    households: int
    changes: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def title(self) -> str:
        """What the list is."""
        return f"{self.kind.capitalize()} list, version {self.version}"

    @property
    def label(self) -> str:
        """What every row of a CSV says of itself."""
        word = "EXERCISE " if self.exercise else ""
        return f"{word}{self.kind} v{self.version} {_utc(self.as_of)} {self.sha256[:12]} copy {self.copy_no}"

    def filename(self, ending: str) -> str:
        """Plain ASCII, telling list, place, version, time and recipient."""
        post = "-".join("".join(s if s.isalnum() else " " for s in anyascii(self.post).lower()).split())
        parts = [
            self.kind,
            post,
            f"v{self.version}",
            f"{self.as_of.astimezone(UTC):%Y%m%dT%H%MZ}",
            self.recipient.value,
        ]
        return "_".join((["EXERCISE"] if self.exercise else []) + parts) + f".{ending}"


@dataclass(frozen=True)
class Document:
    """A file, with the name and type under which it leaves the house."""

    filename: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the file itself."""
        return hashlib.sha256(self.content).hexdigest()


def prepare_sheet(session: Session, principal: Principal, vault: Vault, list_id: uuid.UUID, *, now: datetime) -> Sheet:
    """What the recipient of a released version may see, as the next numbered copy; audited. Raises NotPermitted,
    PurposeMissing, NotFound, Conflict (not released).
    """
    version = get_readable(session, principal, list_id)
    session.refresh(version, with_for_update=True)
    if version.status != "released" or version.recipient_class is None or version.released_at is None:
        raise Conflict("This version is not released: a second person must release it first.")
    recipient = RecipientClass(version.recipient_class)
    copy_no = _count_copies(session, version) + 1
    rows = tuple(_rows(session, principal, vault, version, recipient))
    audit(session, principal, "list.copy", version, now, copy=copy_no, lines=len(rows), recipient_class=recipient.value)
    session.flush()
    situation = session.get_one(Situation, (principal.state, version.event_id))
    return Sheet(
        state=principal.state,
        post=session.get_one(ConsularPost, (principal.state, version.post_id)).name,
        event=situation.title,
        kind=version.kind,
        version=version.version,
        exercise=version.mode == "exercise",
        as_of=version.as_of,
        released_at=version.released_at,
        recipient=recipient,
        note=version.release_note or "",
        sha256=version.sha256.hex(),
        copy_no=copy_no,
        newest_version=_newest(session, version),
        households=version.household_count,
        changes=_changes(version),
        columns=tuple(visible_columns(recipient)),
        rows=rows,
    )


def _rows(
    session: Session, principal: Principal, vault: Vault, version: PersonList, recipient: RecipientClass
) -> Iterable[tuple[str, ...]]:
    for line in open_lines(session, principal, vault, version):
        if line.is_damaged:
            raise Conflict(f"Line {line.line_no} cannot be opened: verify this version before it leaves the house.")
        seen = Seen(line.line_no, line.change, line.payload, line.is_token, line.refused)
        yield tuple(visible_cells(seen, recipient, principal.state, as_of=version.as_of).values())


def _count_copies(session: Session, version: PersonList) -> int:
    return session.execute(
        select(func.count())
        .select_from(AuditEntry)
        .where(
            AuditEntry.registering_state == version.registering_state,
            AuditEntry.subject_id == version.list_id,
            AuditEntry.action == "list.copy",
        )
    ).scalar_one()


def _newest(session: Session, version: PersonList) -> int:
    return session.execute(
        select(func.max(PersonList.version)).where(
            PersonList.registering_state == version.registering_state,
            PersonList.event_id == version.event_id,
            PersonList.post_id == version.post_id,
            PersonList.kind == version.kind,
        )
    ).scalar_one()


def _changes(version: PersonList) -> str:
    told = version.changes
    gone = sum(told["departed"].values())
    if version.previous_list_id is None:
        return "first version"
    return f"since version {version.version - 1}: {told['new']} new, {told['changed']} changed, {gone} no longer on it"


# --- CSV ---


def csv_of(sheet: Sheet) -> Document:
    """The whole sheet: one header row, one row a person, every row as wide as the header."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(["list", *(column.value for column in sheet.columns)])
    writer.writerows([harmless(sheet.label), *map(harmless, row)] for row in sheet.rows)
    return Document(sheet.filename("csv"), "text/csv; charset=utf-8", b"\xef\xbb\xbf" + buffer.getvalue().encode())


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (ASVS 1.2.10): an apostrophe before = + - @ and the like, phone
    numbers included.
    """
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell


# --- PDF ---


def pdf_parts(sheet: Sheet) -> int:
    """In how many parts the PDF of this sheet comes."""
    return max(1, -(-len(sheet.rows) // LINES_PER_PDF))


def pdf_of(sheet: Sheet, *, part: int = 1) -> Document:
    """One part of the sheet on paper. Takes seconds and no database. Raises Invalid, DocumentFailed."""
    parts = pdf_parts(sheet)
    if not 1 <= part <= parts:
        raise Invalid(f"This list has {parts} parts.", field="part")
    text = json.dumps(_typeset_input(sheet, part, parts), ensure_ascii=False)
    program = Path(__file__).with_name("typeset.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(program)],
            check=False,
            input=text.encode(),
            capture_output=True,
            timeout=TYPESET_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentFailed from error
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        raise DocumentFailed
    ending = "pdf" if parts == 1 else f"part{part}of{parts}.pdf"
    return Document(sheet.filename(ending), "application/pdf", done.stdout)


def _typeset_input(sheet: Sheet, part: int, parts: int) -> dict[str, object]:
    rows = sheet.rows[(part - 1) * LINES_PER_PDF : part * LINES_PER_PDF]
    layout = [
        (heading, width, lines)
        for heading, width, lines in LAYOUT
        if any(column in sheet.columns for line in lines for column in line)
    ]
    volume = f", part {part} of {parts}" if parts > 1 else ""
    return {
        "title": f"{sheet.title}{volume}: {drawable(sheet.post)}",
        "subtitle": f"{drawable(sheet.event)} · as of {_utc(sheet.as_of)} · released {_utc(sheet.released_at)}"
        f" to {drawable(sheet.note)}",
        "recipient": RECIPIENTS[sheet.recipient],
        "copy": f"Copy {sheet.copy_no}",
        "proof": f"SHA-256 {sheet.sha256}",
        "footer": f"{sheet.kind} v{sheet.version} · {sheet.sha256[:12]} · copy {sheet.copy_no}",
        "exercise": sheet.exercise,
        "notices": list(_notices(sheet)),
        "summary": [_summary(sheet)],
        "headings": [heading for heading, _, _ in layout],
        "widths": [width for _, width, _ in layout],
        "rows": [_fragments(row, layout, sheet.columns) for row in rows],
    }


def _notices(sheet: Sheet) -> Iterable[str]:
    if sheet.exercise:
        yield "EXERCISE. The people and places are not to be acted upon."
    if sheet.newest_version > sheet.version:
        yield f"Version {sheet.newest_version} of this list exists. Ask for it before you act on this one."


def _summary(sheet: Sheet) -> str:
    words = [f"{len(sheet.rows)} people in {sheet.households} households", sheet.changes]
    if C.TIER in sheet.columns:
        tiers = Counter(row[sheet.columns.index(C.TIER)] for row in sheet.rows)
        words.append(", ".join(f"tier {tier}: {tiers[tier]}" for tier in sorted(tiers) if tier))
    return " · ".join(word for word in words if word) + "."


Layout = list[tuple[str, float, tuple[tuple[Column, ...], ...]]]


def _fragments(row: tuple[str, ...], layout: Layout, columns: tuple[Column, ...]) -> list[list[list[str]]]:
    """Per cell of the paper its lines, each with its words and its style."""
    cells = {column: _worded(column, text) for column, text in zip(columns, row, strict=True) if text}
    return [
        [
            [" · ".join(cells[column] for column in line if column in cells), STYLES.get(line[0], "")]
            for line in lines
            if any(column in cells for column in line)
        ]
        for _, _, lines in layout
    ]


def _worded(column: Column, text: str) -> str:
    if column is C.NAME_ORIGINAL and drawable(text) != text:
        return "(original script: see the data file)"
    return WORDS.get(column, "{}").format(drawable(text))


def drawable(text: str) -> str:
    """The text, or where the fonts have no signs for it, its Latin transliteration. Never an empty box."""
    known = all(symbol.isascii() or _is_drawn(symbol) for symbol in text)
    return text if known else anyascii(text)


def _is_drawn(symbol: str) -> bool:
    if "\xa0" <= symbol <= "\xbf" or "\u200c" <= symbol <= "\u205e":
        return True
    return unicodedata.name(symbol, "?").split()[0] in DRAWN_SCRIPTS


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
