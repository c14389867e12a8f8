"""The tables of two read models and a policy, joined when read, give pairing per district."""

from tests.support.log import Log, assigned, ended, enrolled, helper, household, registered
from tests.support.projections import feed, tables
from tests.support.servers import Servers

CAPACITY = 2  # document B: one officer, two households
DISTRICTS = """
    WITH load AS (SELECT helper, sum(n) AS n FROM caseload_rollup WHERE role = 'lead' GROUP BY helper),
    officers AS (
        SELECT h.district, count(*) AS helpers, count(*) FILTER (WHERE l.n = 2) AS two,
               count(*) FILTER (WHERE l.n = 1) AS one, count(*) FILTER (WHERE l.n IS NULL) AS none,
               count(*) * $1::integer AS capacity, sum(greatest($1 - coalesce(l.n, 0), 0))::integer AS spare
        FROM helpers_rollup AS h LEFT JOIN load AS l USING (helper) GROUP BY h.district),
    homes AS (
        SELECT left(village, 4) AS district, sum(n)::integer AS households,
               coalesce(sum(n) FILTER (WHERE lead = 'unpaired'), 0)::integer AS unpaired
        FROM households_rollup GROUP BY 1)
    SELECT district, helpers, households, two, one, none, capacity, spare, unpaired
    FROM officers FULL JOIN homes USING (district) ORDER BY 1"""


async def test_spare_in_one_district_does_not_hide_unpaired_in_another(servers: Servers):
    log = Log()
    for n, district in enumerate(["4019", "4019", "4019", "4001"]):
        log.add(f"helper-{helper(n)}", enrolled(helper(n), district))
    for n, village in enumerate(["40190101", "40190101", "40190202", "40010101"]):
        log.add(f"household-{household(n)}", registered(household(n), village))
    for n, by in (0, 0), (1, 0), (2, 1):
        log.add(f"pairing-{household(n)}", assigned(household(n), helper(by)))
    log.add(f"pairing-{household(3)}", assigned(household(3), helper(3)))
    log.add(f"pairing-{household(3)}", ended(household(3), helper(3)))
    async with tables(servers.admin_dsn) as database:
        await feed(database, log.records)
        found = [tuple(row) for row in await database.fetch(DISTRICTS, CAPACITY)]
    assert found == [
        ("4001", 1, 1, 0, 0, 1, 2, 2, 1),
        ("4019", 3, 3, 1, 1, 1, 6, 3, 0),
    ]
