"""What pip says when there is nothing to install from: a test that needs an index then skips."""

from __future__ import annotations

import re

NO_INDEX = re.compile(r"from versions: none|Failed to establish|name resolution|ConnectionError")
