"""What the lists read and write in bulk: the one statement of a freeze, earlier versions, lines, work to be done."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from geo.database import read_statement
from micic.cases.queries import NEWS, news_of
from micic.cases.rules import News
from micic.lists.models import ListDeparture, ListLine, ListRun, PersonList
from micic.lists.rules import Departure, Facts, ListPolicy, OpenNeed, Presence, Standing

INSERT_CHUNK = 5_000
NO_NEWS = News()


@dataclass(frozen=True)
class ContactRow:
    """One way to reach a person; the address is still encrypted."""

    contact_point_id: str
    channel: str
    address: bytes
    preferred: bool
    verified: bool
    bounced: bool
    others_read_it: bool


@dataclass(frozen=True)
class DocumentRow:
    """One travel document, without its number."""

    kind: str
    expires_on: date | None
    held: str


@dataclass(frozen=True)
class PersonRow:
    """One person as the freeze reads them. `lat`, `lon` in degrees; `radius_class` 1 to 6."""

    standing: Standing
    reference: str
    household_reference: str
    family_name: str
    given_names: str
    family_name_original: str | None
    given_names_original: str | None
    language: str
    protected: bool
    keeper_post_id: uuid.UUID
    zone_label: str | None
    place: str | None
    country: str | None
    lat: float | None
    lon: float | None
    location_source: str | None
    location_firm: bool | None
    observed_at: datetime | None
    radius_class: int | None
    candidates: int
    contacts: tuple[ContactRow, ...]
    nationalities: tuple[str, ...]
    access_limitation: bool
    documents: tuple[DocumentRow, ...]
    refused: tuple[str, ...]
    told: int

    @property
    def migrant_id(self) -> uuid.UUID:
        """Whose row it is."""
        return self.standing.facts.migrant_id


def read_people(
    session: Session, state: str, event_id: uuid.UUID, post_id: uuid.UUID, policy: ListPolicy, *, as_of: datetime
) -> list[PersonRow]:
    """Everybody whom the lists of one post for one event may be about, in one statement and so at one instant."""
    statement = read_statement(__package__, "freeze.sql").replace("{news}", NEWS)
    parameters = {"state": state, "event": event_id, "post": post_id, "as_of": as_of}
    rows = session.execute(text(statement), parameters).mappings().all()
    return [_person_of(row, policy, as_of.date()) for row in rows]


def _person_of(row: RowMapping, policy: ListPolicy, today: date) -> PersonRow:
    news = news_of(row)
    return PersonRow(
        standing=Standing(
            facts=_facts_of(row, news, policy, today),
            served_here=row["served_here"],
            state_of_record=row["state_of_record"],
            news=news,
            seen_at=row["seen_at"],
        ),
        reference=row["reference"],
        household_reference=row["household_reference"],
        family_name=row["family_name"],
        given_names=row["given_names"],
        family_name_original=row["family_name_original"],
        given_names_original=row["given_names_original"],
        language=row["language"],
        protected=row["protected"],
        keeper_post_id=row["keeper_post_id"],
        zone_label=row["zone_label"],
        place=row["place"],
        country=row["country"],
        lat=row["lat"],
        lon=row["lon"],
        location_source=row["source"],
        location_firm=row["firm"],
        observed_at=row["observed_at"],
        radius_class=row["radius_class"],
        candidates=row["candidates"] or 0,
        contacts=tuple(
            ContactRow(point, channel, bytes.fromhex(address), *flags)
            for point, channel, address, *flags in row["contacts"] or ()
        ),
        nationalities=tuple(row["nationalities"] or ()),
        access_limitation=bool(row["access_limitation"]),
        documents=tuple(
            DocumentRow(kind, None if expires is None else date.fromisoformat(expires), held)
            for kind, expires, held in row["documents"] or ()
        ),
        refused=tuple(sorted(row["refused"] or ())),
        told=row["told"] + row["needs_told"],
    )


def _facts_of(row: RowMapping, news: News, policy: ListPolicy, today: date) -> Facts:
    needs = row["needs"] or ()
    asked_at = news.needs_help_since
    is_said_with_what = news.injured or any(asked_at and datetime.fromisoformat(need[3]) >= asked_at for need in needs)
    presence = Presence(row["presence"])
    severity_possible = row["severity_possible"]
    if presence in (Presence.POSSIBLE, Presence.UNKNOWN) and severity_possible is None:
        severity_possible = policy.severity_if_unknown
    return Facts(
        migrant_id=row["migrant_id"],
        household_id=row["household_id"],
        presence=presence,
        severity_inside=row["severity_inside"],
        severity_possible=severity_possible,
        severity_stated=row["stated"],
        age_years=age_on(row["born_on"], today),
        lives_apart=row["lives_apart"],
        needs=tuple(OpenNeed(code, tier, days) for code, tier, days, _ in needs),
        asks_for_help=asked_at is not None and not is_said_with_what,
        injured=news.injured,
    )


def age_on(born_on: date | None, today: date) -> int | None:
    """Age in completed years."""
    if born_on is None:
        return None
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


# --- versions ---


@dataclass(frozen=True)
class EarlierLine:
    """What the next version must know of a line of the one before."""

    migrant_id: uuid.UUID
    presence: str
    fingerprint: bytes


def find_latest(session: Session, state: str, event_id: uuid.UUID, post_id: uuid.UUID, kind: str) -> PersonList | None:
    """The newest version of this post's list of this kind."""
    return session.execute(
        select(PersonList)
        .where(
            PersonList.registering_state == state,
            PersonList.event_id == event_id,
            PersonList.post_id == post_id,
            PersonList.kind == kind,
        )
        .order_by(PersonList.version.desc())
        .limit(1)
    ).scalar_one_or_none()


def list_earlier_lines(session: Session, state: str, list_id: uuid.UUID) -> list[EarlierLine]:
    """The lines of a version, in order."""
    rows = session.execute(
        select(ListLine.migrant_id, ListLine.presence, ListLine.fingerprint)
        .where(ListLine.registering_state == state, ListLine.list_id == list_id)
        .order_by(ListLine.line_no)
    )
    return [EarlierLine(*row) for row in rows]


def list_lines(session: Session, state: str, list_id: uuid.UUID) -> Sequence[ListLine]:
    """The lines of a version, in order, still encrypted."""
    return (
        session.execute(
            select(ListLine)
            .where(ListLine.registering_state == state, ListLine.list_id == list_id)
            .order_by(ListLine.line_no)
        )
        .scalars()
        .all()
    )


def list_departures(session: Session, state: str, list_id: uuid.UUID) -> dict[uuid.UUID, str]:
    """Who left with this version, and why."""
    rows = session.execute(
        select(ListDeparture.migrant_id, ListDeparture.reason).where(
            ListDeparture.registering_state == state, ListDeparture.list_id == list_id
        )
    )
    return dict(rows.all())


def find_reasons(
    session: Session, state: str, event_id: uuid.UUID, post_id: uuid.UUID, migrant_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, Departure]:
    """Why persons of whom the freeze read nothing any more are gone from this post's list."""
    ids = list(migrant_ids)
    if not ids:
        return {}
    statement = read_statement(__package__, "departures.sql").replace("{news}", NEWS)
    rows = session.execute(text(statement), {"state": state, "event": event_id, "post": post_id, "migrants": ids})
    return {migrant_id: Departure(reason) for migrant_id, reason in rows}


# --- writing ---


@dataclass(frozen=True)
class SealedLine:
    """A line ready to be written: the payload encrypted, everything hashed."""

    line_no: int
    migrant_id: uuid.UUID
    household_id: uuid.UUID
    household_rank: int
    tier: int
    presence: str
    severity: int | None
    change: str
    fingerprint: bytes
    salt: bytes
    line_hash: bytes
    payload: bytes


def insert_lines(session: Session, state: str, list_id: uuid.UUID, lines: Iterable[SealedLine]) -> None:
    """Write lines in bulk, past SQLAlchemy, which knows no arrays in binary form."""
    connection = session.connection().connection.driver_connection
    assert connection is not None
    statement = read_statement(__package__, "insert_lines.sql")
    remaining = iter(lines)
    with connection.cursor() as cursor:
        while chunk := list(islice(remaining, INSERT_CHUNK)):
            names = SealedLine.__dataclass_fields__
            columns: dict[str, Any] = {name: [getattr(line, name) for line in chunk] for name in names}
            cursor.execute(statement, {"state": state, "list": list_id} | columns)


def insert_departures(session: Session, state: str, list_id: uuid.UUID, departures: dict[uuid.UUID, Departure]) -> None:
    """Write who left, and why."""
    if departures:
        session.execute(
            text(
                "insert into list_departure (registering_state, list_id, migrant_id, reason) select :state, :list, *"
                " from unnest(cast(:migrants as uuid[]), cast(:reasons as text[]))"
            ),
            {
                "state": state,
                "list": list_id,
                "migrants": list(departures),
                "reasons": [reason.value for reason in departures.values()],
            },
        )


# --- reading for people ---


@dataclass(frozen=True)
class Guard:
    """What holds for a person now, whatever held when the list was frozen."""

    protected: bool
    refused: frozenset[str]


def find_guards(session: Session, state: str, list_id: uuid.UUID) -> dict[uuid.UUID, Guard]:
    """The protection and the refusals of everybody on a list, as of now. Erased persons are absent."""
    rows = session.execute(text(read_statement(__package__, "guards.sql")), {"state": state, "list": list_id})
    return {migrant_id: Guard(protected, frozenset(refused or ())) for migrant_id, protected, refused in rows}


# --- work ---


@dataclass(frozen=True)
class Behind:
    """A post whose lists are behind a crossing. `at_once`: a message version or a declaration, which does not wait."""

    crossing_id: uuid.UUID
    event_id: uuid.UUID
    post_id: uuid.UUID
    at_once: bool
    last_run_at: datetime | None


def list_behind(session: Session, state: str, *, now: datetime) -> list[Behind]:
    """The posts whose lists have not been brought up to a crossing, found by anti-join."""
    rows = session.execute(text(read_statement(__package__, "behind.sql")), {"state": state, "now": now})
    return [Behind(*row) for row in rows]


def list_unanswered(
    session: Session, state: str, event_id: uuid.UUID, post_id: uuid.UUID, crossings: Iterable[uuid.UUID]
) -> list[uuid.UUID]:
    """Those of the crossings to which the post's lists have not been brought up yet."""
    wanted = list(crossings)
    answered = session.execute(
        select(ListRun.crossing_id).where(
            ListRun.registering_state == state,
            ListRun.event_id == event_id,
            ListRun.post_id == post_id,
            ListRun.crossing_id.in_(wanted),
        )
    ).scalars()
    done = set(answered)
    return [crossing_id for crossing_id in wanted if crossing_id not in done]


def list_unfinished_crossings(session: Session, state: str) -> list[uuid.UUID]:
    """The crossings of which it is not yet written that every post has its lists."""
    return list(session.execute(text(read_statement(__package__, "unfinished.sql")), {"state": state}).scalars())


def list_aged(
    session: Session, state: str, *, settled_before: datetime, refresh_before: datetime
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """(event, post) whose people have told news since the last run, or whose last run is long ago."""
    rows = session.execute(
        text(read_statement(__package__, "aged.sql")),
        {"state": state, "settled_before": settled_before, "refresh_before": refresh_before},
    )
    return [(event_id, post_id) for event_id, post_id in rows]
