"""Who is in a zone: the cover against `ST_Intersects`, `ST_Subdivide` and `ST_DWithin(geography)`."""

from collections.abc import Iterator

from sqlalchemy import text

from micic.exposure.service import cross_message
from tests.benchmarks import statements
from tests.benchmarks.goals import Goal, Wanted, judge
from tests.benchmarks.ground import NOW, STATE, Ground
from tests.benchmarks.statements import Stored, store_zone
from tests.benchmarks.timing import Clock, Side, take_turns
from tests.benchmarks.zones import COUNTRY, FLOOD, SHAKEMAP, SHAPES, TINY, Shape, make_zone

WHOLE = "ST_Intersects + GiST"
PIECES = "ST_Subdivide(64) + GiST"
METRES = "ST_DWithin(geography), bounded + GiST"

WANTED = {
    SHAKEMAP.name: Wanted(at_least=7),
    COUNTRY.name: Wanted(at_least=10),
    FLOOD.name: Wanted(at_least=30),
    TINY.name: Wanted(at_most=1.1),
}
REASONS = {
    SHAKEMAP.name: "the baseline reads the same table in the same order; of our time three fifths only read the ranges"
    " (four classes a cell), a quarter is planning",
    COUNTRY.name: "the baseline reads the same table in the same order; half of our time only reads the rows",
    FLOOD.name: "half of our time tests the people of the edge cells, of whom a fifth are inside: 256 cells are few for"
    " so long an edge",
    TINY.name: "planning and the ranges of 71 cells in four classes take longer than the plain query as a whole; tiny"
    " zones are not routed to it, since no GiST index can be reached under row-level security",
}
MADE = "; making and storing the cover costs the same however many people there are"


def measure_crossing(ground: Ground) -> Iterator[Goal]:
    """One zone: counted with its cover stored, with the cover made for it, and crossed with all that is written."""
    for shape in SHAPES:
        with ground.session(keep=True) as session:
            zone = store_zone(session, make_zone(shape, ground.people), f"crossing {shape.name}")
        ground.superuser(
            f"insert into baseline_piece select zone_id, st_subdivide(geometry, 64) from zone"
            f" where zone_id = '{zone.zone_id}'",
            "analyze baseline_piece",
            "analyze zone_cell",
        )
        yield from _counted(ground, shape, zone)
        yield _written(ground, shape, zone)
        ground.clear_exposures()


def _counted(ground: Ground, shape: Shape, zone: Stored) -> Iterator[Goal]:
    sides: dict[str, Side] = {
        "ours": _counter(ground, statements.pairs_inside(), zone),
        "cover": _with_cover(ground, zone),
        "whole": _counter(ground, statements.WHOLE, zone),
        "pieces": _counter(ground, statements.SUBDIVIDED, zone),
    }
    samples = take_turns(sides, rounds=ground.rounds(7))
    ours, made = samples["ours"], samples["cover"]
    wanted, reason = WANTED[shape.name], REASONS[shape.name]
    pieces = wanted if shape is TINY else Wanted(at_least=1)
    for name, sample in (("count, cover stored", ours), ("count, cover made for it", made)):
        for baseline, key, goal in ((WHOLE, "whole", wanted), (PIECES, "pieces", pieces)):
            theirs = samples[key]
            agree = ground.is_close(sample.found, theirs.found)
            yield judge(
                "crossing",
                f"{shape.name}: {name}",
                baseline,
                sample,
                theirs,
                scale=ground.scale,
                wanted=goal,
                agree=theirs.is_cut or agree,
                reason=reason + (MADE if sample is made else ""),
            )


def _written(ground: Ground, shape: Shape, zone: Stored) -> Goal:
    """The full statement, through the service, against the same statement with naive pairs."""
    statement = statements.crossing(statements.naive_pairs_of_both(zone))

    def ours(clock: Clock) -> object:
        with ground.session() as session, clock.measure():
            result = cross_message(session, STATE, zone.message_id, now=NOW)
            return result is not None and result.changed

    def naive(clock: Clock) -> object:
        with ground.session() as session, clock.measure():
            return session.execute(text(statement), statements.parameters(zone.event_id)).all()

    samples = take_turns(
        {"ours": ours, "naive": naive}, rounds=ground.rounds(5), between=ground.clear_exposures, budget_s=10.0
    )
    return judge(
        "crossing",
        f"{shape.name}: crossed and written",
        "the same, pairs by ST_Intersects and ST_DWithin",
        samples["ours"],
        samples["naive"],
        scale=ground.scale,
    )


def _counter(ground: Ground, statement: str, zone: Stored) -> Side:
    def count(clock: Clock) -> object:
        with ground.session() as session:
            values = statements.parameters(zone.event_id) | {"zone": zone.zone_id}
            with clock.measure():
                return session.execute(text(statement), values).scalar()

    return count


def _with_cover(ground: Ground, zone: Stored) -> Side:
    statement = statements.pairs_inside()

    values = statements.parameters(zone.event_id) | {"zone": zone.zone_id}

    def count(clock: Clock) -> object:
        with ground.session() as session:
            session.execute(text("delete from zone_cell where zone_id = :zone and radius_class = 0"), values)
            with clock.measure():
                statements.stage_cover(session, zone)
                return session.execute(text(statement), values).scalar()

    return count


def measure_certainty(ground: Ground) -> Iterator[Goal]:
    """Inside and possible, by the covers of the radius classes, against metres on the spheroid."""
    for shape in (SHAKEMAP, FLOOD, TINY):
        with ground.session(keep=True) as session:
            zone = store_zone(session, make_zone(shape, ground.people), f"certainty {shape.name}")
        sides: dict[str, Side] = {
            "ours": _counter(ground, statements.pairs_of_both(), zone),
            "metres": _counter(ground, statements.within_metres(zone), zone),
        }
        samples = take_turns(sides, rounds=ground.rounds(3), budget_s=12.0)
        ours, metres = samples["ours"], samples["metres"]
        yield judge(
            "certainty",
            f"{shape.name}: inside and possible",
            METRES,
            ours,
            metres,
            scale=ground.scale,
            wanted=Wanted(at_least=100),
            agree=metres.is_cut or ground.is_close(ours.found, metres.found, by=0.15),
            reason="boxes for each class leave the baseline few people to measure, and it too reads a table in order",
        )
