"""Verifies notifications with PyPI's Standard Webhooks library: JSON lines in, verdicts out."""
import json
import sys

sys.path.insert(0, sys.argv[1])
from standardwebhooks import Webhook  # noqa: E402 pylint: disable=wrong-import-position

for line in sys.stdin:
    given = json.loads(line)
    VERDICT = "ok"
    try:
        Webhook(given["secret"]).verify(given["body"], given["headers"])
    except Exception as why:  # pylint: disable=broad-exception-caught
        VERDICT = " ".join(repr(why).split())
    print(VERDICT)
