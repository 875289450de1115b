"""Computes the golden vectors of Sotto's identities anew, from the formulas of PROTOCOL.md alone.

Takes the path of tests/identity/vectors.json. Writes one line to standard output for each value that came out as
the file says; ends with code 1 at the first that did not.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ZEROS = bytes(32)


def same(name, computed, written):
    if computed != written:
        sys.exit(f"{name} differs: {computed} is computed, {written} is written")
    print(name)


def short(octets):
    return struct.pack(">B", len(octets)) + octets


def long(octets):
    return struct.pack(">H", len(octets)) + octets


def label(words):
    return b"sotto/1 " + words.encode() + b"\0"


def raw(public_key):
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def signature(seed, octets):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(octets).hex()


def derived(secret, info):
    return HKDF(algorithm=SHA512(), length=64, salt=bytes(64), info=info).derive(secret)


def box(key, associated, iv, secret):
    """RFC 7518 section 5.2.2.1, the IV in front."""
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(key[32:]), modes.CBC(iv)).encryptor()
    tagged = iv + encryptor.update(padder.update(secret) + padder.finalize()) + encryptor.finalize()
    bits = struct.pack(">Q", 8 * len(associated))
    return (tagged + hmac.digest(key[:32], associated + tagged + bits, "sha512")[:32]).hex()


def places(digest, count):
    """Where in the list the words are: eleven bits each."""
    bits = bin(int.from_bytes(digest, "big"))[2:].zfill(8 * len(digest))
    return [int(bits[at : at + 11], 2) for at in range(0, 11 * count, 11)]


def device_list(given):
    octets = b"\1" + short(given["handle"].encode()) + struct.pack(">I", given["number"])
    octets += short(given["display"].encode()) + struct.pack(">B", len(given["devices"]))
    for device in given["devices"]:
        octets += bytes.fromhex(device["key"]) + short(device["name"].encode())
        octets += struct.pack(">QQ", device["added"], device["revoked"])
    return octets


def check_lists(golden, host, seeds):
    octets = device_list(golden["list"])
    same("device list", octets.hex(), golden["octets"])
    signed = label("device list") + short(host) + long(octets)
    same("device list's signature", signature(seeds["identity"], signed), golden["signature"])


def room_id(words, octets):
    return hashlib.sha256(label(words) + octets).digest()[:16]


def check_rooms(golden, host):
    same("lobby's id", room_id("lobby", host).hex(), golden["lobby"])
    created_by = bytes.fromhex(golden["open"]["createdBy"])
    same("open room's id", room_id("room", host + created_by).hex(), golden["open"]["id"])
    first, second = sorted(handle.encode() for handle in golden["direct"]["people"])
    direct = room_id("direct", host + short(first) + short(second))
    same("direct conversation's id", direct.hex(), golden["direct"]["id"])


def check_log(entries, host, seeds):
    """Each entry's digest, signature and hash; the places that it names are those of the entries computed before."""
    room = room_id("lobby", host)
    hashes = [ZEROS]
    for entry in entries:
        name = f"entry {entry['sequence']}'s"
        digest = hashlib.sha256(bytes.fromhex(entry["salt"]) + bytes.fromhex(entry["body"])).digest()
        same(f"{name} digest", digest.hex(), entry["digest"])
        header = room + bytes.fromhex(entry["id"]) + short(entry["kind"].encode()) + short(entry["from"].encode())
        header += bytes.fromhex(entry["device"])
        for place in (entry["seen"], entry["about"]):
            header += struct.pack(">Q", place) + hashes[place]
        header += digest
        seed = seeds["device"] if entry["from"] else seeds["host"]
        signed = signature(seed, label("entry") + header)
        same(f"{name} signature", signed, entry["signature"])
        placed = struct.pack(">QQ", entry["sequence"], entry["time"]) + hashes[-1]
        hashed = hashlib.sha256(label("log") + header + bytes.fromhex(signed) + placed).digest()
        same(f"{name} hash", hashed.hex(), entry["hash"])
        hashes.append(hashed)


def check_recovery(golden, host, seeds):
    code = bytes.fromhex(golden["code"])
    number = int.from_bytes(code, "big")
    characters = "".join(CROCKFORD[number >> 5 * (31 - at) & 31] for at in range(32))
    same("recovery code", "-".join(characters[at : at + 4] for at in range(0, 32, 4)), golden["text"])
    info = label("recovery") + short(host) + short(golden["handle"].encode())
    iv = bytes.fromhex(golden["blob"])[:16]
    same("recovery blob", box(derived(code, info), info, iv, seeds["identity"]), golden["blob"])


def check_approval(golden, host, identity, seeds):
    share = raw(X25519PrivateKey.from_private_bytes(bytes.fromhex(golden["seed"])).public_key())
    same("new device's share", share.hex(), golden["share"])
    about = short(host) + short(b"ann") + identity + bytes.fromhex(golden["device"]) + share
    digest = hashlib.sha512(label("approval") + about).digest()
    same("approval words", places(digest, 6), golden["words"]["places"])
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(golden["approverSeed"]))
    approver = raw(private.public_key())
    same("approver's share", approver.hex(), golden["approver"])
    secret = private.exchange(X25519PublicKey.from_public_bytes(share))
    info = label("approval key") + about
    iv = bytes.fromhex(golden["sealed"])[:16]
    same("sealed seed", box(derived(secret, info + approver), info, iv, seeds["identity"]), golden["sealed"])


def check_invitation(golden, host):
    key, code, certificate = (
        base64.urlsafe_b64encode(octets).decode().rstrip("=")
        for octets in (host, bytes.fromhex(golden["code"]), bytes.fromhex(golden["certificate"]))
    )
    same("invitation", f"sotto://[::1]:8443/{key}?code={code}&tls={certificate}", golden["text"])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        golden = json.load(file)
    seeds = {name: bytes.fromhex(pair["seed"]) for name, pair in golden["keys"].items()}
    keys = {name: raw(Ed25519PrivateKey.from_private_bytes(seed).public_key()) for name, seed in seeds.items()}
    for name, key in keys.items():
        same(f"key of {name}", key.hex(), golden["keys"][name]["key"])
    check_lists(golden["deviceList"], keys["host"], seeds)
    check_rooms(golden["rooms"], keys["host"])
    check_log(golden["log"], keys["host"], seeds)
    check_recovery(golden["recovery"], keys["host"], seeds)
    check_approval(golden["approval"], keys["host"], keys["identity"], seeds)
    pair = b"".join(sorted([keys["identity"], keys["other"]]))
    digest = hashlib.sha512(label("safety words") + keys["host"] + pair).digest()
    same("safety words", places(digest, 12), golden["safetyWords"]["places"])
    check_invitation(golden["invitation"], keys["host"])


main()
