"""Talks in #lobby of a Sotto server over its Fernet bridge: fernet_client.py HOST PORT KEY_FILE; "exit" leaves."""

import socket
import sys
import threading

from cryptography.fernet import Fernet

host, port, key_file = sys.argv[1:]
fernet = Fernet(open(key_file, "rb").read().strip())
room = socket.create_connection((host, int(port)))


def say(text):
    room.sendall(fernet.encrypt(text.encode()) + b"\n")


def speak():
    for line in sys.stdin:
        if line.strip() == "exit":
            break
        say(line)
    say("exit")


say("")  # Knocks, so that the server answers before anything is said.
threading.Thread(target=speak, daemon=True).start()
for token in room.makefile("rb"):
    print(fernet.decrypt(token.strip(), ttl=60).decode(), flush=True)
