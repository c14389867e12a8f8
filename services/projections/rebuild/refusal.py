"""Why a rebuild does not go on, for an operator."""

from shared.errors import SiaoError


class Refused(SiaoError):
    """One sentence in each language; the live schema serves as before."""

    def __init__(self, en: str, th: str) -> None:
        super().__init__(en)
        self.en, self.th = en, th


class Restart(SiaoError):
    """The copy cannot be continued: it holds what the log does not hold any more. It is made anew."""
