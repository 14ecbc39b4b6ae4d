"""What a switch or a sensor says, made clean: bounces and gaps, by a time that comes in as an argument."""

import logging
import math
from collections.abc import Callable

log = logging.getLogger(__name__)


class Arrivals:
    """Tells each arrival once: activity that follows at least `quiet_seconds` of quiet. Pure."""

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet_seconds = quiet_seconds
        self._quiet_since: float | None = -math.inf

    def update(self, active: bool, seconds: float) -> bool:
        """Take the state at `seconds`, which never runs back; True when somebody or something has arrived."""
        arrived = active and self.quiet(seconds)
        if active:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = seconds
        return arrived

    def quiet(self, seconds: float) -> bool:
        """Whether the quiet has lasted long enough by now."""
        return self._quiet_since is not None and seconds - self._quiet_since >= self._quiet_seconds

    def lost(self) -> None:
        """The state is not known for a while: a quiet that nobody watched does not count."""
        self._quiet_since = None


def tell(callback: Callable[[], object]) -> None:
    """Call whoever listens. What goes wrong there never ends the thread that watches the pins."""
    try:
        callback()
    except Exception:
        log.exception("whoever listens to a pin failed")
