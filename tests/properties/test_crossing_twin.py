"""R5: the crossing agrees with a slow twin in Shapely on random histories, whatever trigger ran (RULES 1 to 3)."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest
import shapely
from geoalchemy2.shape import to_shape
from shapely import Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.feed import GeometryBasis, MessageKind, MessageStatus, ParsedMessage, ParsedZone, ZoneKind
from alerts.gate import Policy
from alerts.models import Event, Feed, Message, Zone
from alerts.store import store_message
from geo.areas import BOUNDARY_DEG, normalise
from geo.covers import widened_areas
from micic.exposure.models import Exposure, ExposureChange
from micic.exposure.service import DEFAULT_POLICY, cross_clock, cross_everything, cross_message, cross_persons
from micic.identifiers import new_id
from micic.registry.location_models import Recross
from micic.registry.whereabouts import Candidate, candidates, derive
from micic.security.context import Context, set_context
from tests.conftest import FreshDatabase
from tests.properties.world import CONFIRM_INTERVAL, START, STATE, Person, World, found_state

POLICY = Policy(
    references_required=False,
    expiry_required=False,
    max_expiry=timedelta(days=90),
    max_event_age=timedelta(days=90),
    max_area_km2=1e9,
)
HOLED = Polygon([(10, 10), (12, 10), (12, 12), (10, 12)], [[(10.5, 10.5), (11.5, 10.5), (11.5, 11.5), (10.5, 11.5)]])
AREAS: list[BaseGeometry] = [
    box(0, 0, 2, 2),  # edges on the equator and the prime meridian: cell boundaries of every level
    box(-1.5, -1.5, 0, 0),
    HOLED,
    Polygon([(10, 10), (14, 11), (12, 14)]),
    Polygon([(178.5, -2), (181.5, -1), (181, 2), (179, 1)]),  # across the antimeridian
    box(175, 60, 180, 62),  # ends on it
    box(20, 84, 40, 87),  # beyond the Mercator square
    box(-60, 88.5, 120, 90),  # a pole
    Polygon([(5, 45), (5.0004, 45), (5.0002, 45.0003)]),  # smaller than a radius class
]
SPOTS = [
    (0.0, 0.0), (2.0, 2.0), (1.0, 0.0), (2.0, 0.5), (-1.5, -0.75), (0.0, -0.3), (10.0, 10.0), (10.5, 11.0),
    (11.0, 11.0), (12.0, 11.0), (11.0, 13.0), (180.0, 0.0), (-180.0, 0.5), (179.0, 1.0), (-179.0, 0.0), (180.0, 61.0),
    (177.0, 62.0), (30.0, 85.06), (30.0, 87.0), (20.0, 86.0), (0.0, 90.0), (50.0, 89.0), (5.0002, 45.0001),
    (5.3, 45.1), (60.0, 30.0),
]  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """What the twin says of a person and an event."""

    presence: str
    severity_inside: int | None
    severity_possible: int | None


class Twin:
    """Everything by brute force: every candidate of every person against every zone in force."""

    def __init__(self, session: Session, world: World) -> None:
        self.session, self.world = session, world
        self._shapes: dict[uuid.UUID, dict[int, BaseGeometry]] = {}

    def exposures(self, at: datetime) -> dict[tuple[uuid.UUID, uuid.UUID], Expected]:
        found: dict[tuple[uuid.UUID, uuid.UUID], list[tuple[bool, uuid.UUID, int | None]]] = {}
        stand = self._stand(at)
        points = shapely.points([[c.claim.position.lon, c.claim.position.lat] for _, c in stand])  # type: ignore[union-attr]
        classes = np.array([candidate.claim.radius_class for _, candidate in stand], dtype=int)
        for zone, began_at in self._zones_in_force(at):
            inside, touched = self._hits(zone, began_at, at, stand, points, classes)
            for index in np.flatnonzero(inside | touched):
                key = (zone.event_id, stand[index][0].migrant_id)
                found.setdefault(key, []).append((bool(inside[index]), zone.zone_id, zone.severity))
        return {key: self._sum_up(hits) for key, hits in found.items()}

    def _stand(self, at: datetime) -> list[tuple[Person, Candidate]]:
        """Every candidate of everybody that has a position."""
        everybody = ((person, candidate) for person in self.world.people for candidate in self._candidates(person, at))
        return [(person, candidate) for person, candidate in everybody if candidate.claim.position is not None]

    def _hits(
        self,
        zone: Zone,
        began_at: datetime,
        at: datetime,
        stand: list[tuple[Person, Candidate]],
        points: np.ndarray,
        classes: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which candidates are inside the zone, and whose discs touch it."""
        shapes = self._shapes_of(zone)
        old_news = at >= began_at + DEFAULT_POLICY.stale_after
        firm = np.array([c.firm and not (old_news and c.claim.observed_at < began_at) for _, c in stand], dtype=bool)
        inside = holds(shapes[0], points) & firm & zone.firm & (classes <= 4)
        touched = np.zeros(len(stand), dtype=bool)
        for code in np.unique(classes):
            of_class = classes == code
            touched[of_class] = holds(shapes[int(code)], points[of_class])
        return inside, touched

    def _sum_up(self, hits: list[tuple[bool, uuid.UUID, int | None]]) -> Expected:
        inside_zones = {zone_id for is_inside, zone_id, _ in hits if is_inside}
        unknown = DEFAULT_POLICY.severity_if_unknown
        inside = [unknown if s is None else s for _, zone_id, s in hits if zone_id in inside_zones]
        possible = [unknown if s is None else s for _, zone_id, s in hits if zone_id not in inside_zones]
        return Expected("inside" if inside else "possible", max(inside, default=None), max(possible, default=None))

    def _zones_in_force(self, at: datetime) -> list[tuple[Zone, datetime]]:
        rows = self.session.execute(
            select(Zone, Event.began_at)
            .join(Message, Message.message_id == Zone.message_id)
            .join(Event, Event.event_id == Zone.event_id)
            .where(Message.verdict == "accepted")
        )
        return [
            (zone, began_at)
            for zone, began_at in rows
            if zone.valid_from <= at
            and (zone.valid_until is None or at < zone.valid_until)
            and (zone.ended_at is None or at < zone.ended_at)
        ]

    def _candidates(self, person: Person, at: datetime) -> list[Candidate]:
        own = candidates(list(person.claims.values()), at, confirm_interval=CONFIRM_INTERVAL)
        if person.is_head or person.lives_apart or any(candidate.claim.position for candidate in own):
            return own
        head = next(other for other in self.world.household_of(person) if other.is_head)
        lent = candidates(list(head.claims.values()), at, confirm_interval=CONFIRM_INTERVAL)
        return own + [Candidate(candidate.claim, False) for candidate in lent]

    def _shapes_of(self, zone: Zone) -> dict[int, BaseGeometry]:
        if zone.zone_id not in self._shapes:
            self._shapes[zone.zone_id] = widened_areas(to_shape(zone.geometry))  # type: ignore[arg-type]
        return self._shapes[zone.zone_id]


def holds(area: BaseGeometry, points: np.ndarray) -> np.ndarray:
    """Which points lie in the area. The boundary counts as in, and so does the other side of the antimeridian."""
    turns = [np.array([turn, 0.0]) for turn in (-360.0, 0.0, 360.0)]
    turned = [shapely.transform(points, lambda xy, turn=turn: xy + turn) for turn in turns]
    shapely.prepare(area)
    return np.logical_or.reduce([shapely.dwithin(area, image, BOUNDARY_DEG) for image in turned])


class History:
    """One random history; after every step the stored exposures must equal the twin's."""

    def __init__(self, session: Session, post_id: uuid.UUID, seed: int, people: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.session = session
        self.now = START
        self.world = World(session, self.rng, post_id)
        self.twin = Twin(session, self.world)
        self.seed, self.versions = seed, 0
        session.add(Feed(name="made", url="made", cadence_s=60, enabled=True, failures=0))
        self.world.settle(people, SPOTS, self.now)
        derive(session, STATE)
        cross_clock(session, STATE, now=self.now)

    def run(self, steps: int) -> None:
        acts = [self.publish, self.publish, self.move, self.move, self.tick, self.tick_far, self.retract, self.cancel]
        for step in range(steps):
            act = acts[int(self.rng.integers(len(acts)))]
            act()
            self.compare(f"seed {self.seed}, step {step}, {act.__name__}")
        assert cross_everything(self.session, STATE, now=self.now).changed == 0  # type: ignore[union-attr]
        self._changes_explain_exposures()

    def publish(self, kind: MessageKind = MessageKind.UPDATE) -> None:
        """A version of one of three alerts, sometimes older than what is known, sometimes coarse."""
        series = f"series-{int(self.rng.integers(3))}"
        self.versions += 1
        late = timedelta(hours=float(self.rng.integers(0, 30))) if self.rng.random() < 0.3 else timedelta()
        sent_at = self.now - late
        stored = store_message(
            self.session,
            self._message(series, kind, sent_at),
            (),
            policy=POLICY,
            countries_touching=lambda area: (),
            make_id=new_id,
            now=self.now,
        )
        assert stored.verdict == "accepted", self.session.get_one(Message, stored.message_id).verdict_reasons
        cross_message(self.session, STATE, stored.message_id, now=self.now)
        assert cross_message(self.session, STATE, stored.message_id, now=self.now) is None

    def cancel(self) -> None:
        if self.rng.random() < 0.5:
            self.publish(MessageKind.CANCEL)

    def move(self) -> None:
        for _ in range(int(self.rng.integers(1, 12))):
            self.world.hear(self._anybody(), SPOTS, self.now)
        self._take_up()

    def retract(self) -> None:
        for _ in range(3):
            self.world.retract(self._anybody(), self.now)
        self._take_up()

    def tick(self) -> None:
        self.now += timedelta(minutes=float(self.rng.integers(1, 600)))
        cross_clock(self.session, STATE, now=self.now)

    def tick_far(self) -> None:
        self.now += timedelta(hours=float(self.rng.integers(10, 100)))
        cross_clock(self.session, STATE, now=self.now)

    def compare(self, where: str) -> None:
        self.session.expire_all()
        rows = self.session.execute(select(Exposure).where(Exposure.ended_at.is_(None))).scalars()
        stored = {
            (row.event_id, row.migrant_id): Expected(row.presence, row.severity_inside, row.severity_possible)
            for row in rows
        }
        expected = self.twin.exposures(self.now)
        differences = {key: (stored.get(key), expected.get(key)) for key in stored | expected}
        wrong = {key: pair for key, pair in differences.items() if pair[0] != pair[1]}
        assert not wrong, f"{where}: {len(wrong)} of {len(expected)} differ (stored, twin): {list(wrong.items())[:3]}"

    def _take_up(self) -> None:
        rows = self.session.execute(select(Recross)).scalars().all()
        asked = {row.migrant_id for row in rows}
        derive(self.session, STATE, list(asked))
        households = {person.household_id for person in self.world.people if person.migrant_id in asked}
        persons = [person.migrant_id for person in self.world.people if person.household_id in households]
        cross_persons(self.session, STATE, persons, "move", now=self.now)
        for row in rows:
            self.session.delete(row)
        self.session.flush()

    def _changes_explain_exposures(self) -> None:
        """Entered minus left, person by person, is what is open."""
        changes = self.session.execute(select(ExposureChange).where(ExposureChange.change.in_(("entered", "left"))))
        balance: dict[tuple[uuid.UUID, uuid.UUID], int] = {}
        for change in changes.scalars():
            key = (change.event_id, change.migrant_id)
            balance[key] = balance.get(key, 0) + (1 if change.change == "entered" else -1)
        open_rows = self.session.execute(select(Exposure).where(Exposure.ended_at.is_(None))).scalars()
        assert {key for key, count in balance.items() if count} == {(r.event_id, r.migrant_id) for r in open_rows}
        assert set(balance.values()) <= {0, 1}

    def _anybody(self) -> Person:
        return self.world.people[int(self.rng.integers(len(self.world.people)))]

    def _message(self, series: str, kind: MessageKind, sent_at: datetime) -> ParsedMessage:
        zones = () if kind is MessageKind.CANCEL else tuple(self._zone(sent_at) for _ in range(self.rng.integers(1, 4)))
        return ParsedMessage(
            feed="made",
            series=series,
            native_id=series,
            native_version=f"{sent_at.isoformat()}.{self.versions:06d}",
            sender="made",
            sent_at=sent_at,
            kind=kind,
            status=MessageStatus.ACTUAL,
            title=series,
            valid_from=sent_at,
            zones=zones,
        )

    def _zone(self, sent_at: datetime) -> ParsedZone:
        area = normalise(AREAS[int(self.rng.integers(len(AREAS)))])
        kind = ZoneKind(str(self.rng.choice(["affected", "warned", "band", "region", "forecast_cone"])))
        lasts = timedelta(hours=float(self.rng.integers(35, 200)))
        begins = sent_at + timedelta(hours=float(self.rng.integers(0, 20)))
        severity = None if self.rng.random() < 0.2 else int(self.rng.integers(0, 5))
        until = begins + lasts if self.rng.random() < 0.6 else None
        return ParsedZone(kind, area, GeometryBasis.NATIVE, begins, until, severity)


def run_histories(database: FreshDatabase, seeds: range, *, people: int, steps: int) -> None:
    post_id = found_state(database.engine("micic_worker"), database.engine("micic_app"))
    for seed in seeds:
        with Session(database.engine("micic_worker")) as session:
            set_context(session, Context(STATE))
            History(session, post_id, seed, people).run(steps)
            session.rollback()


def test_r5_crossing_equals_twin(fresh_database: FreshDatabase) -> None:
    run_histories(fresh_database, range(4), people=250, steps=25)


@pytest.mark.full
def test_r5_crossing_equals_twin_at_length(fresh_database: FreshDatabase) -> None:
    run_histories(fresh_database, range(100, 105), people=2_000, steps=25)
