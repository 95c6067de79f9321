"""Who comes to the demo clinic: invented people with ordinary names. Any likeness is chance."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from codicefiscale import codicefiscale

WOMEN = (
    "Maria",
    "Anna",
    "Giuseppina",
    "Rosa",
    "Lucia",
    "Carmela",
    "Teresa",
    "Francesca",
    "Chiara",
    "Giulia",
    "Elena",
    "Concetta",
    "Immacolata",
    "Serena",
    "Martina",
    "Sofia",
    "Paola",
    "Angela",
    "Raffaella",
    "Ornella",
)
MEN = (
    "Antonio",
    "Giuseppe",
    "Vincenzo",
    "Gennaro",
    "Luigi",
    "Salvatore",
    "Pasquale",
    "Carmine",
    "Matteo",
    "Francesco",
    "Alfonso",
    "Raffaele",
    "Ciro",
    "Niccolò",
    "Domenico",
    "Marco",
    "Andrea",
    "Lorenzo",
    "Sabato",
    "Gerardo",
)
FAMILIES = (
    "Rossi",
    "Esposito",
    "Russo",
    "De Luca",
    "D'Amico",
    "Ferrara",
    "Amato",
    "Santoro",
    "Avallone",
    "Memoli",
    "Ruggiero",
    "Landi",
    "Vitale",
    "Pellegrino",
    "Apicella",
    "Cuomo",
    "Di Muro",
    "Galdi",
    "Iannone",
    "Siano",
    "Naddeo",
    "Bisogno",
    "Capuano",
    "Senatore",
    "Trotta",
    "Della Monica",
    "Fiorillo",
    "Lamberti",
    "Milito",
    "Ronca",
)
ABROAD = (
    ("Margaret", "Whitfield", "female"),
    ("Thomas", "Ashdown", "male"),
    ("Eleanor", "Pemberton", "female"),
    ("Oliver", "Hargreaves", "male"),
    ("Siobhán", "O'Malley", "female"),
    ("Desmond", "Okafor", "male"),
    ("Priya", "Raman", "female"),
    ("Jonathan", "Lindqvist", "male"),
    ("Beatrice", "Holloway", "female"),
    ("Samuel", "Thackeray", "male"),
    ("Imogen", "Fairweather", "female"),
    ("Walter", "Kessler", "male"),
    ("Ngozi", "Adeyemi", "female"),
    ("Henry", "Callaghan", "male"),
    ("Ingrid", "Sørensen", "female"),
    ("Rashid", "Mahmood", "male"),
    ("Philippa", "Dunmore", "female"),
    ("George", "Tilbury", "male"),
    ("Yasmin", "Haddad", "female"),
    ("Arthur", "Penhaligon", "male"),
    ("Clara", "Montague", "female"),
    ("Edwin", "Marsh", "male"),
    ("Freya", "Lockwood", "female"),
    ("Leopold", "Winterbourne", "male"),
)
TOWNS = (
    ("Salerno", "SA", "84121", "089"),
    ("Cava de' Tirreni", "SA", "84013", "089"),
    ("Vietri sul Mare", "SA", "84019", "089"),
    ("Battipaglia", "SA", "84091", "0828"),
    ("Pontecagnano Faiano", "SA", "84098", "089"),
)
STREETS = (
    "Via Roma",
    "Corso Vittorio Emanuele",
    "Via dei Mercanti",
    "Via Trotula de Ruggiero",
    "Lungomare Trieste",
    "Via Irno",
    "Via Carmine",
    "Via Torrione",
    "Via San Leonardo",
    "Piazza Flavio Gioia",
)


@dataclass(frozen=True, slots=True)
class Person:
    """One who registers: what the receptionist types."""

    given_name: str
    family_name: str
    gender: str
    born: date
    language: str
    phone: str
    email: str
    street: str
    town: tuple[str, str, str, str]
    codice_fiscale: str

    def age(self, today: date) -> int:
        return today.year - self.born.year - ((today.month, today.day) < (self.born.month, self.born.day))


def everybody(count: int, today: date, seed: int = 1) -> list[Person]:
    """`count` different people, the same ones for the same seed and day. The first is Maria Rossi, 78."""
    dice = Random(seed)  # noqa: S311 - repeatable people, no secret
    found = [_person(dice, ("Maria", "Rossi", "female"), date(today.year - 78, 3, 12), "it", 0)]
    names = {("Maria", "Rossi")}
    while len(found) < count:
        foreign = len(found) % 8 == 3 and len(found) // 8 < len(ABROAD)
        name = ABROAD[len(found) // 8] if foreign else _italian(dice)
        if name[:2] in names:
            continue
        names.add(name[:2])
        age_days = int(dice.triangular(2, 96, 62) * 365.25)
        found.append(_person(dice, name, today - timedelta(days=age_days), "en" if foreign else "it", len(found)))
    return found


def _italian(dice: Random) -> tuple[str, str, str]:
    gender = dice.choice(("female", "male"))
    return dice.choice(WOMEN if gender == "female" else MEN), dice.choice(FAMILIES), gender


def _person(dice: Random, name: tuple[str, str, str], born: date, language: str, number: int) -> Person:
    given, family, gender = name
    town = dice.choice(TOWNS)
    code = codicefiscale.encode(
        lastname=family,
        firstname=given,
        gender="F" if gender == "female" else "M",
        birthdate=born.strftime("%d/%m/%Y"),
        birthplace="Salerno" if language == "it" else "Regno Unito",
    )
    plain = "".join(
        letter for letter in f"{given}.{family}".lower() if letter.isascii() and (letter.isalpha() or letter == ".")
    )
    return Person(
        given,
        family,
        gender,
        born,
        language,
        f"+39{town[3]}55{number:05}"[:14],
        f"{plain}{number}@example.com",
        f"{dice.choice(STREETS)} {dice.randint(1, 180)}",
        town,
        code,
    )
