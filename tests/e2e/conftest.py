"""The demonstration as the README starts it: `./siao demo --once`, run once for all files of this folder."""

import sys

import pytest

from tests.support.launching import Demonstrated, lend_environment, lend_jars, siao


@pytest.fixture(scope="session")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Demonstrated:
    if sys.prefix == sys.base_prefix:
        pytest.skip("only a virtual environment can be lent")
    where = tmp_path_factory.mktemp("siao home")
    lend_jars(where)
    with pytest.MonkeyPatch.context() as monkeypatch:
        lend_environment(where, monkeypatch)
    return Demonstrated(where, *siao(where, "demo", "--once"))
