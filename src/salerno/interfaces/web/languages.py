"""The languages of the pages. Catalogues are read from their .po files at start: there is nothing to compile."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = {"it": "Italiano", "en": "English"}
LOCALES = {"it": "it_IT", "en": "en_GB"}
SOURCE = "en"
FOLDER = Path(__file__).parent / "locale"


def read_catalogue(language: str) -> Catalog:
    """All of a language's .po files as one: each room keeps its own, so that nobody waits for another."""
    whole = Catalog(locale=language)
    for path in sorted((FOLDER / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    whole[message.id] = message
    return whole


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language, ready for Jinja. English is what the templates are written in."""
    if language == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
