"""Every read model there is. A new one is a file beside these, its tables in a migration, and its line here."""

from services.projections import caseload, coverage, helpers, households
from services.projections.model import ReadModel

MODELS: tuple[ReadModel, ...] = (coverage.MODEL, households.MODEL, caseload.MODEL, helpers.MODEL)
