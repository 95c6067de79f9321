"""The doors without a database behind them, for browsers: Granian's factory."""

import os
from typing import Any

from salerno.app import rooms
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup, build
from salerno.kernel.bus import Bus
from salerno.kernel.database import Database
from salerno.kernel.vault import Vault


def create() -> Any:
    bus = Bus(Database("postgresql://nowhere"), Vault(os.urandom(32)), rooms())
    return build(bus, [api.door(bus), web.door(bus)], Setup(development=True))
