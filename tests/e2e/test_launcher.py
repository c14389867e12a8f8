"""`./siao demo --once`, the checkout's own, in a new home."""

from tests.support.launching import Demonstrated, siao


def test_the_first_command_of_the_readme(demonstrated: Demonstrated) -> None:
    where, code, said = demonstrated
    assert code == 0, said
    assert "every figure is the published one" in said
    assert said.splitlines()[-1].startswith("Stopped in ")
    assert "(run) installed in" not in said
    token = (where / "agencies" / "governor.token").read_text().strip()
    assert token not in said
    code, said = siao(where, "down")
    assert (code, said.startswith("Nothing runs in")) == (0, True)
