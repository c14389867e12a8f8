"""What a relay says on `siao.progress.v1`, under the service's name as the key and without CloudEvents headers."""

from pydantic import AwareDatetime

from shared.events.base import Message


class Watermark(Message):
    """Every event of `service` recorded before `mark` stands in its topic below `offsets`.

    Why that is so: `shared.eventstore.watermark`.
    """

    service: str
    mark: AwareDatetime
    offsets: dict[str, int]
    """Partition -> its end offset: the one that the next record will get."""
    clock: AwareDatetime
    """The service's time when it said so; the mark's age is the difference."""
