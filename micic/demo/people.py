"""The people of the demo world: households with their members, of several nationalities, ages and languages.

All invented by chance from a seed. Knows neither places nor tables.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from micic.demo.chance import Chance, Weighted
from micic.demo.names import PersonName, Sex, family_name_from, make_people, nationalities

ADULT_YEARS = 18

# What kinds of households there are, by region of work.
IN_THE_GULF = Weighted({"alone": 0.60, "live_in": 0.21, "couple": 0.08, "family": 0.09, "one_parent": 0.02})
ELSEWHERE = Weighted(
    {"alone": 0.36, "live_in": 0.14, "couple": 0.15, "family": 0.25, "one_parent": 0.06, "old": 0.036, "minor": 0.004}
)
OF_FAMILIES = Weighted(
    {"alone": 0.30, "live_in": 0.02, "couple": 0.17, "family": 0.39, "one_parent": 0.05, "old": 0.066, "minor": 0.004}
)
CHILDREN = Weighted({1: 0.40, 2: 0.33, 3: 0.19, 4: 0.08})

WOMEN = {"PHL": 0.62, "MAR": 0.38}  # share among heads
FOREIGN_SPOUSES = {"PHL": 0.20, "MAR": 0.14}
LANGUAGES: dict[str, Weighted[str]] = {
    "PHL": Weighted({"tl": 0.62, "en": 0.38}),
    "MAR": Weighted({"ar": 0.60, "fr": 0.37, "en": 0.03}),
    "TUR": Weighted({"tr": 1.0}),
    "GRC": Weighted({"el": 1.0}),
    "ITA": Weighted({"it": 1.0}),
    "ETH": Weighted({"am": 0.8, "en": 0.2}),
    "IND": Weighted({"hi": 0.5, "en": 0.5}),
    "CHN": Weighted({"zh": 1.0}),
}
ENTRUSTED_NATION = "ETH"  # whose people some posts look after where it has no post of its own
GULF = ("SAU", "ARE")


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `nationalities` (ISO 3166-1 alpha-3): none for a stateless person. `age` in years."""

    family_name: str
    given_names: str
    family_name_original: str | None
    given_names_original: str | None
    sex: Sex
    age: float
    nationalities: tuple[str, ...]
    language: str
    category: str = "national"
    relation: str = "self"
    lives_apart: bool = False
    protected: bool = False
    state_of_record: str = "registered"

    @property
    def is_adult(self) -> bool:
        """Whether the person is of age."""
        return self.age >= ADULT_YEARS


@dataclass(frozen=True, slots=True)
class Household:
    """People who are served together; the head first."""

    kind: str
    host: str
    people: tuple[Person, ...]


class Names:
    """An endless stream of names per nationality and sex."""

    def __init__(self, seed: list[int]) -> None:
        self._rng = np.random.default_rng(seed)
        self._streams: dict[tuple[str, Sex], Iterator[PersonName]] = {}

    def next(self, nationality: str, sex: Sex) -> PersonName:
        """A name from the book of a nationality. Raises KeyError where there is none."""
        key = nationality, sex
        if key not in self._streams:
            self._streams[key] = self._stream(nationality, sex)
        return next(self._streams[key])

    def _stream(self, nationality: str, sex: Sex) -> Iterator[PersonName]:
        while True:
            yield from make_people(self._rng, 256, nationality, np.full(256, sex))


class Families:
    """Makes the households of one registering State."""

    def __init__(self, chance: Chance, names: Names, state: str) -> None:
        self.chance, self.names, self.state = chance, names, state
        self._makers: dict[str, Callable[[str], list[Person]]] = {
            "alone": self._alone,
            "live_in": self._live_in,
            "couple": self._couple,
            "family": self._family,
            "one_parent": self._one_parent,
            "old": self._old,
            "minor": self._minor,
        }

    def make(self, host: str) -> Household:
        """A household in a host State."""
        of_families = OF_FAMILIES if self.state == "MAR" else ELSEWHERE
        kind = self.chance.pick(IN_THE_GULF if host in GULF else of_families)
        people = self._makers[kind](host)
        if self.chance.happens(0.01):
            people = [replace(person, state_of_record="returned") for person in people]
        elif len(people) > 1 and self.chance.happens(0.002):
            people[-1] = replace(people[-1], state_of_record="deceased")
        return Household(kind, host, tuple(people))

    # --- kinds of households ---

    def _alone(self, host: str) -> list[Person]:
        if self.chance.happens(0.003):
            return [self._entrusted_or_stateless()]
        return [self._head(host, self._age(36, 10, 19, 64))]

    def _live_in(self, host: str) -> list[Person]:
        """A domestic worker who lives where she works: always a household of her own."""
        head = self._head(host, self._age(38, 9, 21, 60), women=0.93)
        return [replace(head, lives_apart=True, protected=self.chance.happens(0.015))]

    def _couple(self, host: str) -> list[Person]:
        head = self._head(host, self._age(40, 12, 20, 75))
        return [head, self._spouse(host, head)]

    def _family(self, host: str) -> list[Person]:
        head = self._head(host, self._age(39, 7, 22, 58))
        spouse = self._spouse(host, head)
        spouse = replace(spouse, lives_apart=self.chance.happens(0.03))
        return [head, spouse, *self._children(host, head, spouse)]

    def _one_parent(self, host: str) -> list[Person]:
        head = self._head(host, self._age(36, 7, 21, 55), women=0.85)
        head = replace(head, protected=self.chance.happens(0.04))
        return [head, *self._children(host, head, None)]

    def _old(self, host: str) -> list[Person]:
        head = self._head(host, self._age(72, 5, 65, 92))
        return [head] if self.chance.happens(0.4) else [head, self._spouse(host, head)]

    def _minor(self, host: str) -> list[Person]:
        return [replace(self._head(host, self.chance.uniform(13, 17.9)), protected=self.chance.happens(0.4))]

    # --- members ---

    def _age(self, mean: float, spread: float, low: float, high: float) -> float:
        return min(high, max(low, self.chance.gauss(mean, spread))) + self.chance.random()

    def _person(
        self,
        nation: str,
        sex: Sex,
        age: float,
        nationalities: tuple[str, ...],
        *,
        category: str = "national",
        relation: str = "self",
    ) -> Person:
        name = self.names.next(nation, sex)
        is_latin = name.script == "Latn"
        return Person(
            family_name=name.family,
            given_names=name.given,
            family_name_original=None if is_latin else name.family_original,
            given_names_original=None if is_latin else name.given_original,
            sex=sex,
            age=age,
            nationalities=nationalities,
            language=self.chance.pick(LANGUAGES[nation]),
            category=category,
            relation=relation,
        )

    def _head(self, host: str, age: float, women: float | None = None) -> Person:
        sex = self._sex(WOMEN[self.state] if women is None else women)
        is_dual = self.chance.happens(0.03)
        return self._person(self.state, sex, age, (self.state, host) if is_dual else (self.state,))

    def _entrusted_or_stateless(self) -> Person:
        sex, age = self._sex(0.5), self._age(34, 9, 19, 60)
        if self.chance.happens(0.6):
            return self._person(ENTRUSTED_NATION, sex, age, (ENTRUSTED_NATION,), category="entrusted")
        return self._person(self.state, sex, age, (), category="stateless")

    def _sex(self, women: float) -> Sex:
        return Sex.FEMALE if self.chance.happens(women) else Sex.MALE

    def _spouse(self, host: str, head: Person) -> Person:
        """Of the State, or of another nationality: then on the record as family."""
        sex = Sex.MALE if head.sex is Sex.FEMALE else Sex.FEMALE
        age = max(19.0, head.age + self.chance.gauss(-1 if sex is Sex.FEMALE else 1, 4))
        if self.chance.happens(FOREIGN_SPOUSES[self.state]):
            nation = self._other_nation(host)
            return self._person(nation, sex, age, (nation,), category="family", relation="spouse")
        spouse = self._person(self.state, sex, age, (self.state,), relation="spouse")
        return replace(spouse, family_name=head.family_name) if self.state == "PHL" else spouse

    def _other_nation(self, host: str) -> str:
        known = [nation for nation in nationalities() if nation != self.state]
        return host if host in known and self.chance.happens(0.6) else self.chance.choice(known)

    def _children(self, host: str, head: Person, spouse: Person | None) -> list[Person]:
        """The youngest first; none is born before the parents were of age, no two within a year."""
        eldest = min(person.age for person in (head, spouse) if person) - ADULT_YEARS
        wanted, age = self.chance.pick(CHILDREN), min(self.chance.uniform(0.0, 14.0), max(0.1, eldest))
        children: list[Person] = []
        while len(children) < wanted and (age <= eldest or not children):
            children.append(self._child(host, head, spouse, age, {child.given_names for child in children}))
            age += self.chance.uniform(1.1, 4.0)
        return children

    def _child(self, host: str, head: Person, spouse: Person | None, age: float, taken: set[str]) -> Person:
        nations: tuple[str, ...] = (self.state,)
        if spouse and spouse.category == "family":
            nations = (self.state, *spouse.nationalities)
        elif self.chance.happens(0.04):
            nations = (self.state, host)
        child = self._person(self.state, self._sex(0.49), age, nations, relation="child")
        while child.given_names in taken:
            child = self._person(self.state, child.sex, age, nations, relation="child")
        child = _with_family_name(child, head, spouse)
        return replace(child, language=head.language, lives_apart=age >= 17 and self.chance.happens(0.25))


def _with_family_name(child: Person, head: Person, spouse: Person | None) -> Person:
    """The child with the father's name where he is known, else the mother's. Two scripts are never mixed."""
    fathers = [person for person in (head, spouse) if person and person.sex is Sex.MALE]
    parent = fathers[0] if fathers else head
    nation = parent.nationalities[0]
    name = PersonName(
        parent.given_names,
        parent.family_name,
        parent.given_names_original or parent.given_names,
        parent.family_name_original or parent.family_name,
        "",
        parent.sex,
    )
    latin, original = family_name_from(name, nation, child.sex)
    if nation != child.nationalities[0]:
        return replace(child, family_name=latin, family_name_original=None, given_names_original=None)
    return replace(child, family_name=latin, family_name_original=original if child.given_names_original else None)
