"""Every setting is documented, in the words of the code, and nothing is documented that is no setting."""

import re
from pathlib import Path

from shared.runtime.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
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
