"""``localproc subscription``: what is done when something happens."""

from pathlib import Path

from tests.cli.terminal import localproc

FILES = """\
when: {event: file, folder: inbox, pattern: "*.txt"}
target:
  process: echo
  inputs: {message: $(event.path)}
every: 5
"""


def test_a_subscription_from_its_beginning_to_its_end(packages: Path, here: Path) -> None:
    (here / "inbox.yml").write_text(FILES)
    assert localproc("subscription", "add", "inbox", "inbox.yml").code == 2  # there is no process
    assert localproc("deploy", packages / "echo.cwl").code == 0
    added = localproc("subscription", "add", "inbox", "inbox.yml")
    assert added.code == 0, added.err
    assert added.out == "inbox  file  process echo\n"
    assert localproc("subscription", "add", "inbox", "inbox.yml").code == 2
    assert localproc("subscription", "disable", "inbox").code == 0
    assert "disabled" in localproc("subscription", "list").out
    assert localproc("subscription", "enable", "inbox").code == 0
    (one,) = localproc("subscription", "list", "--json").document["subscriptions"]
    assert one["when"]["folder"] == str(here / "inbox")
    assert one["every"] == 5
    assert "inbox" in localproc("subscription", "show", "inbox").out
    misspelt = FILES.replace("event.path", "event.pth")
    (here / "misspelt.yml").write_text(misspelt)
    said = localproc("subscription", "add", "other", "misspelt.yml")
    assert (said.code, "there is no $(event.pth)" in said.err) == (2, True)
    assert localproc("subscription", "remove", "inbox").code == 0
    assert localproc("subscription", "show", "inbox").code == 2


def test_a_file_with_other_members_is_told_what_is_wrong(packages: Path, here: Path) -> None:
    assert localproc("deploy", packages / "echo.cwl").code == 0
    for line, said in {
        "name: other": "name: there is no such member",
        "replace_it: true": "replace_it: there is no such member",
        "evry: 3": "did you mean 'every'?",
        "enabled: often": "expected bool, got 'often'",
    }.items():
        (here / "inbox.yml").write_text(f"{FILES}{line}\n")
        added = localproc("subscription", "add", "inbox", "inbox.yml")
        assert (added.code, "Traceback" in added.err) == (2, False)
        assert said in added.err
    assert localproc("subscription", "list", "--json").document["subscriptions"] == []
