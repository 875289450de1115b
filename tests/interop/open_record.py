"""Opens one record of Sotto, given its keys.

Reads a JSON object from standard input and writes the inner plaintext to standard output, in hexadecimal.
Ends with code 1 where the record is not authentic.

    suite           "a256cbc-hs512" or "a256ctr-hs512"
    mac_key         32 octets, in hexadecimal as all octets here
    encryption_key  32 octets
    epoch           which keys these are: 0 for the handshake's, 1 for the application's
    sequence        how many records this direction has sent under these keys before
    record          the frame's body: IV 16 | ciphertext | tag 32
"""

import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


def tag(mac_key, associated, iv, ciphertext):
    """RFC 7518 section 5.2.2.1: the first half of an HMAC over A | IV | C | bit length of A."""
    data = associated + iv + ciphertext + struct.pack(">Q", 8 * len(associated))
    return hmac.digest(mac_key, data, "sha512")[:32]


def decrypt(suite, key, iv, ciphertext):
    if suite == "a256ctr-hs512":
        return Cipher(algorithms.AES256(key), modes.CTR(iv)).decryptor().update(ciphertext)
    padded = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor().update(ciphertext)
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def main():
    given = json.load(sys.stdin)
    record = bytes.fromhex(given["record"])
    iv, ciphertext, sent_tag = record[:16], record[16:-32], record[-32:]
    associated = struct.pack(">IQH", given["epoch"], given["sequence"], len(record))
    expected = tag(bytes.fromhex(given["mac_key"]), associated, iv, ciphertext)
    # The tag first: nothing is decrypted that is not authentic.
    if not hmac.compare_digest(expected, sent_tag):
        sys.exit("Cannot open the record: its tag is wrong")
    plaintext = decrypt(given["suite"], bytes.fromhex(given["encryption_key"]), iv, ciphertext)
    print(plaintext.hex())


main()
