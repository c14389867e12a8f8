"""Code lists: closed sets of words that commands and events may use, with what a person reads for them.

The five dimensions of help, the six sub-groups and the sources are the documents'. The three lists of dimensions
that exist in the country (the programme's five, the sub-groups' six duties, TPMAP's five) are three lists; TPMAP's
is not used yet.
"""

from enum import StrEnum


class Code(StrEnum):
    """A word of such a list. It hashes as the text that it equals: Enum hashes the name, and in Python."""

    __hash__ = str.__hash__


class Dimension(Code):
    """Document A: the five dimensions (ด้าน) in which households were helped."""

    WELFARE = "welfare"
    HEALTH = "health"
    OCCUPATION = "occupation"
    EDUCATION = "education"
    LIVING = "living"


class Level(Code):
    """How far help went. Document A counts "initial" help (เบื้องต้น) as reached; the other two are ours."""

    INITIAL = "initial"
    CONTINUING = "continuing"
    RESOLVED = "resolved"


class HouseholdClass(Code):
    """Documents A and B: พัฒนาได้ and ต้องสงเคราะห์."""

    DEVELOPABLE = "developable"
    WELFARE = "welfare"


class Cohort(Code):
    """Documents A and B: the households below the จปฐ. (Basic Minimum Needs) criteria of 2561."""

    BMN_2561 = "bmn-2561"


class Relation(Code):
    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    OTHER = "other"


class DigitCheck(Code):
    """Result of the check digit of a 13-digit citizen number. A wrong one is flagged, never refused."""

    RIGHT = "right"
    WRONG = "wrong"
    ABSENT = "absent"


class Source(Code):
    """Where an assessment was read off: the four sources that document A names, or a visit to the house."""

    HOUSE_FILE = "house-file"
    TPMAP_LOGBOOK = "tpmap-logbook"
    SURVEY_VILLAGE = "survey-village"
    BMN_SURVEY = "bmn-survey"
    HOME_VISIT = "home-visit"


class HelperKind(Code):
    """Who can be a lead or supporting party of a pair: document B's closing note, beside the officer."""

    OFFICER = "officer"
    PERSON = "person"
    HOUSEHOLD = "household"
    GROUP = "group"
    ORGANISATION = "organisation"


CAPACITY: dict[HelperKind, int | None] = {
    HelperKind.OFFICER: 2,  # documents A and B: one officer, two households
    HelperKind.PERSON: 1,  # document B's closing note: an individual with an individual
    HelperKind.HOUSEHOLD: 1,  # document B's closing note: a family with a family
    HelperKind.GROUP: None,  # document B names no limit
    HelperKind.ORGANISATION: None,
}
"""How many households a helper of a kind can lead at a time; None is without limit."""


class PairRole(Code):
    LEAD = "lead"
    SUPPORTING = "supporting"


class Chosen(Code):
    """How a pair came about."""

    ORDER = "order"
    BULK = "bulk"
    VOLUNTEER = "volunteer"
    SUGGESTION = "suggestion"
    LOTTERY = "lottery"


class OtherDistrictReason(Code):
    """Why a helper looks after a household of another district."""

    RELATIVE = "relative"
    FORMER_POST = "former-post"
    NO_OFFICER_LEFT = "no-officer-left"
    HOUSEHOLD_ASKED = "household-asked"


class EndReason(Code):
    HELPER_TRANSFERRED = "helper-transferred"
    HELPER_RETIRED = "helper-retired"
    HOUSEHOLD_MOVED = "household-moved"
    HOUSEHOLD_EXITED = "household-exited"
    HOUSEHOLD_MERGED = "household-merged"
    """The household turned out to be another one, which has a lead helper already."""
    HOUSEHOLD_ASKED = "household-asked"
    ENTERED_BY_MISTAKE = "entered-by-mistake"


class ExitReason(Code):
    """Why a household left the programme. The list is ours: no document names one."""

    LIFTED_OUT = "lifted-out"
    """No longer poor."""
    MOVED_AWAY = "moved-away"
    """Left the province."""
    DISSOLVED = "dissolved"
    """Nobody lives there any more."""


class VoidReason(Code):
    """Why something recorded never was so."""

    ENTERED_TWICE = "entered-twice"
    WRONG_HOUSEHOLD = "wrong-household"
    NEVER_HAPPENED = "never-happened"


class Item(Code):
    """What was given. Document A names the items of health, education and living; the rest are its dimensions'."""

    CASH_ASSISTANCE = "cash-assistance"
    STATE_WELFARE = "state-welfare"
    HEALTH_VISIT = "health-visit"
    OCCUPATION_TRAINING = "occupation-training"
    OCCUPATION_TOOLS = "occupation-tools"
    EMPLOYMENT = "employment"
    SCHOLARSHIP = "scholarship"
    HOUSE_BUILT = "house-built"
    HOUSE_REPAIRED = "house-repaired"
    RELIEF_BAG = "relief-bag"
    WHEELCHAIR = "wheelchair"
    CRUTCHES = "crutches"


class SubGroup(Code):
    """Document B: the six sub-groups of the support and monitoring working group."""

    OCCUPATION = "occupation-and-income"
    QUALITY_OF_LIFE = "quality-of-life"
    DEBT = "household-debt"
    MARKETING = "marketing"
    PUBLIC_RELATIONS = "public-relations"
    ACADEMIC = "academic-advice"


LEAD_OF_DIMENSION: dict[Dimension, SubGroup | None] = {
    Dimension.WELFARE: SubGroup.QUALITY_OF_LIFE,
    Dimension.HEALTH: SubGroup.QUALITY_OF_LIFE,
    Dimension.OCCUPATION: SubGroup.OCCUPATION,
    Dimension.EDUCATION: None,
    Dimension.LIVING: None,
}
"""Which sub-group leads a dimension, from the duties in document B. Education and housing are nobody's duty
there: they show as having no owner until an order maps them."""
