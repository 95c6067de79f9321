"""init: the first super administrator."""

import sys

import click

from salerno.contexts.identity.commands import InitAdministrator
from salerno.interfaces.cli.house import OUT, open_house, operator, verb
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import INSTALLATION


def _password() -> str:
    """The first line of what is piped in, or asked for twice without being shown."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@click.command()
@click.option("--admin-email", required=True, help="The address that they sign in with.")
@click.option("--full-name", default="Administrator", show_default=True)
@verb
async def init(admin_email: str, full_name: str) -> None:
    """The first super administrator, or a further one. The password is read from stdin, or asked for."""
    password = _password()
    if not password:
        raise Invalid("No password was given. Type it, or pipe it in.")
    errand = InitAdministrator(email=admin_email, password=password, full_name=full_name)
    async with open_house() as house:
        account = await house.bus.ask(errand, operator(house, INSTALLATION))
    OUT.print(f"{admin_email} may sign in as SUPER_ADMIN ({account}).", markup=False)


VERBS = (init,)
