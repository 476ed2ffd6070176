"""Schedules of sending, one file each; a new one needs its file and its line in `SCHEDULES`."""

from collections.abc import Callable

from jdgnn.protocol.schedules.every import every
from jdgnn.protocol.schedules.schedule import Schedule
from jdgnn.protocol.schedules.token_account import token_account

SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "every": every,
    "token_account": token_account,
}

__all__ = ["SCHEDULES", "Schedule", "every", "token_account"]
