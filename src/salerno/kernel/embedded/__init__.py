"""A private PostgreSQL in a folder, run from the programs of a wheel or of the system. Linux.

    with EmbeddedPostgres(folder) as server:
        connect(server.url())

The folder holds `data`, `run` (the socket), `log` and three lock files. No pid is trusted; locks say what is true:

- `ctl.lock` is held by whoever starts or stops the server;
- `server.lock` is inherited by the postmaster and all its backends, so that it is free exactly when no process of
  this cluster lives, in this container or another;
- `users.lock` is shared by every process that uses the server; the last one to leave stops it, and the operating
  system takes back the share of one that was killed.

Whoever reaches the socket folder (the server's own user, and root) may be any role of the cluster. Nobody else can.
"""

from salerno.kernel.embedded.server import DATABASE, OWNER, EmbeddedPostgres
from salerno.kernel.embedded.user import EmbeddedPostgresError

__all__ = ["DATABASE", "OWNER", "EmbeddedPostgres", "EmbeddedPostgresError"]
