"""Makes and opens Fernet tokens by Python's cryptography.

Reads a JSON array of {"key", "text"} or {"key", "token"} from standard input, and writes an array of the tokens made
of the texts, and of the texts that the tokens carry; null for a token that is not valid, or older than a minute.
"""

import json
import sys

from cryptography.fernet import Fernet, InvalidToken


def answer(asked):
    fernet = Fernet(asked["key"])
    if "text" in asked:
        return fernet.encrypt(asked["text"].encode()).decode()
    try:
        return fernet.decrypt(asked["token"], ttl=60).decode()
    except InvalidToken:
        return None


json.dump([answer(asked) for asked in json.load(sys.stdin)], sys.stdout)
