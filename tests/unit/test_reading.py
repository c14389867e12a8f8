"""Reading commands: what is wrong, where, in a stable code; never what stood there."""

import json

import pytest

from shared.commands.reading import MAX_COMMAND_BYTES, Reader
from shared.errors import Rejected
from shared.events import catalog
from shared.runtime import problems
from shared.runtime.auth import Caller, Role

CALLER = Caller("ac-1", "example-office", Role.AGENCY)
EVERY = {name: kind for service in catalog.SERVICES for name, kind in catalog.COMMANDS[service].items()}
reader = Reader(EVERY, b"k" * 32)

HELP = {
    "type": "RecordIntervention.v1",
    "id": "a-1",
    "data": {
        "household": "hh_" + "a" * 20,
        "occurred_on": "2019-11-05",
        "item": "relief-bag",
        "dimensions": ["living"],
        "level": "initial",
        "provider": "red-cross",
        "amount_baht": "500.00",
    },
}


def changed(**data):
    return {**HELP, "data": {**HELP["data"], **data}}


def refusal(body):
    with pytest.raises(Rejected) as caught:
        reader.read(body if isinstance(body, bytes) else json.dumps(body).encode(), CALLER)
    return caught.value


def test_a_good_command_is_read():
    submission = reader.read(json.dumps(HELP).encode(), CALLER)
    assert submission.command.level == "initial"
    assert submission.key == ("example-office", "a-1")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"{", "json_malformed", None),
        (b"[]", "json_not_object", None),
        (b'{"type":"A","type":"B"}', "json_duplicate_name", "type"),
        ({**HELP, "data": {"a": [{"b": "x\0"}]}}, "nul_byte", None),
        (b"\xff\xfe", "json_malformed", None),
        (b'{"type": NaN}', "json_malformed", None),
        (b"[" * 100_000, "json_malformed", None),
        (b'{"type":"\x00"}', "nul_byte", None),
        (b'{"type":"\\u0000"}', "nul_byte", None),
        (b'{"type":"\\\\u0000"}', "command_unknown", "type"),
        (b'{"type":"\\\\\\u0000"}', "nul_byte", None),
        (b" " * (MAX_COMMAND_BYTES + 1), "body_too_large", None),
        ({"id": "1"}, "field_missing", "type"),
        ({**HELP, "type": "RecordIntervention.v9"}, "command_unknown", "type"),
        ({**HELP, "id": ""}, "field_invalid", "id"),
        ({**HELP, "id": "สมชาย"}, "field_invalid", "id"),
        ({**HELP, "extra": 1}, "field_unknown", "extra"),
        ({"type": HELP["type"], "id": "1"}, "field_missing", "data"),
        ({**HELP, "reported_on": "2562-11-05"}, "buddhist_year", "reported_on"),
        (changed(colour="red"), "field_unknown", "data.colour"),
        (changed(occurred_on="2562-11-05"), "buddhist_year", "data.occurred_on"),
        (changed(occurred_on="2563-02-29"), "buddhist_year", "data.occurred_on"),
        (changed(occurred_on="2019-02-29"), "field_invalid", "data.occurred_on"),
        (changed(occurred_on="05/11/2019"), "field_invalid", "data.occurred_on"),
        (changed(occurred_on="1819-11-05"), "date_too_early", "data.occurred_on"),
        (changed(occurred_on=1), "field_invalid", "data.occurred_on"),
        (changed(amount_baht="-1"), "amount_negative", "data.amount_baht"),
        (changed(amount_baht=-1), "amount_negative", "data.amount_baht"),
        (changed(amount_baht="1.234"), "field_invalid", "data.amount_baht"),
        (changed(dimensions=[]), "field_invalid", "data.dimensions"),
        (changed(dimensions=["living", "living"]), "named_twice", "data.dimensions"),
        (changed(dimensions=["poetry"]), "field_invalid", "data.dimensions.0"),
        (changed(household="hh_1"), "field_invalid", "data.household"),
        (changed(household=None), "field_invalid", "data.household"),
    ],
)
def test_a_bad_one_is_refused_by_code_and_field(body, code, field):
    said = refusal(body)
    assert (said.code, said.field) == (code, field)


def test_every_refusal_is_a_problem_document_in_both_languages():
    told = problems.document(refusal(changed(level="a lot")))
    assert told["code"] == "field_invalid"
    assert told["type"] == "urn:siao:problem:field_invalid"
    assert "initial" in told["title"]
    assert "initial" in told["title_th"]
    assert told["title_th"].startswith("ข้อมูลช่องนี้")
    assert " or " not in told["title_th"]


def test_personal_details_are_never_repeated():
    body = {
        "type": "RegisterHousehold.v1",
        "id": "1",
        "data": {
            "occurred_on": "2019-01-01",
            "village": "40010101",
            "members": [{"relation": "head", "name": "ลับมาก\n", "citizen_id": "1234567890123", "phone": 7}],
        },
    }
    said = refusal(body)
    assert said.field == "data.members.0.name"
    assert "ลับมาก" not in json.dumps(problems.document(said), ensure_ascii=False)
    body["data"]["members"][0] |= {"name": "ลับมาก", "phone": "0812345678"}
    assert "ลับมาก" not in repr(reader.read(json.dumps(body).encode(), CALLER))


def test_the_same_content_in_another_order_is_the_same_body():
    there = reader.read(json.dumps(HELP).encode(), CALLER)
    back = reader.read(json.dumps(dict(reversed(HELP.items())), indent=1).encode(), CALLER)
    other = reader.read(json.dumps(changed(level="resolved")).encode(), CALLER)
    assert there.digest == back.digest != other.digest
