"""The door for operators: `salerno VERB`. Modules by what they are about; each verb is one function."""

from importlib import import_module
from pkgutil import iter_modules

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="salerno")
def main() -> None:
    """Salerno: a self-hosted electronic health record and practice-management platform."""


for _module in sorted(iter_modules(__path__), key=lambda each: each.name):
    for _verb in getattr(import_module(f"{__name__}.{_module.name}"), "VERBS", ()):
        main.add_command(_verb)
