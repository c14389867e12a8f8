"""The bodies that publish in the demonstration: 18 that document B names, others of document A, and invented ones.

Document B counts 34 agencies in the steering group and names 18 bodies in all, some perhaps outside the 34. The demo
takes the 18 for members and invents the other 16; what is invented has a slug that begins with `example-`.
"""

from typing import NamedTuple


class Body(NamedTuple):
    slug: str
    th: str
    en: str


NAMED_IN_B = (
    Body("provincial-administration", "ปลัดจังหวัดขอนแก่น", "Provincial Chief Administrative Officer"),
    Body("community-development", "พัฒนาการจังหวัด", "Provincial Community Development"),
    Body("khon-kaen-university", "มหาวิทยาลัยขอนแก่น", "Khon Kaen University"),
    Body("industrial-college", "วิทยาลัยการอาชีพขอนแก่น", "Khon Kaen Industrial and Community Education College"),
    Body("agriculture", "เกษตรจังหวัด", "Provincial Agriculture"),
    Body("primary-education", "ประถมศึกษาจังหวัด", "Provincial Primary Education"),
    Body("land-reform", "ปฏิรูปที่ดินจังหวัด", "Provincial Land Reform"),
    Body("social-development", "พมจ.", "Provincial Social Development and Human Security"),
    Body("public-health", "นายแพทย์สาธารณสุขจังหวัด", "Provincial Public Health"),
    Body("provincial-organisation", "อบจ.", "Provincial Administrative Organisation"),
    Body("local-administration", "ท้องถิ่นจังหวัด", "Provincial Local Administration"),
    Body("governors-office", "สำนักงานจังหวัด", "Provincial Governor's Office"),
    Body("comptroller", "คลังจังหวัด", "Provincial Comptroller"),
    Body("savings-bank", "ออมสินภาค 11", "Government Savings Bank, region 11"),
    Body("baac", "ธกส.", "Bank for Agriculture and Agricultural Cooperatives"),
    Body("chamber-of-commerce", "หอการค้าจังหวัดขอนแก่น", "Khon Kaen Chamber of Commerce"),
    Body("federation-of-industries", "สภาอุตสาหกรรม", "Federation of Industries"),
    Body("public-relations", "ประชาสัมพันธ์จังหวัด", "Provincial Public Relations"),
)

INVENTED = tuple(Body(f"example-agency-{n:02}", f"หน่วยงานสมมุติที่ {n}", f"Made-up agency {n}") for n in range(1, 17))

STEERING = NAMED_IN_B + INVENTED
"""The steering group: 34 agencies."""

NAMED_IN_A = (
    Body("village-health-volunteers", "อสม.", "Village health volunteers"),
    Body("subdistrict-health-hospitals", "รพ.สต.", "Subdistrict health promoting hospitals"),
    Body("red-cross", "กาชาด", "Red Cross"),
    Body("rural-child-fund", "กองทุนพัฒนาเด็กชนบท", "Rural Child Development Fund"),
)

FIRMS = tuple(Body(f"example-firm-{n:02}", f"บริษัทสมมุติที่ {n}", f"Made-up firm {n}") for n in range(1, 4))
"""Document A names firms (ภาคเอกชน) as givers of scholarships, none by its name."""

BODIES = STEERING + NAMED_IN_A + FIRMS

AGENCIES: tuple[str, ...] = tuple(body.slug for body in BODIES)
"""Slugs of all who publish; each sends with a token of its own."""

SECRETARIAT = "community-development"
"""พัฒนาการจังหวัด, secretary of the steering group (document B): keeps the cohort and the pairing."""
