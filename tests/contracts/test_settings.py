"""Every setting is documented, in the words of the code, and nothing is documented that is no setting."""

import re
from pathlib import Path

from shared.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "settings.md"
MARKER = "SIAO_MARKER"
"""Set for processes so that they can be found; none reads its own."""
MOST = 15


def test_the_document_lists_the_settings_that_exist():
    rows = dict(
        re.findall(
            r"^\| `SIAO_([A-Z_]+)` \| (.+?) \|",
            DOCUMENT.read_text(encoding="utf-8").partition("The launcher has")[0],
            re.M,
        )
    )
    assert rows == {name.upper(): field.description for name, field in Settings.model_fields.items()}


def test_there_are_few_of_them():
    assert len(Settings.model_fields) <= MOST


def test_no_code_reads_a_setting_that_the_document_does_not_name():
    """Whatever looks at the environment by name; Settings does it by field."""
    files = [
        ROOT / "siao",
        *(path for folder in ("shared", "services", "deploy") for path in (ROOT / folder).rglob("*.py")),
    ]
    named = {name for path in files for name in re.findall(r"\"(SIAO_[A-Z_]+)\"", path.read_text(encoding="utf-8"))}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named |= set(re.findall(r"\"(SIAO_TEST_[A-Z_]+)\"", tests))
    listed = set(re.findall(r"^\| `(SIAO_[A-Z_]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.M))
    settings = {f"SIAO_{name.upper()}" for name in Settings.model_fields}
    assert named - {MARKER} <= listed
    assert listed <= named | settings
