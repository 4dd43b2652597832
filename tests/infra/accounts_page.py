"""What infra/ACCOUNTS.md shows: its examples, and its code for logins."""

import re

from template import INFRA

PAGE = (INFRA / "ACCOUNTS.md").read_text()


def section(title):
    """The text under a heading of the third level."""
    return re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)[1]


def blocks(language, text=PAGE):
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
