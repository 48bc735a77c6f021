"""The posts of the demo world, where they serve, and who works there. Real towns, invented posts and people.

Writes as `micic_app`; the caller sets the context and commits.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon, Point, Polygon
from sqlalchemy.orm import Session

from geo.columns import SRID
from geo.coordinates import Position
from micic.demo.chance import Chance
from micic.demo.names import Sex
from micic.demo.people import GULF, Names
from micic.posts.models import ConsularPost, Jurisdiction, PostKey, Staff, StaffRole
from micic.security.crypto import MasterKeys, new_key
from micic.security.principal import Role

FOUNDED = datetime(2019, 7, 1, tzinfo=UTC)  # the time inside the ids of posts and staff, which know no `now`
STATES = {"PHL": "Philippines", "MAR": "Morocco"}
STAFF_LANGUAGES = {"PHL": ("en",), "MAR": ("fr", "ar", "fr", "en")}
LOGINS = {"officer": Role.OFFICER, "cell": Role.CRISIS_CELL, "approver": Role.APPROVER, "operator": Role.OPERATOR}

# The provinces round the Sea of Marmara, roughly; the sea and a margin on the shores with them.
MARMARA = MultiPolygon([Polygon([
    (25.50, 39.60), (25.55, 40.45), (26.00, 40.75), (26.02, 41.35), (26.28, 41.75), (26.55, 42.00), (27.00, 42.15),
    (28.20, 42.10), (29.50, 41.50), (30.90, 41.35), (31.05, 40.90), (30.95, 40.40), (30.10, 39.75), (29.00, 39.60),
    (28.00, 39.15), (26.90, 39.20), (26.30, 39.35)])])  # fmt: skip


@dataclass(frozen=True, slots=True)
class PostPlan:
    """A post: `town` is the second half of its logins; `serves` are countries, `part` a part of the first."""

    town: str
    name: str
    kind: str
    country: str
    position: Position
    time_zone: str
    languages: tuple[str, ...]
    serves: tuple[str, ...]
    part: MultiPolygon | None = None
    confirm_interval_days: int = 180


def _plan(
    name: str, kind: str, country: str, lat: float, lon: float, zone: str, languages: str, serves: str
) -> PostPlan:
    town = name.rsplit(" ", 1)[-1] if not name.endswith("Abu Dhabi") else "AbuDhabi"
    part = MARMARA if town == "Istanbul" else None
    interval = 365 if country in GULF else 180  # contracts there run for years
    at, tags, countries = Position(lat, lon), tuple(languages.split()), tuple(serves.split())
    return PostPlan(town.lower(), name, kind, country, at, zone, tags, countries, part, interval)


# The capital serves its own country and the hosts where the State has no post.
POSTS: dict[str, tuple[PostPlan, ...]] = {
    "PHL": (
        _plan("Crisis cell, Manila", "capital", "PHL", 14.556, 120.994, "Asia/Manila", "en tl", "PHL FRA ESP"),
        _plan("Embassy in Ankara", "embassy", "TUR", 39.899, 32.862, "Europe/Istanbul", "en tl tr", "TUR"),
        _plan("Consulate General in Istanbul", "consulate_general", "TUR", 41.062, 29.008, "Europe/Istanbul",
              "en tl tr", "TUR"),
        _plan("Embassy in Athens", "embassy", "GRC", 38.004, 23.776, "Europe/Athens", "en tl el", "GRC CYP"),
        _plan("Embassy in Rome", "embassy", "ITA", 41.932, 12.483, "Europe/Rome", "en tl it", "ITA"),
        _plan("Embassy in Riyadh", "embassy", "SAU", 24.681, 46.623, "Asia/Riyadh", "en tl ar", "SAU"),
        _plan("Embassy in Abu Dhabi", "embassy", "ARE", 24.428, 54.418, "Asia/Dubai", "en tl ar", "ARE"),
    ),
    "MAR": (
        _plan("Crisis cell, Rabat", "capital", "MAR", 34.018, -6.836, "Africa/Casablanca", "fr ar", "MAR SAU ARE"),
        _plan("Embassy in Ankara", "embassy", "TUR", 39.894, 32.864, "Europe/Istanbul", "fr ar tr", "TUR"),
        _plan("Consulate General in Istanbul", "consulate_general", "TUR", 41.047, 28.990, "Europe/Istanbul",
              "fr ar tr", "TUR"),
        _plan("Embassy in Athens", "embassy", "GRC", 38.016, 23.796, "Europe/Athens", "fr ar el", "GRC CYP"),
        _plan("Embassy in Rome", "embassy", "ITA", 41.912, 12.501, "Europe/Rome", "fr ar it", "ITA"),
        _plan("Embassy in Madrid", "embassy", "ESP", 40.452, -3.680, "Europe/Madrid", "fr ar es", "ESP"),
        _plan("Embassy in Paris", "embassy", "FRA", 48.859, 2.286, "Europe/Paris", "fr ar", "FRA"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """Whom one can sign in as; the password is the one that was given to the demo."""

    state: str
    login: str
    role: str
    post: str


def demo_logins() -> tuple[DemoLogin, ...]:
    """All of them, whether or not the world was built."""
    return tuple(
        DemoLogin(state, f"{name}.{post.town}", role.value, post.name)
        for state, posts in POSTS.items()
        for post in posts
        for name, role in LOGINS.items()
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """One jurisdiction, as `micic/registry/serving.sql` reads it."""

    jurisdiction_id: uuid.UUID
    post_id: uuid.UUID
    country: str
    area: MultiPolygon | None


class FoundedPosts:
    """The ids of the posts of one State, known from the seed, and the rule of who serves a place."""

    def __init__(self, seed: int, state: str) -> None:
        chance = Chance(f"{seed}:{state}:posts")
        self.state = state
        self.plans = {chance.new_id(FOUNDED): plan for plan in POSTS[state]}
        self.serving = sorted(_jurisdictions(chance, self.plans), key=_smallest_first)
        self.capital = next(iter(self.plans))

    def serving_post(self, country: str, position: Position | None) -> uuid.UUID | None:
        """What `micic.registry.locations.find_serving_post` gives for these posts."""
        for one in self.serving:
            if one.country == country and (one.area is None or (position and _holds(one.area, position))):
                return one.post_id
        return None


def _jurisdictions(chance: Chance, plans: dict[uuid.UUID, PostPlan]) -> Iterable[Serving]:
    for post_id, plan in plans.items():
        for country in plan.serves:
            yield Serving(chance.new_id(FOUNDED), post_id, country, plan.part)


def _smallest_first(one: Serving) -> tuple[float, uuid.UUID]:
    return (float("inf") if one.area is None else one.area.area), one.jurisdiction_id


def _holds(area: MultiPolygon, position: Position) -> bool:
    return bool(area.intersects(Point(position.lon, position.lat)))


def found_posts(session: Session, seed: int, state: str, master: MasterKeys, password_hash: str) -> FoundedPosts:
    """Add the posts of a State with their keys, jurisdictions and staff. Every login has the same password."""
    founded = FoundedPosts(seed, state)
    for post_id, plan in founded.plans.items():
        session.add(_post(state, post_id, plan))
        wrapped, key_id = master.wrap_post_key(post_id, new_key())
        session.add(PostKey(registering_state=state, post_id=post_id, wrapped_key=wrapped, master_key_id=key_id))
    session.flush()
    session.add_all(_jurisdiction(state, one) for one in founded.serving)
    _employ(session, seed, founded, password_hash)
    session.flush()
    return founded


def _post(state: str, post_id: uuid.UUID, plan: PostPlan) -> ConsularPost:
    return ConsularPost(
        registering_state=state,
        post_id=post_id,
        name=plan.name,
        kind=plan.kind,
        country=plan.country,
        position=from_shape(Point(plan.position.lon, plan.position.lat), srid=SRID),
        time_zone=plan.time_zone,
        languages=list(plan.languages),
        confirm_interval_days=plan.confirm_interval_days,
    )


def _jurisdiction(state: str, one: Serving) -> Jurisdiction:
    return Jurisdiction(
        registering_state=state,
        jurisdiction_id=one.jurisdiction_id,
        post_id=one.post_id,
        country=one.country,
        area=None if one.area is None else from_shape(one.area, srid=SRID),
    )


def _employ(session: Session, seed: int, founded: FoundedPosts, password_hash: str) -> None:
    """Four people at each post; those of the capital act for every post of the State."""
    state = founded.state
    chance, names = Chance(f"{seed}:{state}:staff"), Names([seed, len(founded.plans)])
    roles: list[StaffRole] = []
    for post_id, plan in founded.plans.items():
        places = founded.plans if post_id == founded.capital else [post_id]
        for login, role in LOGINS.items():
            name = names.next(state, chance.choice((Sex.MALE, Sex.FEMALE)))
            staff_id = chance.new_id(FOUNDED)
            session.add(
                Staff(
                    registering_state=state,
                    staff_id=staff_id,
                    login=f"{login}.{plan.town}",
                    display_name=f"{name.given} {name.family}",
                    password_hash=password_hash,
                    language=chance.choice(STAFF_LANGUAGES[state]),
                )
            )
            roles += [
                StaffRole(registering_state=state, staff_id=staff_id, post_id=at, role=role.value) for at in places
            ]
    session.flush()
    session.add_all(roles)
