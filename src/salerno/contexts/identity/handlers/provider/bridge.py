"""Authlib's code is synchronous and ours is not: a greenlet runs it on the same loop, connection and transaction."""

import contextvars
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import greenlet

T = TypeVar("T")


def wait(awaitable: Awaitable[T]) -> T:
    """For Authlib's hooks: what the awaitable answers, while the loop goes on."""
    parent = greenlet.getcurrent().parent
    assert parent is not None, "only inside of drive()"
    answer: T = parent.switch(awaitable)
    return answer


async def drive(work: Callable[..., T], *args: Any) -> T:
    """Run synchronous code whose hooks `wait`. A cancellation reaches it like any other exception."""
    runner = greenlet.greenlet(work)
    runner.gr_context = contextvars.copy_context()
    out: Any = runner.switch(*args)
    while not runner.dead:
        try:
            value = await out
        except BaseException as error:  # noqa: BLE001 - it belongs to the code that waits
            out = runner.throw(error)
        else:
            out = runner.switch(value)
    answer: T = out
    return answer
