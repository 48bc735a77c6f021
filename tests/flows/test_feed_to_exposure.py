"""The first half of the chain on real HTTP and real PostGIS: polled, gated, stored, crossed, revised, cancelled."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from geoalchemy2.shape import from_shape
from shapely.geometry import Point
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from alerts.fetch import Fetcher, FetchSettings
from alerts.models import Event, FeedFetch, Message, Quarantine, Zone, ZoneCell, ZoneCountry
from alerts.poll import Poller, PollResult, poll_source
from alerts.store import Outcome
from micic.clock import utc_now
from micic.demo.crisis import Crisis
from micic.demo.feed_server import Fault, FeedServer
from micic.demo.run import quiet
from micic.demo.worker import demo_sources
from micic.exposure.models import Crossing, Exposure, ExposureChange, ExposureCountry
from micic.exposure.stages import cross_due_messages, take_up_moves
from micic.identifiers import new_id
from micic.registry.location_models import Location, Recross
from micic.registry.models import Household
from micic.security.context import Context, set_context
from micic.watch.models import Situation
from tests.conftest import FreshDatabase
from tests.properties.world import STATE, found_state, make_migrant

PLACES = {
    "avcilar": (28.72, 40.98),
    "tekirdag": (27.5, 40.95),
    "izmit": (29.92, 40.76),
    "izmir": (27.14, 38.42),
    "kars": (43.1, 40.6),
}


class Chain:
    """A small registry and the demo's feeds, without a worker: the test drives the stages."""

    def __init__(self, database: FreshDatabase, feeds: FeedServer) -> None:
        self.feeds = feeds
        self.crisis = Crisis(datetime.now(UTC), 3)
        self.sessions = sessionmaker(database.engine("micic_worker"), expire_on_commit=False)
        self.post_id = found_state(database.engine("micic_worker"), database.engine("micic_app"))
        poller = Poller(
            self.sessions, Fetcher(FetchSettings(allow_private=True)), lambda area: ["TUR"], new_id, utc_now
        )
        self.poller, self.sources = poller, demo_sources(feeds.base_url)
        self.people = {name: self._settle(lon, lat) for name, (lon, lat) in PLACES.items()}
        take_up_moves(self.sessions, STATE, now=utc_now())

    def publish(self, stage: str) -> dict[str, PollResult]:
        self.feeds.publish(quiet(self.crisis) if stage == "quiet" else self.crisis.stage(stage))
        return self.poll()

    def poll(self) -> dict[str, PollResult]:
        results = {source.feed.name: poll_source(source, self.poller) for source in self.sources}
        cross_due_messages(self.sessions, STATE, now=utc_now())
        return results

    def exposure(self, name: str, title: str = "Silivri") -> tuple[str, int | None, int | None] | None:
        with self.session() as session:
            row = session.execute(
                select(Exposure)
                .join(Situation, Situation.event_id == Exposure.event_id)
                .where(Exposure.migrant_id == self.people[name], Situation.title.contains(title))
                .where(Exposure.ended_at.is_(None))
            ).scalar_one_or_none()
            return row and (row.presence, row.severity_inside, row.severity_possible)

    def changes(self, name: str) -> list[tuple[str, str]]:
        with self.session() as session:
            rows = session.execute(
                select(ExposureChange.change, ExposureChange.cause)
                .where(ExposureChange.migrant_id == self.people[name])
                .order_by(ExposureChange.recorded_at)
            )
            return [(change, cause) for change, cause in rows]

    def session(self) -> Session:
        session = self.sessions()
        set_context(session, Context(STATE))
        return session

    def _settle(self, lon: float, lat: float) -> uuid.UUID:
        from tests.properties.world import Person

        person, now = Person(new_id(), new_id(), True, False), utc_now()
        with self.session() as session:
            session.add(
                Household(
                    registering_state=STATE,
                    household_id=person.household_id,
                    keeper_post_id=self.post_id,
                    reference=str(person.household_id)[-12:],
                    recorded_at=now,
                )
            )
            session.flush()
            session.add(make_migrant(person, self.post_id, now))
            session.flush()
            session.add(
                Location(
                    registering_state=STATE,
                    location_id=new_id(),
                    migrant_id=person.migrant_id,
                    source="residence",
                    position=from_shape(Point(lon, lat), srid=4326),
                    radius_class=2,
                    country="TUR",
                    observed_at=now,
                    valid_from=now,
                    recorded_at=now,
                )
            )
            session.add(
                Recross(
                    registering_state=STATE,
                    recross_id=new_id(),
                    migrant_id=person.migrant_id,
                    cause="move",
                    requested_at=now,
                )
            )
            session.commit()
        return person.migrant_id


@pytest.fixture
def chain(fresh_database: FreshDatabase) -> Iterator[Chain]:
    with FeedServer() as feeds:
        yield Chain(fresh_database, feeds)


def test_a_quake_is_followed_from_its_origin_to_its_last_map(chain: Chain) -> None:
    assert chain.publish("quiet")["usgs"].changed == 2, "two small quakes far away"
    chain.publish("origin")
    assert chain.exposure("avcilar") == ("possible", None, 3), "before a map: a circle, which only says possible"
    assert chain.exposure("kars") is None

    chain.publish("shakemap-1")
    first = {name: chain.exposure(name) for name in PLACES}
    assert first["avcilar"] is not None
    assert first["avcilar"][0] == "inside"
    assert first["tekirdag"] is not None
    assert chain.changes("avcilar") == [("entered", "message"), ("firmed", "message")]

    chain.publish("shakemap-2")
    second = {name: chain.exposure(name) for name in PLACES}
    assert second["izmit"] is not None
    assert (second["izmit"][1] or 0) > ((first["izmit"] or ("", 0, 0))[1] or 0), "the zones moved east"
    assert (second["tekirdag"] or ("", 0, 0))[1] != first["tekirdag"][1]
    with chain.session() as session:
        versions = session.execute(select(Message).where(Message.title.contains("Silivri"))).scalars().all()
        assert len({row.event_id for row in versions}) == 1
        assert [row.ended_by for row in sorted(versions, key=lambda row: row.sent_at)][:2] == ["superseded"] * 2
        assert (
            session.execute(select(ExposureCountry.country)).scalars().all()
            == ["TUR"] * session.execute(select(func.count()).select_from(Situation)).scalar_one()
        )


def test_drills_reach_nobody_and_wait_for_a_person(chain: Chain) -> None:
    for stage in ("origin", "shakemap-1", "cancel"):
        chain.publish(stage)
    with chain.session() as session:
        held = session.execute(select(Message).where(Message.verdict == "held")).scalars().all()
        assert {row.feed for row in held} == {"usgs", "drill-exercise", "drill-test"}
        assert any(reason.startswith("status-exercise") for row in held for reason in row.verdict_reasons)
        assert any(reason.startswith("test-suspected") for row in held for reason in row.verdict_reasons)
        reached = session.execute(select(Exposure).where(Exposure.event_id.in_([row.event_id for row in held]))).all()
        assert reached == []
        assert session.execute(select(Quarantine.reason_code)).scalars().all() == ["scenario"]


def test_a_false_detection_is_cancelled_and_leaves_nobody_exposed(chain: Chain) -> None:
    chain.publish("shakemap-1")
    assert chain.exposure("izmir", "Izmir") == ("possible", None, 3)
    chain.publish("shakemap-3")
    chain.publish("cancel")
    assert chain.exposure("izmir", "Izmir") is None
    assert chain.changes("izmir")[-1] == ("left", "message")
    with chain.session() as session:
        event = session.execute(select(Event).where(Event.title.contains("Izmir"))).scalar_one()
        assert event.lifecycle == "cancelled"


def test_polling_again_and_crossing_again_change_nothing(chain: Chain) -> None:
    chain.publish("shakemap-1")
    with chain.session() as session:
        before = session.execute(select(func.count()).select_from(ExposureChange)).scalar_one()
    again = chain.poll()
    assert again["usgs"].changed == 0
    with chain.session() as session:
        assert session.execute(select(func.count()).select_from(ExposureChange)).scalar_one() == before
        crossed = session.execute(select(Crossing.cause_id).where(Crossing.cause == "message")).scalars().all()
        assert len(crossed) == len(set(crossed))


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.TRUNCATED, Fault.EMPTY])
def test_a_broken_feed_ends_nothing(chain: Chain, fault: Fault) -> None:
    chain.publish("shakemap-1")
    exposed = chain.exposure("avcilar")
    chain.feeds.publish(chain.crisis.stage("shakemap-2"))
    chain.feeds.inject(fault, path_prefix="/earthquakes/feed/v1.0/summary", times=1)
    result = poll_source(chain.sources[0], chain.poller)
    assert result.outcome in ("broken", "empty")
    assert chain.exposure("avcilar") == exposed
    assert chain.poll()["usgs"].counts[Outcome.UPDATED] == 1, "the next sound poll brings what was missed"
    with chain.session() as session:
        outcomes = session.execute(select(FeedFetch.outcome).where(FeedFetch.feed == "usgs")).scalars().all()
        assert {"broken", "empty"} & set(outcomes)


def test_contours_that_cannot_be_had_keep_the_last_good_zones(chain: Chain) -> None:
    chain.publish("shakemap-1")
    exposed = chain.exposure("avcilar")
    chain.feeds.publish(chain.crisis.stage("shakemap-2"))
    chain.feeds.inject(Fault.ERROR, path_prefix="/product/shakemap", times=1)
    assert chain.poll()["usgs"].outcome == "partial"
    now = chain.exposure("avcilar")
    assert now is not None
    assert exposed is not None
    assert now[:2] == exposed[:2], "still inside, by the last map that could be read"
    assert chain.poll()["usgs"].outcome == "ok"
    assert chain.exposure("izmit") is not None


def test_zones_are_covered_for_every_radius_class(chain: Chain) -> None:
    chain.publish("shakemap-1")
    with chain.session() as session:
        bands = session.execute(select(Zone.zone_id).where(Zone.kind == "band")).scalars().all()
        assert bands
        for zone_id in bands:
            classes = session.execute(select(ZoneCell.radius_class).where(ZoneCell.zone_id == zone_id).distinct())
            assert set(classes.scalars()) == {0, 1, 2, 3, 4, 5}
            assert session.execute(select(ZoneCountry).where(ZoneCountry.zone_id == zone_id)).first() is not None
