"""Figures against a slow twin in Python, and the small sums."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from sqlalchemy import text

from micic.errors import NotFound, NotPermitted, PurposeMissing
from micic.reports import queries
from micic.reports.figures import Coverage, estimate_inside, is_dark
from micic.security.context import set_context
from micic.security.principal import Principal, Role
from tests.web.world import CrisisWorld

pytestmark = pytest.mark.xdist_group("pages")

NOW = datetime(2026, 11, 23, 14, 10, tzinfo=UTC)


def rows(world: CrisisWorld, statement: str) -> list[dict[str, object]]:
    with world.session() as session:
        return [dict(row) for row in session.execute(text(statement), {"e": world.event_id}).mappings()]


def test_the_figures_agree_with_counting_one_by_one(world: CrisisWorld) -> None:
    with world.session("micic_app") as session:
        set_context(session, world.officer.context())
        figures = queries.get_figures(session, world.officer, world.event_id, now=world.now)
    exposed = {
        row["migrant_id"]: row for row in rows(world, "select * from exposure where event_id = :e and ended_at is null")
    }
    household = {row["migrant_id"]: row["household_id"] for row in rows(world, "select * from migrant")}
    told = Counter(row["migrant_id"] for row in rows(world, "select * from welfare_entry where event_id = :e"))
    need = {
        row["migrant_id"] for row in rows(world, "select * from welfare_entry where event_id = :e and state = 'need'")
    }
    reachable = {
        row["migrant_id"]
        for row in rows(world, "select * from contact_point where verified_at is not null and bounced_at is null")
    }
    candidates = [
        row
        for row in rows(world, "select * from whereabouts")
        if row["from_at"] <= world.now and (row["until_at"] is None or row["until_at"] > world.now)  # type: ignore[operator]
    ]
    for presence in ("inside", "possible"):
        of = {migrant for migrant, row in exposed.items() if row["presence"] == presence}
        group = figures.groups[presence]
        assert group.persons == len(of)
        assert group.households == len({household[migrant] for migrant in of})
        assert group.answered == len([migrant for migrant in of if told[migrant]])
        assert group.silent == len([migrant for migrant in of if not told[migrant]])
        assert group.need_help == len(of & need)
        assert group.contactable == len(of & reachable)
    firm = {row["migrant_id"] for row in candidates if row["firm"] and row["radius_class"] < 6}  # type: ignore[operator]
    turkey = {row["migrant_id"] for row in candidates if row["country"] == "TUR"}
    assert figures.groups["unknown"].persons == len(turkey - firm - exposed.keys())
    assert figures.coverage[0].registered == len(turkey)
    assert figures.total.persons == sum(group.persons for group in figures.groups.values())
    assert sum(row.inside + row.possible for row in figures.by_severity) == len(exposed)
    seen = {(row["migrant_id"], row["location_id"]): row["observed_at"] for row in candidates}
    ages = [
        (world.now - seen[migrant, row["location_inside"] or row["location_possible"]]).total_seconds()  # type: ignore[operator]
        for migrant, row in exposed.items()
    ]
    assert figures.age is not None
    assert figures.age.persons == len(ages)
    assert figures.age.median_s == pytest.approx(median(ages), abs=1.0)


def test_a_post_sees_its_own_people_and_tells_no_share_of_a_country_it_shares(world: CrisisWorld) -> None:
    one = Principal("PHL", world.cell_id, (world.ankara,), frozenset({Role.CRISIS_CELL}), "test")
    with world.session("micic_app") as session:
        set_context(session, one.context())
        alone = queries.get_figures(session, one, world.event_id, now=world.now)
        set_context(session, world.officer.context())
        together = queries.get_figures(session, world.officer, world.event_id, now=world.now)
    assert alone.total.persons < together.total.persons
    assert [row.share for row in alone.coverage] == [None]
    assert alone.estimate is None
    assert all(row.share is not None for row in together.coverage)


def test_reading_people_needs_leave_and_purpose(world: CrisisWorld) -> None:
    no_purpose = world.officer.for_purpose("")
    responder = Principal("PHL", world.responder_id, (world.istanbul,), frozenset({Role.RESPONDER}), "test")
    with world.session("micic_app") as session:
        with pytest.raises(PurposeMissing):
            queries.list_people(session, no_purpose, world.event_id, now=world.now)
        for read in (queries.list_events, queries.list_held_alerts):
            with pytest.raises(NotPermitted):
                read(session, responder, now=world.now)
        with pytest.raises(NotFound):
            queries.get_event(session, world.officer, world.cell_id, now=world.now)


def test_an_estimate_is_a_rule_of_three_or_nothing() -> None:
    one = Coverage("TUR", registered=200, is_complete=True, low=500, best=800, high=1000)
    estimate = estimate_inside(50, (one,))
    assert estimate is not None
    assert (estimate.low, estimate.best, estimate.high) == (125, 200, 250)
    assert one.share == pytest.approx(0.25)
    assert estimate_inside(0, (one,)) is None
    assert estimate_inside(50, (one, Coverage("GRC", 10, True))) is None
    assert estimate_inside(50, (one, Coverage("GRC", 0, True))) == estimate
    assert estimate_inside(50, (Coverage("TUR", 200, False, 1, 2, 3),)) is None
    assert Coverage("TUR", 200, True, 100, 150, 300).share == 1.0
    more = estimate_inside(50, (Coverage("TUR", 200, True, 100, 150, 300),))
    assert more is not None
    assert more.low == 50  # never fewer than are known


def test_a_feed_is_dark_after_three_intervals() -> None:
    assert is_dark(None, 60, NOW)
    assert not is_dark(NOW - timedelta(seconds=180), 60, NOW)
    assert is_dark(NOW - timedelta(seconds=181), 60, NOW)
