"""The whereabouts: where each person may be, how sure, from when until when (RULES 1). One set-based statement.

`candidates` is the same rule for one person at one instant, in plain Python: the statement's slow twin, used by
tests and by whoever wants to read the rule.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.coordinates import Position, distance_m
from geo.database import read_statement

RADIUS_M = {1: 50.0, 2: 500.0, 3: 5_000.0, 4: 25_000.0, 5: 100_000.0}
COUNTRY_CLASS = 6
OBSERVATIONS = frozenset({"check_in", "officer", "detention", "vessel", "flight"})


def radius_class(accuracy_m: float | None) -> int:
    """The smallest class whose radius holds `accuracy_m` (metres); without an accuracy, the country (6)."""
    if accuracy_m is None:
        return COUNTRY_CLASS
    return next((name for name, radius in RADIUS_M.items() if accuracy_m <= radius), COUNTRY_CLASS)


@dataclass(frozen=True)
class Freshness:
    """For how long an observation is fresh, per source."""

    check_in: timedelta = timedelta(hours=24)
    officer: timedelta = timedelta(hours=48)
    third_party: timedelta = timedelta(hours=48)


DEFAULT_FRESHNESS = Freshness()


@dataclass(frozen=True)
class Derivation:
    """How many persons were looked at, and how many rows of whereabouts that wrote and deleted."""

    persons: int
    written: int
    deleted: int


def derive(
    session: Session,
    state: str,
    migrant_ids: Sequence[uuid.UUID] | None = None,
    *,
    freshness: Freshness = DEFAULT_FRESHNESS,
) -> Derivation:
    """Make the whereabouts of these persons and their households (None: of everybody) equal to their locations."""
    row = session.execute(
        text(read_statement(__package__, "whereabouts.sql")),
        {
            "state": state,
            "migrants": None if migrant_ids is None else list(migrant_ids),
            "check_in": freshness.check_in,
            "officer": freshness.officer,
            "third_party": freshness.third_party,
        },
    ).one()
    return Derivation(*row)


@dataclass(frozen=True)
class Claim:
    """A location as the twin sees it."""

    location_id: uuid.UUID
    source: str
    position: Position | None
    radius_class: int
    country: str
    observed_at: datetime
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True)
class Candidate:
    """A place where a person may be at an instant."""

    claim: Claim
    firm: bool


def candidates(
    claims: Sequence[Claim], at: datetime, *, confirm_interval: timedelta, freshness: Freshness = DEFAULT_FRESHNESS
) -> list[Candidate]:
    """The candidates of one person at `at`, from their claims that were not retracted."""
    return _Judgement(claims, at, confirm_interval, freshness).candidates()


class _Judgement:
    """The rule for one person at one instant."""

    def __init__(
        self, claims: Sequence[Claim], at: datetime, confirm_interval: timedelta, freshness: Freshness
    ) -> None:
        self.claims, self.at = claims, at
        self.confirm_interval, self.freshness = confirm_interval, freshness
        self.standing = [claim for claim in claims if self._is_standing(claim)]
        fine = [c for c in claims if c.source in OBSERVATIONS and c.radius_class <= 4 and c.observed_at <= at]
        self.latest = max(fine, key=lambda c: (c.observed_at, c.location_id.hex), default=None)
        self.latest_fresh = self.latest is not None and self._fresh_until(self.latest) > at
        confirmed = [c.observed_at for c in claims if c.source == "residence" and c.observed_at <= at]
        self.home_confirmed_at = max(confirmed, default=None)
        self.journey_shown = any(c.source == "trip_leg" and self._shows_journey(c) for c in self.standing)

    def candidates(self) -> list[Candidate]:
        found = [Candidate(claim, self._is_firm(claim)) for claim in self.standing if self._is_candidate(claim)]
        better = [candidate for candidate in found if candidate.claim.source != "jurisdiction"]
        return better or found

    def _is_standing(self, claim: Claim) -> bool:
        if claim.source in OBSERVATIONS or claim.source == "third_party":
            return claim.observed_at <= self.at
        return claim.valid_from <= self.at and (claim.valid_until is None or claim.valid_until > self.at)

    def _fresh_until(self, claim: Claim) -> datetime:
        forever = datetime.max.replace(tzinfo=self.at.tzinfo)
        match claim.source:
            case "check_in":
                return claim.observed_at + self.freshness.check_in
            case "officer":
                return claim.observed_at + self.freshness.officer
            case "third_party":
                return claim.observed_at + self.freshness.third_party
            case "detention":
                return forever
            case "residence":
                return claim.observed_at + self.confirm_interval
            case _:
                return claim.valid_until or forever

    def _touches(self, one: Claim, other: Claim) -> bool | None:
        """Whether the discs touch; None when a place is not known."""
        if one.position is None or other.position is None:
            return None
        reach = RADIUS_M[one.radius_class] + RADIUS_M[other.radius_class]
        return distance_m(one.position, other.position) <= reach

    def _touches_latest(self, claim: Claim) -> bool | None:
        return None if self.latest is None else self._touches(self.latest, claim)

    def _shows_journey(self, leg: Claim) -> bool:
        return (
            self.latest is not None and self.latest.observed_at >= leg.valid_from and self._touches_latest(leg) is True
        )

    def _is_outlived(self, claim: Claim) -> bool:
        return self.home_confirmed_at is not None and self.home_confirmed_at >= self._fresh_until(claim)

    def _report_stands(self, report: Claim) -> bool:
        overtaken = self.latest is not None and self.latest.observed_at >= report.observed_at
        return not overtaken and not self._is_outlived(report)

    def _is_candidate(self, claim: Claim) -> bool:
        if claim.source in OBSERVATIONS:
            if self.latest is not None and claim.location_id == self.latest.location_id:
                return self.latest_fresh or not self._is_outlived(claim)
            overtaken = self.latest is not None and self.latest.observed_at > claim.observed_at
            return claim.radius_class >= 5 and not overtaken and not self._is_outlived(claim)
        if claim.source == "third_party":
            return self._report_stands(claim)
        if self.latest_fresh:
            return False
        if claim.source == "residence":
            newest = max(
                (c for c in self.standing if c.source == "residence"),
                key=lambda c: (c.observed_at, c.location_id.hex),
            )
            return claim == newest and not self.journey_shown
        return True

    def _is_firm(self, claim: Claim) -> bool:
        if claim.source in OBSERVATIONS:
            return self.latest_fresh and self.latest is not None and claim.location_id == self.latest.location_id
        if claim.source == "trip_leg":
            return self._shows_journey(claim)
        return claim.source == "residence" and self._is_firm_residence(claim)

    def _is_firm_residence(self, home: Claim) -> bool:
        if self._fresh_until(home) <= self.at or any(c.source == "trip_leg" for c in self.standing):
            return False
        latest = self.latest
        if latest is not None and latest.observed_at > home.observed_at and self._touches_latest(home) is False:
            return False
        return not any(
            c.source == "third_party"
            and c.observed_at > home.observed_at
            and self._report_stands(c)
            and self._touches(c, home) is False
            for c in self.standing
        )
