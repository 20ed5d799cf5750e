"""Sends one photograph to a running service and says what the applicant is to be told.

    BONAFIDE_URL=http://127.0.0.1:8080 BONAFIDE_KEY=bf_… python check.py photo.jpg

Nothing but the standard library.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("BONAFIDE_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("BONAFIDE_KEY", "")


def check(photograph: bytes, document: str = "", tries: int = 4) -> dict:
    """The report of a photograph: the untouched file of the camera. Raises for a file that is none."""
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/octet-stream"}
    if KEY:
        headers["Authorization"] = f"Bearer {KEY}"
    where = f"{URL}/v1/check" + (f"?document={document}" if document else "")
    while True:
        tries -= 1
        try:
            with urllib.request.urlopen(urllib.request.Request(where, photograph, headers), timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            if error.code not in (429, 503) or tries == 0:
                raise RuntimeError(f"{problem['code']}: {problem['detail']}") from None
            # The same key: what was recorded before the answer was lost is not recorded twice.
            time.sleep(float(error.headers.get("Retry-After", 1)))


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        report = check(file.read())
    print(report["decision"])
    for reason in report["reasons"]:
        print(f"{reason['code']}: {reason['en']}")
