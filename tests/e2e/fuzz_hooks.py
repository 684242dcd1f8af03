"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): ids in paths mostly name what was seeded."""
import json
import os

import schemathesis

SEEDED = json.loads(os.environ["FUZZ_SEEDED"])  # by name of the parameter: the ids that exist
STRANGE = 7  # each so-manyth value is left as it came


def known(name, value):
    """One of the seeded ids instead of a generated one; the same for the same value."""
    ids = SEEDED.get(name)
    number = value if isinstance(value, int) else sum(str(value).encode())
    if not ids or number % STRANGE == 0:
        return value
    return ids[number % len(ids)]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return {name: known(name, value) for name, value in (path_parameters or {}).items()}
