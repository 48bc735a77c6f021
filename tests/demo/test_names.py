"""Names of the demo world: seeded, of one sex, in the right script, fast."""

import time
import unicodedata

import numpy as np
import pytest

from micic.demo.names import PersonName, Sex, family_name_from, make_people, name_book, nationalities

SCRIPT_WORD = {
    "Latn": "LATIN", "Arab": "ARABIC", "Grek": "GREEK", "Ethi": "ETHIOPIC",
    "Deva": "DEVANAGARI", "Hans": "CJK",
}  # fmt: skip


def people(nationality: str, n: int = 400, seed: int = 1) -> list[PersonName]:
    return make_people(np.random.default_rng(seed), n, nationality)


def scripts(text: str) -> set[str]:
    return {unicodedata.name(letter).split()[0] for letter in text if letter.isalpha()}


@pytest.mark.parametrize("nationality", nationalities())
def test_each_nationality_is_written_in_its_script(nationality: str) -> None:
    word = SCRIPT_WORD[name_book(nationality).script]
    for person in people(nationality):
        assert scripts(person.given_original + person.family_original) == {word}
        assert scripts(person.given + person.family) == {"LATIN"}


def test_the_world_has_six_scripts() -> None:
    assert {name_book(nationality).script for nationality in nationalities()} == set(SCRIPT_WORD)


@pytest.mark.parametrize("nationality", nationalities())
def test_given_names_and_family_forms_agree_with_the_sex(nationality: str) -> None:
    book = name_book(nationality)
    assert not {latin for latin, _ in book.male} & {latin for latin, _ in book.female}
    assert len(book.family_of_men) == len(book.family_of_women)
    for person in people(nationality):
        man = person.sex is Sex.MALE
        firsts, families = (book.male, book.family_of_men) if man else (book.female, book.family_of_women)
        assert set(person.given.split()) <= {word for latin, _ in firsts for word in latin.split()}
        assert (person.family, person.family_original) in families


def test_the_same_seed_gives_the_same_people_and_another_others() -> None:
    assert people("PHL") == people("PHL")
    assert people("PHL") != people("PHL", seed=2)


def test_the_sexes_can_be_given() -> None:
    sexes = np.array([1, 2, 2, 1, 2])
    assert [p.sex for p in make_people(np.random.default_rng(3), 5, "GRC", sexes)] == sexes.tolist()


def test_no_list_holds_a_name_twice() -> None:
    for nationality in nationalities():
        book = name_book(nationality)
        for names in (book.male, book.female, book.family_of_men):
            assert len({latin for latin, _ in names}) == len(names), nationality


def test_a_greek_daughter_bears_the_form_for_women() -> None:
    father = PersonName("Petros", "Vlachos", "Πέτρος", "Βλάχος", "Grek", Sex.MALE)
    assert family_name_from(father, "GRC", Sex.FEMALE) == ("Vlachou", "Βλάχου")
    assert family_name_from(father, "GRC", Sex.MALE) == ("Vlachos", "Βλάχος")


def test_an_ethiopian_child_bears_the_fathers_given_name() -> None:
    father = PersonName("Dawit", "Girma", "ዳዊት", "ግርማ", "Ethi", Sex.MALE)
    assert family_name_from(father, "ETH", Sex.FEMALE) == ("Dawit", "ዳዊት")


def test_a_name_from_elsewhere_is_passed_on_as_it_is() -> None:
    mother = PersonName("Ana", "Unheard", "Ana", "Unheard", "Latn", Sex.FEMALE)
    assert family_name_from(mother, "PHL", Sex.MALE) == ("Unheard", "Unheard")


def test_an_unknown_nationality_is_refused() -> None:
    with pytest.raises(KeyError):
        people("XXX")


def test_a_hundred_thousand_take_about_a_second() -> None:
    began = time.process_time()
    assert len(people("PHL", 100_000)) == 100_000
    assert time.process_time() - began < 1.0
