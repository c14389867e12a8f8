"""Python's collector of cycles."""

import gc


def rarely() -> None:
    """Has it look at objects rarely, and at those that are here now never: batches make many that live as long as the
    batch, and looking for cycles among them is in vain. Called once, when everything is imported."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
