"""A pair that is kept in `/data`, with what was found when it was judged: once, not at every boot.

Cryptography is imported only for a pair that nobody has judged yet.
"""

import contextlib
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from appliance.certificates.facts import Facts, Pair
from appliance.certificates.source import Source
from appliance.errors import OperationError
from appliance.files import write_atomically


def load(source: Source, judged: Path) -> Pair:
    """Return the pair of a source, judged before or now. Raise PairError if it is no good.

    `judged` is the file of what was found.
    """
    known = _read(judged)
    try:
        chain, key = Path(source.certificate).read_text(), Path(source.key).read_text()
    except (OSError, UnicodeDecodeError):
        known = {}
    else:
        if known.get("digest") == _digest(chain, key):
            return Pair(chain, key, Facts.from_dict(known["facts"]))
    from appliance.certificates import pair

    found = pair.judge(source)
    text = json.dumps({"digest": _digest(found.chain, found.key), "facts": asdict(found.facts)})
    with contextlib.suppress(OperationError):  # a full disk: then it is judged again next time
        write_atomically(judged, text + "\n", mode=0o600)
    return found


def _read(judged: Path) -> dict[str, Any]:
    try:
        known = json.loads(judged.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _digest(chain: str, key: str) -> str:
    return hashlib.sha256(f"{chain}\0{key}".encode()).hexdigest()
