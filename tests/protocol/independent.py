"""Recomputes the worked session of PROTOCOL.md section 11, written from that document alone.

Reads the document from standard input. Computes the key schedule, every signature, box and message, and every record
from what section 11.2 gives, opens each record as its receiver would, and compares all of it with what the document
shows. Two things are taken from the document and not computed: what ML-KEM gives (the key, the ciphertext and the
secret), and what OPAQUE gives (the fields of its six messages and the session key). Ends with code 1 at the first
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


def ll(x):
    return struct.pack(">H", len(x)) + x


def label(purpose):
    return b"sotto/1 " + purpose.encode() + b"\x00"


def hkdf(secret, info):
    return mac(mac(ZERO, secret), info + b"\x01")


def box(key, associated, secret, iv):
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(key[32:]), modes.CBC(iv)).encryptor()
    tagged = iv + encryptor.update(padder.update(secret) + padder.finalize()) + encryptor.finalize()
    return tagged + mac(key[:32], associated + tagged + struct.pack(">Q", 8 * len(associated)))[:32]


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


def cbor(value):
    """Section 6.1: the deterministic encoding."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return cbor_head(0, value)
    if isinstance(value, bytes):
        return cbor_head(2, len(value)) + value
    if isinstance(value, str):
        return cbor_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return cbor_head(4, len(value)) + b"".join(map(cbor, value))
    pairs = sorted((cbor(key), cbor(field)) for key, field in value.items())
    return cbor_head(5, len(pairs)) + b"".join(key + field for key, field in pairs)


def cbor_head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    size = next(size for size in (1, 2, 4, 8) if value < 256**size)
    return bytes([major << 5 | 24 + {1: 0, 2: 1, 4: 2, 8: 3}[size]]) + value.to_bytes(size, "big")


# Sections 6.22 to 6.28

NEW_YEAR = 1767225600000


def device_list(handle, number, display, devices):
    octets = bytes([1]) + l(handle) + struct.pack(">I", number) + l(display) + bytes([len(devices)])
    for key, name, added in devices:
        octets += key + l(name) + struct.pack(">QQ", added, 0)
    return octets


# Examples that are not called by their type.
TYPES = {"new_account": "account", "direct_room": "room", "typing_news": "typing"}

NOWHERE = {"sequence": 0, "hash": bytes(32)}


def place(where):
    return struct.pack(">Q", where["sequence"]) + where["hash"]


def logged(shown, check, name, author, fields, body):
    """Sections 6.24 and 6.25: an entry at its place, its draft, and the place."""
    signer, handle = author
    content = {"salt": shown[name + "_salt"], "body": check(name + "_body", cbor(body))}
    digest = check(name + "_digest", hashlib.sha256(content["salt"] + content["body"]).digest())
    key = raw(signer.public_key())
    header = shown["lobby_id"] + shown[name + "_id"] + l(fields["kind"].encode()) + l(handle) + key
    header += place(fields["seen"]) + place(NOWHERE) + digest
    signature = check(name + "_signature", signer.sign(label("entry") + header))
    at = struct.pack(">QQ", fields["sequence"], fields["time"]) + fields["previous"]
    hashed = check(name + "_hash", hashlib.sha256(label("log") + header + signature + at).digest())
    draft = {
        "id": shown[name + "_id"],
        "kind": fields["kind"],
        "seen": fields["seen"],
        "signature": signature,
        "content": content,
    }
    entry = {**draft, **fields, "device": key, "digest": digest}
    if handle:
        entry["from"] = handle.decode()
    return entry, draft, {"sequence": fields["sequence"], "hash": hashed}


def log(shown, check, host, ann, bob):
    """The messages about the first five entries of the lobby."""

    def add(name, author, kind, body, time, before):
        fields = {
            "kind": kind,
            "seen": before,
            "sequence": before["sequence"] + 1,
            "time": NEW_YEAR + time,
            "previous": before["hash"],
        }
        return logged(shown, check, name, author, fields, body)

    lobby = {"room": shown["lobby_id"]}
    made = {"act": "create", "kind": "open", "name": "#lobby", "visibility": "public"}
    created, _, one = add("create", (host, b""), "room", made, 0, NOWHERE)
    owner = {"change": "join", "handle": "ann", "role": "owner"}
    first, _, two = add("ann_join", (host, b""), "membership", owner, 1, one)
    member = {"change": "join", "handle": "bob", "role": "member"}
    second, _, three = add("bob_join", (host, b""), "membership", member, 2, two)
    heard, _, four = add("entry", (bob, b"bob"), "text", {"text": "good morning"}, 107, three)
    said, draft, _ = add("send", (ann, b"ann"), "text", {"text": "hello"}, 1007, four)
    settings = {
        "visibility": "public",
        "topic": "",
        "history": "all",
        "retention": 0,
        "slow": 0,
        "lockdown": False,
    }
    room = {
        **lobby,
        "kind": "open",
        "name": "#lobby",
        "standing": "member",
        "role": "owner",
        "settings": settings,
        "members": 2,
        "knocking": [],
        "head": three,
        "base": NOWHERE,
        "delivered": 0,
        "read": 0,
    }
    direct = hashlib.sha256(label("direct") + shown["host_key"] + l(b"ann") + l(b"bob")).digest()[:16]
    asked = {
        "room": check("direct_id", direct),
        "kind": "direct",
        "with": "bob",
        "standing": "requested",
        "settings": {**settings, "visibility": "private"},
        "members": 1,
        "knocking": [],
        "head": NOWHERE,
        "base": NOWHERE,
        "delivered": 0,
        "read": 0,
    }
    return {
        "room": room,
        "direct_room": asked,
        "read": {
            **lobby,
            "ask": 1,
            "where": {"from": "after", "sequence": 0},
            "limit": 100,
            "follow": True,
        },
        "page": {
            **lobby,
            "ask": 1,
            "entries": [created, first, second],
            "end": {"head": three, "base": NOWHERE, "live": True},
        },
        "entry": {**lobby, "entry": heard},
        "send": {**lobby, "entry": draft},
        "ack": {
            **lobby,
            "id": said["id"],
            "sequence": 5,
            "time": NEW_YEAR + 1007,
            "previous": four["hash"],
        },
    }


def chat(shown, check):
    """Sections 6.31 to 6.49: what else is asked and told."""
    lobby = {"room": shown["lobby_id"]}
    file = {"file": shown["file_id"]}
    octets = shown["file_octets"]
    listed = {**lobby, "name": "#lobby", "visibility": "public", "topic": "", "members": 2}
    people = [{"handle": "ann", "role": "owner"}, {"handle": "bob", "role": "member"}]
    at_hand = [
        {"handle": "ann", "state": "online"},
        {"handle": "bob", "state": "away", "text": "at lunch"},
    ]
    sha256 = check("file_sha256", hashlib.sha256(octets).digest())
    return {
        "list": {"ask": 2, "name": "#lobby"},
        "directory": {"ask": 2, "rooms": [listed], "end": True},
        "askMembers": {**lobby, "ask": 3},
        "members": {**lobby, "ask": 3, "members": people, "end": True},
        "askCards": {"ask": 4, "handles": ["bob"]},
        "gone": {**lobby, "why": "parted"},
        "ready": {},
        "presence": {"people": at_hand, "time": NEW_YEAR + 7},
        "mark": {**lobby, "delivered": 5, "read": 4, "shown": True},
        "marks": {**lobby, "handle": "bob", "delivered": 5, "read": 5},
        "typing": {**lobby, "on": True},
        "typing_news": {**lobby, "handle": "bob", "on": True},
        "status": {"state": "away", "text": "at lunch"},
        "block": {"handle": "bob", "on": True},
        "blocks": {"handles": ["bob"]},
        "fault": {"code": "slowMode", "about": shown["send_id"], "ask": 1, "wait": 4000},
        "fileBegin": {**file, **lobby, "size": len(octets), "sha256": sha256},
        "fileChunk": {**file, "offset": 0, "bytes": octets},
        "fileState": {**file, "have": len(octets), "done": True},
        "fileGet": {**file, "offset": 0, "chunks": 1},
        "fileData": {**file, "offset": 0, "size": len(octets), "bytes": octets},
    }


def people(shown, check):
    """Sections 6.2 to 6.49: keys, signatures, boxes and messages; gives how many messages there are."""

    def signing(name, key_name):
        pair = Ed25519PrivateKey.from_private_bytes(shown[name])
        return pair, check(key_name, raw(pair.public_key()))

    host, host_key = signing("server_host_seed", "host_key")
    ann, ann_key = signing("ann_identity_seed", "ann_identity_key")
    device, device_key = signing("ann_device_seed", "ann_device_key")
    bob, bob_key = signing("bob_identity_seed", "bob_identity_key")
    bobs, bobs_key = signing("bob_device_seed", "bob_device_key")
    _, phone_key = signing("phone_device_seed", "phone_device_key")

    def certified(name, identity, octets):
        octets = check(name, octets)
        signature = identity.sign(label("device list") + l(host_key) + ll(octets))
        return {
            "identity": raw(identity.public_key()),
            "list": octets,
            "signature": check(name + "_signature", signature),
        }

    linux = (device_key, b"linux", NEW_YEAR)
    phone = (phone_key, b"phone", NEW_YEAR + 60000)
    darwin = (bobs_key, b"darwin", NEW_YEAR)
    anns = certified("ann_list", ann, device_list(b"ann", 1, b"", [linux]))
    later = certified("ann_next_list", ann, device_list(b"ann", 2, b"", [linux, phone]))
    bobs_keys = certified("bob_list", bob, device_list(b"bob", 2, b"Bob", [darwin]))

    check("lobby_id", hashlib.sha256(label("lobby") + host_key).digest()[:16])
    check("zero_hash", bytes(32))

    info = label("recovery") + l(host_key) + l(b"ann")
    key = hkdf(shown["recovery_code"], info)
    blob = check("recovery_blob", box(key, info, shown["ann_identity_seed"], shown["recovery_iv"]))

    ours = X25519PrivateKey.from_private_bytes(shown["phone_share_seed"])
    theirs = X25519PrivateKey.from_private_bytes(shown["approver_share_seed"])
    share = check("phone_share", raw(ours.public_key()))
    approver = check("approver_share", raw(theirs.public_key()))
    info = label("approval key") + l(host_key) + l(b"ann") + ann_key + phone_key + share
    key = hkdf(ours.exchange(theirs.public_key()), info + approver)
    sealed = check("approval_sealed", box(key, info, shown["ann_identity_seed"], shown["approval_iv"]))

    asking = {"device": phone_key, "name": "phone", "share": share}
    handing = {"keys": later, "share": approver, "sealed": sealed}
    account = {"handle": "ann", "role": "owner"}
    messages = {
        **log(shown, check, host, device, bobs),
        **chat(shown, check),
        "cards": {"ask": 4, "cards": [{"handle": "bob", **bobs_keys}], "end": True},
        "enter": {},
        "account": {**account, "keys": anns, "recovery": True},
        "new_account": {**account, "recovery": False},
        "publish": {"keys": anns, "recovery": blob},
        "recover": {},
        "recovery": {"blob": blob},
        "askApproval": asking,
        "approval": asking,
        "approve": {"device": phone_key, **handing},
        "approved": handing,
        "passwordRequest": {"request": shown["register_start_message"][-32:]},
        "passwordResponse": {"response": shown["register_reply_message"][3:]},
        "passwordRecord": {"record": shown["register_finish_message"][3:]},
    }
    for name, fields in messages.items():
        check(name + "_message", cbor({"type": TYPES.get(name, name), **fields}))
    return len(messages)


# Sections 4.7 to 4.9


def password_login(shown, check):
    """Gives the secrets of epoch 2. OPAQUE's own octets are the document's."""
    ann = l(b"ann")
    start, reply = shown["register_start_message"], shown["register_reply_message"]
    finish, login = shown["register_finish_message"], shown["login_start_message"]
    said = [
        check("register_start_message", message(7, ann + l(shown["invitation_code"]) + start[-32:])),
        check("register_reply_message", message(8, reply[-64:-32] + shown["opaque_public_key"])),
        check("register_finish_message", message(9, finish[-192:])),
        check("login_start_message", message(10, ann + login[-96:-64] + shown["ke1_nonce"] + login[-32:])),
        check("login_reply_message", message(11, shown["login_reply_message"][-320:])),
        check("login_finish_message", message(12, shown["login_finish_message"][-64:])),
    ]
    before = shown["hello_frame"][2:] + shown["reply_frame"][2:] + shown["proof_messages"] + shown["done_message"]
    t_done = check("t_done", sha512(before))
    t_finish = check("t_login_finish", sha512(before + b"".join(said)))
    ms = check("ms_secret", mac(shown["hs_derived"], ZERO))
    check("c_ap", xl(ms, "c ap", t_done))
    mixed = check("ms_mixed", mac(check("ms_login", xl(ms, "login")), shown["opaque_session_key"]))
    check("exporter_mixed", xl(mixed, "exporter", t_finish))
    return check("c_ap_mixed", xl(mixed, "c ap", t_finish)), check("s_ap_mixed", xl(mixed, "s ap", t_finish))


def device_login(shown, check):
    device = Ed25519PrivateKey.from_private_bytes(shown["ann_device_seed"])
    key = raw(device.public_key())
    signature = device.sign(label("device login") + shown["exporter"] + l(b"ann") + key)
    check("device_login_message", message(13, l(b"ann") + key + signature))


# Sections 5, 11.5 and 11.6


def session(shown, check, secrets, steps):
    """Seals and opens each record of a session; gives how many there are."""
    c_ap, s_ap = secrets
    sending = {"client": Direction(c_ap, 1), "server": Direction(s_ap, 1)}
    receiving = {"client": Direction(c_ap, 1), "server": Direction(s_ap, 1)}
    count = 0
    for name, sender, kind, content in steps:
        if kind == "mix":
            for ends in (sending, receiving):
                ends.update(client=Direction(content[0], 2), server=Direction(content[1], 2))
            continue
        check(name + "_frame", sending[sender].seal(kind, content, shown[name + "_iv"]))
        if receiving[sender].open(shown[name + "_frame"]) != (kind, content):
            raise Fault(f"{name}_frame carries something else")
        if kind == "rekey":
            sending[sender], receiving[sender] = sending[sender].next(), receiving[sender].next()
        count += 1
    check("c_ap_rekeyed", xl(c_ap, "rekey"))
    return count


def password_steps(shown, mixed):
    def login(name, sender):
        return name, sender, "handshake", shown[name + "_message"]

    def told(name, sender):
        return name, sender, "message", packed(shown[name + "_message"])

    return [
        login("register_start", "client"),
        login("register_reply", "server"),
        login("register_finish", "client"),
        login("login_start", "client"),
        login("login_reply", "server"),
        login("login_finish", "client"),
        ("mixing", "both", "mix", mixed),
        told("enter", "client"),
        told("new_account", "server"),
        told("publish", "client"),
        told("account", "server"),
        ("leave", "client", "close", bytes([0, 0])),
        ("leave_answer", "server", "close", bytes([0, 0])),
    ]


def device_steps(shown):
    def told(name, sender, *messages):
        content = b"".join(packed(shown[each + "_message"]) for each in messages or (name,))
        return name, sender, "message", content

    return [
        ("device_login", "client", "handshake", shown["device_login_message"]),
        told("device_enter", "client", "enter"),
        told("device_account", "server", "account"),
        told("rooms", "server", "room", "ready", "presence"),
        told("read", "client"),
        told("page", "server"),
        told("entry", "server"),
        told("send", "client"),
        told("ack", "server"),
        ("rekey", "client", "rekey", b""),
        ("ping", "client", "ping", b""),
        ("close", "client", "close", bytes([0, 0])),
        ("answer", "server", "close", bytes([0, 0])),
    ]


def keys(shown, check):
    for name in ("c_hs", "s_hs", "c_ap", "s_ap", "c_ap_rekeyed", "c_ap_mixed", "s_ap_mixed"):
        check(name + "_key", xl(shown[name], "key a256cbc-hs512"))


def pre_shared_key(shown, check):
    """Sections 4.5 and 11.7."""
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
    """Section 11.8."""
    check("ctr_key", xl(c_ap, "key a256ctr-hs512"))
    check("ctr_frame", Direction(c_ap, 1, "a256ctr-hs512").seal("ping", b"", shown["ctr_iv"]))
    if Direction(c_ap, 1, "a256ctr-hs512").open(shown["ctr_frame"]) != ("ping", b""):
        raise Fault("the record of suite 2 carries something else")


def follow(shown):
    """Computes all of it; a fault is raised at the first difference."""
    check = Check(shown)
    c_ap, s_ap = handshake(shown, check)
    messages = people(shown, check)
    records = session(shown, check, (c_ap, s_ap), password_steps(shown, password_login(shown, check)))
    device_login(shown, check)
    records += session(shown, check, (c_ap, s_ap), device_steps(shown))
    keys(shown, check)
    pre_shared_key(shown, check)
    counter_mode(shown, check, c_ap)
    return f"{records} records, {messages} messages"


def faulty(shown):
    try:
        follow(shown)
    except (Fault, InvalidSignature, ValueError):
        return True
    return False


def main():
    """Without arguments, follows the session; with names, sees each refused once its last bit is another."""
    shown = named_octets(sys.stdin.read())
    if len(sys.argv) == 1:
        try:
            print(f"the worked session is right: {follow(shown)}")
        except (Fault, InvalidSignature, ValueError) as fault:
            sys.exit(f"Cannot follow the worked session: {fault or 'the signature is wrong'}")
        return
    for name in sys.argv[1:]:
        value = shown[name]
        if not faulty({**shown, name: value[:-1] + bytes([value[-1] ^ 1])}):
            sys.exit(f"Cannot refuse {name}: altered, it is taken")
    print(f"{len(sys.argv) - 1} alterations are refused")


main()
