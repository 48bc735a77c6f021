"""What is written: exposures against a bare COPY, and the revision of an alert against naive new pairs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import text

from micic.exposure.service import cross_message
from tests.benchmarks import statements
from tests.benchmarks.goals import Goal, Wanted, judge
from tests.benchmarks.ground import NOW, STATE, Ground
from tests.benchmarks.statements import Stored, store_zone
from tests.benchmarks.timing import Clock, Side, take_turns
from tests.benchmarks.zones import COUNTRY, FLOOD, SHAKEMAP, make_zone

# Identical but for row-level security, under which PostgreSQL refuses COPY: the baseline is spared the checks.
COPIES = """
create table baseline_exposure (like exposure including all) partition by hash (event_id);
create table baseline_exposure_change (like exposure_change including all);
grant insert on baseline_exposure, baseline_exposure_change to micic_worker
"""
PARTITION = """
create table baseline_exposure_p{0} partition of baseline_exposure for values with (modulus 16, remainder {0})
"""
TABLES = ("exposure", "exposure_change")


def measure_exposures(ground: Ground) -> Iterator[Goal]:
    """A zone crossed for the first time: everybody in it enters."""
    ground.superuser(*COPIES.split(";\n"), *(PARTITION.format(number) for number in range(16)))
    for shape in (SHAKEMAP, COUNTRY):
        with ground.session(keep=True) as session:
            zone = store_zone(session, make_zone(shape, ground.people), f"exposures {shape.name}")
            cross_message(session, STATE, zone.message_id, now=NOW)
        with ground.connect() as connection:
            written = {table: _copied_out(connection, table, zone) for table in TABLES}
        ground.clear_exposures()
        sides: dict[str, Side] = {
            "ours": _crosser(ground, zone),
            "both": _copier(ground, written),
            "exposure": _copier(ground, {"exposure": written["exposure"]}),
        }
        samples = take_turns(sides, rounds=ground.rounds(5), between=lambda: _clear(ground), budget_s=30.0)
        for baseline, key, wanted in (
            ("COPY of the exposures and the changes", "both", Wanted(at_most=1.5)),
            ("COPY of the exposures alone", "exposure", None),
        ):
            yield judge(
                "exposures",
                f"{shape.name}: exposures written",
                baseline,
                samples["ours"],
                samples[key],
                scale=ground.scale,
                wanted=wanted,
                reason="a quarter of the time finds the pairs and the best zone of each person; the insertion itself"
                " takes 1.3 times the COPY, since COPY is refused under row-level security",
            )


def _copied_out(connection: psycopg.Connection[Any], table: str, zone: Stored) -> bytes:
    statement = f"copy (select * from {table} where event_id = '{zone.event_id}' order by migrant_id) to stdout binary"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        return b"".join(bytes(chunk) for chunk in copy)


def _clear(ground: Ground) -> None:
    ground.clear_exposures()
    ground.superuser("truncate baseline_exposure, baseline_exposure_change")


def _crosser(ground: Ground, zone: Stored, at: timedelta = timedelta(0)) -> Side:
    """The real thing, through the service, rolled back."""

    def cross(clock: Clock) -> object:
        with ground.session() as session, clock.measure():
            result = cross_message(session, STATE, zone.message_id, now=NOW + at)
            return result is not None and sorted(result.counts.get(zone.event_id, {}).items())

    return cross


def _copier(ground: Ground, written: dict[str, bytes]) -> Side:
    def copy_in(clock: Clock) -> object:
        with (
            ground.connect("micic_worker") as connection,
            connection.transaction(force_rollback=True),
            clock.measure(),
        ):
            for table, rows in written.items():
                statement = f"copy baseline_{table} from stdin (format binary)"
                with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                    copy.write(rows)
        return None

    return copy_in


def measure_revision(ground: Ground) -> Iterator[Goal]:
    """A second version moves and grows a zone whose exposures are stored."""
    for shape in (FLOOD, SHAKEMAP):
        name = f"revision {shape.name}"
        later = timedelta(minutes=10)
        with ground.session(keep=True) as session:
            first = store_zone(session, make_zone(shape, ground.people), name)
            cross_message(session, STATE, first.message_id, now=NOW)
        with ground.session(keep=True) as session:
            area = make_zone(shape, ground.people, grow=1.05, move=0.04)
            second = store_zone(session, area, name, version=2, at=NOW + later)
        ground.superuser("vacuum analyze exposure")
        yield _compared(ground, shape.name, second, later)
        yield _revised(ground, shape.name, second, later)
        ground.clear_exposures()


REVISION = (
    "finding the new pairs is the smaller part on both sides: reading, sorting and comparing with what is stored, and"
    " writing, cost both the same"
)


def _compared(ground: Ground, name: str, zone: Stored, later: timedelta) -> Goal:
    """Who entered, left, changed: told, not written; inside only, since the naive way knows no more."""

    def side(pairs: str) -> Side:
        statement = statements.changes(pairs, inside_only=True)

        def compare(clock: Clock) -> object:
            with ground.session() as session, clock.measure():
                values = statements.parameters(zone.event_id, at=NOW + later)
                return [tuple(row) for row in session.execute(text(statement), values)]

        return compare

    samples = take_turns(
        {
            "ours": side("pairs_by_zone.sql"),
            "naive": side(statements.NAIVE_PAIRS),
        },
        rounds=ground.rounds(7),
        budget_s=15.0,
    )
    ours, naive = samples["ours"], samples["naive"]
    return judge(
        "revision",
        f"{name}: revision compared, inside",
        "stored old + naive new, ST_Intersects + GiST",
        ours,
        naive,
        scale=ground.scale,
        wanted=Wanted(at_least=10),
        agree=naive.is_cut or _alike(ground, ours.found, naive.found),
        reason=REVISION,
    )


def _alike(ground: Ground, ours: object, naive: object) -> bool:
    """The same changes with nearly the same counts: the boundary counts as in for us, whatever rounding does."""
    assert isinstance(ours, list)
    assert isinstance(naive, list)
    mine, theirs = dict(ours), dict(naive)
    return all(ground.is_close(mine.get(change, 0), theirs.get(change, 0)) for change in mine | theirs)


def _revised(ground: Ground, name: str, zone: Stored, later: timedelta) -> Goal:
    """The whole of it: inside and possible, everything written."""
    statement = statements.crossing(statements.naive_pairs_of_both(zone))

    def naive(clock: Clock) -> object:
        with ground.session() as session, clock.measure():
            values = statements.parameters(zone.event_id, at=NOW + later)
            return session.execute(text(statement), values).all()

    samples = take_turns(
        {"ours": _crosser(ground, zone, later), "naive": naive},
        rounds=ground.rounds(5),
        between=lambda: ground.superuser("vacuum exposure", "vacuum exposure_change"),
        budget_s=10.0,
    )
    return judge(
        "revision",
        f"{name}: revision crossed and written",
        "stored old + naive new, ST_DWithin(geography)",
        samples["ours"],
        samples["naive"],
        scale=ground.scale,
        wanted=Wanted(at_least=10),
        reason=REVISION,
    )
