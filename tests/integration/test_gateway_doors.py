"""Every way to be turned away at the gateway, and what a browser is told."""

import time

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from shared.runtime import auth
from shared.runtime.auth import Caller, Role
from tests.support import gateway as g

QUESTIONS = (
    "/v1/coverage",
    "/v1/pairing",
    "/v1/working-groups/workload",
    "/v1/freshness",
    "/v1/households/hh_00000000000000000000",
    "/v1/helpers/hp_00000000000000000000/households",
    "/v1/live",
    "/openapi.json",
    "/docs",
)
COMMANDS = tuple(f"/v1/{s}/commands{e}" for s in ("registry", "pairing", "interventions") for e in ("", "/bulk"))


@pytest_asyncio.fixture(scope="module")
async def url(servers):
    async with g.tables(servers) as (_, dsn), g.gateway(servers, dsn, {"registry": "http://127.0.0.1:1"}) as url:
        yield url


async def ask(url: str, path: str, bearer: str | None) -> httpx.Response:
    async with g.client(url, bearer) as client:
        return await (client.post(path, content=b"{}") if path in COMMANDS else client.get(path))


def told(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("path", [*QUESTIONS, *COMMANDS])
async def test_without_a_token_nothing_is_told(url, path):
    answer = await ask(url, path, None)
    assert told(answer) == (401, "token_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


def claims(**other) -> dict[str, object]:
    now = int(time.time())
    usual = {"iss": "siao", "aud": "siao-gateway", "sub": "ac-1", "agency": "x", "role": "secretariat"}
    return usual | {"iat": now, "exp": now + 600} | other


def signed(servers, header=None, key=None, **other) -> str:
    own = auth.load_key((servers.home.secrets / "issuer.key.json").read_text())
    header = header or {"alg": "Ed25519"}
    return jwt.encode(header, claims(**other), key or own, algorithms=[header["alg"]])


def forgeries(servers) -> dict[str, str]:
    stranger, gateway_key = OKPKey.generate_key("Ed25519"), (servers.home.secrets / "gateway.key.json").read_text()
    public = (servers.home.secrets / "gateway" / "issuer.pub.json").read_bytes()
    good = signed(servers)
    head, payload, signature = good.split(".")
    return {
        "foreign key": signed(servers, key=stranger),
        "the gateway's own key": signed(servers, key=auth.load_key(gateway_key)),
        "wrong audience": signed(servers, aud="siao-registry"),
        "several audiences, none ours": signed(servers, aud=["siao-registry", "siao-pairing"]),
        "no audience": signed(servers, aud=None),
        "wrong issuer": signed(servers, iss="siao-gateway"),
        "unknown role": signed(servers, role="king"),
        "no expiry": signed(servers, exp=None),
        "districts that are no list of codes": signed(servers, districts=4019),
        "HMAC with the public key as secret": jwt.encode({"alg": "HS256"}, claims(), OctKey.import_key(public)),
        "alg none": "eyJhbGciOiJub25lIn0." + payload + ".",
        "another payload": f"{head}.{payload[:-2]}AA.{signature}",
        "no token at all": "nonsense",
    }


async def test_a_token_that_is_not_ours_opens_nothing(servers, url):
    for name, forged in forgeries(servers).items():
        assert told(await ask(url, "/v1/coverage", forged)) == (401, "token_invalid"), name
        assert told(await ask(url, "/v1/registry/commands", forged)) == (401, "token_invalid"), name


async def test_an_expired_token_says_so(servers, url):
    for path in ("/v1/coverage", "/v1/registry/commands/bulk"):
        assert told(await ask(url, path, signed(servers, exp=int(time.time()) - 60))) == (401, "token_expired")


async def test_a_token_meant_for_a_service_does_not_open_the_gateway(servers, url):
    key = auth.load_key((servers.home.secrets / "gateway.key.json").read_text())
    caller = Caller("ac-1", "x", Role.SECRETARIAT)
    internal = auth.mint(key, caller, iss=auth.GATEWAY, aud=auth.service_audience("registry"), seconds=60)
    assert told(await ask(url, "/v1/coverage", internal)) == (401, "token_invalid")


@pytest.mark.parametrize("role", [Role.GOVERNOR, Role.RESEARCHER, Role.WORKING_GROUP])
async def test_a_role_without_the_right_is_refused_by_name(servers, url, role):
    bearer = g.token(servers, role)
    assert told(await ask(url, "/v1/coverage?level=village&place=4019", bearer)) == (403, "cell_too_small")
    for path in ("/v1/households/hh_00000000000000000000", "/v1/helpers/hp_00000000000000000000/households"):
        assert told(await ask(url, path, bearer)) == (403, "forbidden")
    for path in COMMANDS:
        answer = await ask(url, path, bearer)
        assert told(answer) == (403, "forbidden")
        assert role.value in answer.json()["title"]


async def test_health_needs_no_token_and_metrics_are_told_to_this_machine(url):
    for path in ("/livez", "/readyz", "/metrics", "/sign-in", "/static/siao.css"):
        assert (await ask(url, path, None)).status_code == 200, path


async def test_metrics_are_not_told_to_other_machines(servers):
    from services.gateway.headers import BrowserHeaders

    async def app(scope, receive, send):
        raise AssertionError("not reached")

    transport = httpx.ASGITransport(BrowserHeaders(app), client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.get("/metrics")).json()["code"] == "route_unknown"


async def test_signing_in_gives_a_cookie_that_reads_and_never_writes(servers, url):
    async with g.client(url) as client:
        answer = await client.post("/session", data={"token": f" {g.token(servers)}\n"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert (await client.get("/v1/coverage")).status_code == 200
        assert (await client.get("/")).status_code == 200
        assert told(await client.post("/v1/registry/commands", content=b"{}")) == (401, "token_missing")
        await client.post("/session/end")
        assert (await client.get("/")).headers["location"] == "/sign-in"


async def test_a_browser_that_is_not_signed_in_is_shown_where_to(servers, url):
    page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with g.client(url) as client:
        for path in ("/", "/docs"):
            answer = await client.get(path, headers=page)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        await client.post("/session", data={"token": g.token(servers)})
        assert (await client.get("/docs", headers=page)).status_code == 200
    async with g.client(url, g.token(servers)) as client:
        assert (await client.get("/docs", headers=page)).status_code == 200
    assert told(await ask(url, "/docs", "x")) == (401, "token_invalid")


async def test_signing_in_with_a_token_that_does_not_fit_says_why(servers, url):
    async with g.client(url) as client:
        for bad, why in (("x", "token_invalid"), (signed(servers, exp=1), "token_expired"), ("", "token_invalid")):
            answer = await client.post("/session", data={"token": bad})
            assert answer.headers["location"] == f"/sign-in?why={why}"
            assert "set-cookie" not in answer.headers
        assert "โทเคนหมดอายุ" in (await client.get("/sign-in?why=token_expired")).text
        assert "<script>" not in (await client.get("/sign-in?why=<script>")).text


async def test_another_site_cannot_sign_a_browser_in(servers, url):
    async with g.client(url) as client:
        answer = await client.post(
            "/session", data={"token": g.token(servers)}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert told(answer) == (403, "cross_site_sign_in")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/sign-in", "/v1/coverage", "/static/live.js", "/nowhere"])
async def test_a_browser_is_told_to_load_nothing_from_elsewhere(url, path):
    answer = await ask(url, path, None)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(answer.headers["x-trace-id"]) == 32


async def test_what_is_not_there_and_what_is_not_taken(servers, url):
    bearer = g.token(servers)
    assert told(await ask(url, "/v1/nothing", bearer)) == (404, "route_unknown")
    async with g.client(url, bearer) as client:
        assert told(await client.delete("/v1/coverage")) == (405, "method_not_allowed")
        assert told(await client.post("/v1/treasury/commands", content=b"{}")) == (404, "route_unknown")
