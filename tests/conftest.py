"Figures that tests measure: `measured(text)` puts a line at the end of pytest's output, whether the test passes or not"
import pytest

SAID = []


@pytest.fixture(scope="session")
def measured(): return SAID.append


def pytest_terminal_summary(terminalreporter):
    if SAID: terminalreporter.section("measured")
    for line in SAID: terminalreporter.write_line(line)
