"""Recomputes the worked session of PROTOCOL.md section 11, written from that document alone.

Reads the document from standard input. Computes the key schedule and every record from what section 11.2 gives, opens
each record as its receiver would, and compares all of it with what the document shows. The one thing taken from the
document and not computed is what ML-KEM gives: the key, the ciphertext and the secret. Ends with code 1 at the first
difference.
"""

import hashlib
import hmac
import re
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ZERO = bytes(64)
KINDS = {"handshake": 1, "message": 2, "rekey": 3, "ping": 4, "close": 5}
BUCKETS = [64, 256, 1024, 4096, 16384]


class Fault(Exception):
    """Something in the document that does not follow from the rest."""


def raw(public_key):
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def named_octets(document):
    """Section 11.1: `name = hex`, gone on in indented lines, `#` for remarks."""
    found, name = {}, None
    for block in re.findall(r"^```hex\n(.*?)^```$", document, re.M | re.S):
        for line in block.splitlines():
            line = re.sub(r"#.*", "", line).rstrip()
            begun = re.match(r"(\S+) =(.*)", line)
            if begun:
                name, line = begun[1], begun[2]
                found[name] = ""
            if line:
                found[name] += re.sub(r"\s", "", line)
    return {name: bytes.fromhex(digits) for name, digits in found.items()}


# Section 2


def mac(key, data):
    return hmac.digest(key, data, "sha512")


def l(x):
    return bytes([len(x)]) + x


def xl(secret, label, transcript=b""):
    info = struct.pack(">H", 64) + l(b"sotto/1 " + label.encode()) + l(transcript)
    return mac(secret, info + b"\x01")


def sha512(data):
    return hashlib.sha512(data).digest()


# Section 4.2


def message(kind, fields):
    return struct.pack(">BH", kind, len(fields)) + fields


def hello(given, share, ml_kem_key, psk=None):
    mode = 0 if psk is None else 1
    suites = bytes([1, 2])
    fields = b"sotto" + bytes([1, mode]) + given["client_nonce"] + l(suites) + share + ml_kem_key
    if psk is None:
        return message(1, fields)
    before = message(1, fields + bytes(32))[:-32]
    return before + mac(xl(mac(ZERO, psk), "binder"), sha512(before))[:32]


# Section 5


class Direction:
    """One direction of a connection, at either end."""

    def __init__(self, secret, epoch, suite="a256cbc-hs512"):
        self.secret, self.epoch, self.suite, self.sequence = secret, epoch, suite, 0
        key = xl(secret, "key " + suite)
        self.mac_key, self.encryption_key = key[:32], key[32:]

    def next(self):
        return Direction(xl(self.secret, "rekey"), self.epoch + 1, self.suite)

    def tag(self, iv, ciphertext):
        n = 16 + len(ciphertext) + 32
        a = struct.pack(">IQH", self.epoch, self.sequence, n)
        return mac(self.mac_key, a + iv + ciphertext + struct.pack(">Q", 112))[:32]

    def cipher(self, iv):
        mode = modes.CBC(iv) if self.suite == "a256cbc-hs512" else modes.CTR(iv)
        return Cipher(algorithms.AES256(self.encryption_key), mode)

    def seal(self, kind, content, iv):
        bucket = next(size for size in BUCKETS if size >= 3 + len(content))
        inner = struct.pack(">BH", KINDS[kind], len(content)) + content
        inner += bytes(bucket - len(inner))
        if self.suite == "a256cbc-hs512":
            padder = PKCS7(128).padder()
            inner = padder.update(inner) + padder.finalize()
        encryptor = self.cipher(iv).encryptor()
        ciphertext = encryptor.update(inner) + encryptor.finalize()
        body = iv + ciphertext + self.tag(iv, ciphertext)
        self.sequence += 1
        return frame(body)

    def open(self, whole):
        n, body = struct.unpack(">H", whole[:2])[0], whole[2:]
        if n != len(body):
            raise Fault("a frame has another length than it says")
        if n not in [bucket + (64 if self.suite == "a256cbc-hs512" else 48) for bucket in BUCKETS]:
            raise Fault("a record has no size of section 5.3")
        iv, ciphertext, tag = body[:16], body[16:-32], body[-32:]
        if not hmac.compare_digest(tag, self.tag(iv, ciphertext)):
            raise Fault("a record's tag is wrong")
        decryptor = self.cipher(iv).decryptor()
        inner = decryptor.update(ciphertext) + decryptor.finalize()
        if self.suite == "a256cbc-hs512":
            unpadder = PKCS7(128).unpadder()
            inner = unpadder.update(inner) + unpadder.finalize()
        kind, length = struct.unpack(">BH", inner[:3])
        if len(inner) not in BUCKETS or any(inner[3 + length :]):
            raise Fault("an inner plaintext is malformed")
        self.sequence += 1
        return next(name for name, code in KINDS.items() if code == kind), inner[3 : 3 + length]


def frame(body):
    return struct.pack(">H", len(body)) + body


def packed(application_message):
    return struct.pack(">H", len(application_message)) + application_message


class Check:
    """Compares what was computed with what the document shows."""

    def __init__(self, shown):
        self.shown = shown

    def __call__(self, name, computed):
        if self.shown[name] != computed:
            raise Fault(f"{name} is {computed.hex()}")
        return computed


def handshake(shown, check):
    """Sections 4.2 to 4.4; gives the two application secrets."""
    ours = X25519PrivateKey.from_private_bytes(shown["client_x25519_seed"])
    theirs = X25519PrivateKey.from_private_bytes(shown["server_x25519_seed"])
    host = Ed25519PrivateKey.from_private_bytes(shown["server_host_seed"])
    host_key = check("host_key", raw(host.public_key()))
    our_share, their_share = (raw(pair.public_key()) for pair in (ours, theirs))
    x25519_secret = check("x25519_secret", ours.exchange(X25519PublicKey.from_public_bytes(their_share)))
    check("x25519_secret", theirs.exchange(X25519PublicKey.from_public_bytes(our_share)))

    first = hello(shown, our_share, shown["hello_frame"][-1184:])
    check("hello_frame", frame(first))
    reply = message(2, bytes([1]) + shown["server_nonce"] + their_share + shown["reply_frame"][-1088:])
    check("reply_frame", frame(reply))

    early = check("early_secret", mac(ZERO, ZERO))
    salt = check("early_derived", xl(early, "derived"))
    hs = check("hs_secret", mac(salt, shown["ml_kem_secret"] + x25519_secret))
    t_reply = check("t_reply", sha512(first + reply))
    c_hs = check("c_hs", xl(hs, "c hs", t_reply))
    s_hs = check("s_hs", xl(hs, "s hs", t_reply))

    transcript = first + reply + message(3, host_key)
    signed = b"sotto/1 server auth" + b"\x00" + check("t_host_key", sha512(transcript))
    signature = host.sign(signed)
    transcript += message(4, signature)
    finished = mac(xl(s_hs, "finished"), check("t_signature", sha512(transcript)))[:32]
    transcript += message(5, finished)
    proof = check("proof_messages", message(3, host_key) + message(4, signature) + message(5, finished))
    check("proof_frame", Direction(s_hs, 0).seal("handshake", proof, shown["proof_iv"]))
    if Direction(s_hs, 0).open(shown["proof_frame"]) != ("handshake", proof):
        raise Fault("the server's record carries something else")
    Ed25519PublicKey.from_public_bytes(host_key).verify(proof[38:102], signed)

    done = mac(xl(c_hs, "finished"), check("t_finished", sha512(transcript)))[:32]
    done = check("done_message", message(6, done))
    check("done_frame", Direction(c_hs, 0).seal("handshake", done, shown["done_iv"]))
    if Direction(c_hs, 0).open(shown["done_frame"]) != ("handshake", done):
        raise Fault("the client's record carries something else")

    t_done = check("t_done", sha512(transcript + done))
    ms = mac(check("hs_derived", xl(hs, "derived")), ZERO)
    check("exporter", xl(ms, "exporter", t_done))
    return check("c_ap", xl(ms, "c ap", t_done)), check("s_ap", xl(ms, "s ap", t_done))


def conversation(shown, check, c_ap, s_ap):
    """Sections 5 and 11.5; gives how many contents were opened."""
    steps = [
        ("join", "client", "message", packed(shown["join_message"])),
        ("presence", "server", "message", packed(shown["presence_message"])),
        ("send", "client", "message", packed(shown["send_message"])),
        ("ack", "server", "message", packed(shown["ack_message"])),
        ("rekey", "client", "rekey", b""),
        ("ping", "client", "ping", b""),
        ("close", "client", "close", bytes([0, 0])),
        ("answer", "server", "close", bytes([0, 0])),
    ]
    sending = {"client": Direction(c_ap, 1), "server": Direction(s_ap, 1)}
    receiving = {"client": Direction(c_ap, 1), "server": Direction(s_ap, 1)}
    for name, sender, kind, content in steps:
        check(name + "_frame", sending[sender].seal(kind, content, shown[name + "_iv"]))
        if receiving[sender].open(shown[name + "_frame"]) != (kind, content):
            raise Fault(f"{name}_frame carries something else")
        if kind == "rekey":
            sending[sender], receiving[sender] = sending[sender].next(), receiving[sender].next()
    check("c_ap_rekeyed", sending["client"].secret)
    return len(steps)


def keys(shown, check):
    for name in ("c_hs", "s_hs", "c_ap", "s_ap", "c_ap_rekeyed"):
        check(name + "_key", xl(shown[name], "key a256cbc-hs512"))


def pre_shared_key(shown, check):
    """Sections 4.5 and 11.6."""
    psk = hashlib.scrypt(
        shown["psk_passphrase"], salt=b"sotto psk v1", n=2**17, r=8, p=1, dklen=32, maxmem=2**28
    )
    early = check("psk_early_secret", mac(ZERO, check("psk", psk)))
    check("psk_binder_key", xl(early, "binder"))
    share = raw(X25519PrivateKey.from_private_bytes(shown["client_x25519_seed"]).public_key())
    bound = frame(hello(shown, share, shown["hello_frame"][-1184:], psk))
    check("psk_hello_start", bound[:12])
    check("psk_binder", bound[-32:])
    if bound[12:-32] != shown["hello_frame"][12:]:
        raise Fault("the bound Hello differs elsewhere too")


def counter_mode(shown, check, c_ap):
    """Section 11.7."""
    check("ctr_key", xl(c_ap, "key a256ctr-hs512"))
    check("ctr_frame", Direction(c_ap, 1, "a256ctr-hs512").seal("ping", b"", shown["ctr_iv"]))
    if Direction(c_ap, 1, "a256ctr-hs512").open(shown["ctr_frame"]) != ("ping", b""):
        raise Fault("the record of suite 2 carries something else")


def main():
    shown = named_octets(sys.stdin.read())
    check = Check(shown)
    try:
        c_ap, s_ap = handshake(shown, check)
        contents = conversation(shown, check, c_ap, s_ap)
        keys(shown, check)
        pre_shared_key(shown, check)
        counter_mode(shown, check, c_ap)
    except (Fault, InvalidSignature, ValueError) as fault:
        sys.exit(f"Cannot follow the worked session: {fault or 'the signature is wrong'}")
    print(f"the worked session is right: {contents} application contents")


main()
