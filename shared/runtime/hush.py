"""Keeps aiokafka from repeating itself: while a broker is away it logs up to a hundred lines a second, all alike."""

import logging
from time import monotonic

SECONDS = 10.0
REMEMBERED = 1_000
"""Sentences: the library writes a topic or an address into some of its own."""
LIBRARY = "aiokafka"


class Hush(logging.Filter):
    """Lets the same sentence of the library through once in ten seconds, whatever it is about."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(LIBRARY):
            return True
        now, sentence = monotonic(), (record.name, str(record.msg))
        if now - self._said.get(sentence, -SECONDS) < SECONDS:
            return False
        self._remember(sentence, now)
        return True

    def _remember(self, sentence: tuple[str, str], now: float) -> None:
        """The one said longest ago stands first, and is the first to be forgotten."""
        self._said.pop(sentence, None)
        self._said[sentence] = now
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]


def install() -> None:
    logging.getLogger(LIBRARY).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Hush())
