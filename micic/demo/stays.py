"""Where the people of the demo world are heard to be: homes, trips, check-ins, reports, detention.

Plans stays and claims; ids come from the seeded chance. Knows no table.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from micic.demo.chance import Chance, Weighted
from micic.demo.people import Household, Person
from micic.demo.places import Atlas, Precision, Spot, Town, scatter
from micic.registry.locations import LocationDraft

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZERO = timedelta(0)
PRECISION = Weighted({Precision.PIN: 0.2, Precision.ADDRESS: 0.47, Precision.TOWN: 0.27, Precision.COUNTRY: 0.06})
TRIP_PRECISION = Weighted({Precision.ADDRESS: 0.6, Precision.TOWN: 0.4})
TRIPS = Weighted({"none": 0.925, "now": 0.035, "later": 0.03, "over": 0.01})
TRIP_ABROAD = Weighted({"": 0.6, "TUR": 0.2, "GRC": 0.2})
NEWS = Weighted({"none": 0.972, "check_in": 0.014, "third_party": 0.007, "officer": 0.0055, "detention": 0.0015})
STREETS = ("Garden", "Station", "Mill", "Harbour", "School", "Market", "Bridge", "Church", "Mosque", "Fountain")


@dataclass(frozen=True, slots=True)
class PlannedStay:
    """A residence or a leg of a trip. `address` as written, or None."""

    stay_id: uuid.UUID
    kind: str
    host_state: str
    place: str
    address: str | None
    from_at: datetime
    until_at: datetime | None


@dataclass(slots=True)
class Trail:
    """All that was heard of one person's whereabouts. `last` is the latest home or leg."""

    host_state: str
    stays: list[PlannedStay] = field(default_factory=list)
    claims: list[LocationDraft] = field(default_factory=list)
    last: Spot | None = None


@dataclass(frozen=True, slots=True)
class _Trip:
    town: Town
    from_at: datetime
    until_at: datetime
    booked_at: datetime


class Trails:
    """Lets the households of one State settle and travel."""

    def __init__(self, chance: Chance, atlas: Atlas, now: datetime) -> None:
        self.chance, self.atlas, self.now = chance, atlas, now

    def of(self, household: Household, registered_at: datetime, confirmed_at: datetime) -> tuple[Spot, list[Trail]]:
        """The home of a household and the trail of each of its members, in their order."""
        town = self.atlas.town(self.chance, household.host)
        home = self._spot(town, PRECISION)
        trails = [Trail(household.host) for _ in household.people]
        for person, trail in zip(household.people, trails, strict=True):
            self._settle(person, trail, home, registered_at, confirmed_at)
        self._travel(household, trails, town, registered_at)
        for person, trail in zip(household.people, trails, strict=True):
            self._hear(person, trail)
        return home, trails

    def _spot(self, town: Town, precisions: Weighted[Precision]) -> Spot:
        return self.atlas.spot(self.chance, town, self.chance.pick(precisions))

    # --- homes ---

    def _settle(
        self, person: Person, trail: Trail, home: Spot, registered_at: datetime, confirmed_at: datetime
    ) -> None:
        """Most members told their home themselves; the others are believed to be where the head is."""
        if person.lives_apart and person.relation != "self":
            home = self._spot(self.atlas.town(self.chance, home.town.country), PRECISION)
        elif person.relation != "self" and self.chance.happens(0.2):
            return
        if self.chance.happens(0.04) and confirmed_at - registered_at > 30 * DAY:
            old_home = self._spot(self.atlas.town(self.chance, home.town.country), TRIP_PRECISION)
            moved_at = self.chance.before(confirmed_at, DAY, 29 * DAY)
            self._reside(trail, old_home, registered_at, moved_at)
            registered_at = moved_at
        self._reside(trail, home, confirmed_at, None, since=registered_at)

    def _reside(
        self, trail: Trail, spot: Spot, told_at: datetime, until: datetime | None, since: datetime | None = None
    ) -> None:
        trail.last = spot
        if spot.position is None and self.chance.happens(0.7):
            trail.claims.append(self._claim("jurisdiction", spot, told_at, told_at, until))
            return
        stay = self._stay("residence", spot, since or told_at, until)
        trail.stays.append(stay)
        trail.claims.append(self._claim("residence", spot, told_at, told_at, until, stay))

    def _stay(self, kind: str, spot: Spot, from_at: datetime, until_at: datetime | None) -> PlannedStay:
        is_exact = spot.accuracy_m is not None and spot.accuracy_m < spot.town.radius_m
        address = f"{self.chance.randrange(1, 200)} {self.chance.choice(STREETS)} Street, {spot.town.name}"
        return PlannedStay(
            stay_id=self.chance.new_id(from_at if from_at < self.now else self.now - DAY),
            kind=kind,
            host_state=spot.town.country,
            place="" if spot.position is None else spot.town.name,
            address=address if is_exact else None,
            from_at=from_at,
            until_at=until_at,
        )

    def _claim(
        self,
        source: str,
        spot: Spot,
        observed_at: datetime,
        valid_from: datetime,
        valid_until: datetime | None = None,
        stay: PlannedStay | None = None,
    ) -> LocationDraft:
        return LocationDraft(
            source=source,
            country=spot.town.country,
            position=spot.position,
            accuracy_m=spot.accuracy_m,
            observed_at=observed_at,
            valid_from=valid_from,
            valid_until=valid_until,
            stay_id=stay.stay_id if stay else None,
        )

    # --- trips ---

    def _travel(self, household: Household, trails: list[Trail], home: Town, registered_at: datetime) -> None:
        """A few are on a trip, a few will be, a few were: the whole household, or one adult of it."""
        stage = self.chance.pick(TRIPS)
        if stage == "none":
            return
        trip = self._trip(stage, home, registered_at)
        adults = [i for i, person in enumerate(household.people) if person.is_adult] or [0]
        travellers = range(len(trails)) if self.chance.happens(0.4) else [self.chance.choice(adults)]
        spot = self._spot(trip.town, TRIP_PRECISION)
        arrived = stage == "now" and self.chance.happens(0.4)
        for index in travellers:
            stay = self._stay("trip_leg", spot, trip.from_at, trip.until_at)
            claim = self._claim("trip_leg", spot, trip.booked_at, trip.from_at, trip.until_at, stay)
            trails[index].stays.append(stay)
            trails[index].claims.append(claim)
            if stage == "now":
                trails[index].last = spot
            if arrived:
                at = self.now - (self.now - trip.from_at) * self.chance.random() ** 2
                self._check_in(trails[index], spot, at.replace(microsecond=0))

    def _trip(self, stage: str, home: Town, registered_at: datetime) -> _Trip:
        """Out of the stricken towns, or into them, or to any town of another host in the neighbourhood."""
        country = self.chance.pick(TRIP_ABROAD) or home.country
        goes_there = not home.is_stricken and self.chance.happens(0.5)
        town = self.atlas.stricken_town(self.chance) if goes_there else self.atlas.town(self.chance, country)
        days = {"now": (-12, -1), "later": (1, 60), "over": (-90, -16)}[stage]
        from_at = (self.now + self.chance.uniform(*days) * DAY).replace(microsecond=0)
        low, high = (14, 30) if stage == "now" else (2, 14)
        until_at = from_at + self.chance.randrange(low, high) * DAY
        booked_at = self.chance.before(min(from_at, self.now), ZERO, 20 * DAY)
        return _Trip(town, from_at, until_at, max(booked_at, registered_at))

    # --- what was heard lately ---

    def _hear(self, person: Person, trail: Trail) -> None:
        spot = trail.last
        if spot is None:
            return
        match self.chance.pick(NEWS):
            case "check_in" if person.is_adult:
                self._check_in(trail, spot, self.chance.before(self.now, HOUR / 2, 80 * HOUR))
            case "third_party":
                told = spot if self.chance.happens(0.5) else self._elsewhere(spot)
                self._observe(trail, "third_party", self._around(told, 5_000.0), HOUR, 9 * DAY)
            case "officer":
                self._observe(trail, "officer", self._around(spot, 1_000.0), HOUR, 5 * DAY)
            case "detention":
                self._observe(trail, "detention", self._around(self._elsewhere(spot), 500.0), 2 * DAY, 200 * DAY)

    def _observe(self, trail: Trail, source: str, seen: Spot, low: timedelta, high: timedelta) -> None:
        at = self.chance.before(self.now, low, high)
        trail.claims.append(self._claim(source, seen, at, at))

    def _check_in(self, trail: Trail, spot: Spot, at: datetime) -> None:
        seen = self._around(spot, self.chance.choice((20.0, 50.0, 200.0, 1_000.0)))
        trail.claims.append(self._claim("check_in", seen, at, at))

    def _around(self, spot: Spot, accuracy_m: float) -> Spot:
        """Where somebody said to be at a spot is seen: no further from it than the telling was unsure."""
        if spot.position is None or spot.accuracy_m is None or spot.accuracy_m >= spot.town.radius_m:
            return Spot(spot.town, self.atlas.near(self.chance, spot.town), accuracy_m)
        return Spot(spot.town, scatter(self.chance, spot.position, spot.accuracy_m / 3), accuracy_m)

    def _elsewhere(self, spot: Spot) -> Spot:
        return self.atlas.spot(self.chance, self.atlas.town(self.chance, spot.town.country), Precision.TOWN)
