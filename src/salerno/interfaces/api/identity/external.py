"""One's accounts at other OpenID providers. They are linked in a browser, and listed and unlinked here too."""

from typing import Any

from salerno.contexts.identity.commands.external import (
    ExternalIdentityLine,
    MyExternalIdentities,
    UnlinkExternalIdentity,
)
from salerno.interfaces.http import Request, Response, answer, ask, delete, get, no_content
from salerno.interfaces.http.cookies import forget

TAGS = ("Account",)
PATH = "/users/me/external-identities"


@get(PATH, of=MyExternalIdentities, gives=list[ExternalIdentityLine], tags=TAGS)
async def my_external_identities(request: Request[Any, Any, Any]) -> Response[Any]:
    """The accounts at other providers that open one's own."""
    return answer(request, await ask(request, MyExternalIdentities()))


@delete(f"{PATH}/{{identity_id:uuid}}", of=UnlinkExternalIdentity, status=204, tags=TAGS)
async def unlink_external_identity(request: Request[Any, Any, Any]) -> Response[Any]:
    """Unlink one. It opens nothing any more, and every other session ends."""
    await ask(request, UnlinkExternalIdentity(identity_id=request.path_params["identity_id"]))
    forget(request)
    return no_content()


ROUTES = [my_external_identities, unlink_external_identity]
