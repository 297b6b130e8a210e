"""itchat-uos against the sandbox: only its base address is changed.

Usage: itchat_uos.py BASE_URL FOLDER    (prints PASS or FAIL for every step; exit status 1 if one failed)
"""

import json
import os
import struct
import sys
import threading
import time
import urllib.request
import zlib

import itchat
from itchat.content import TEXT

BASE, FOLDER = sys.argv[1], sys.argv[2]
GROUP, FRIEND, MEMBER = "水果店客户群", "小红", "Alice"
LIMIT = 30
failed = False


def step(name, test):
    """Runs one step and says how it went."""
    global failed
    try:
        note = test()
    except Exception as error:  # whatever a client throws is a failed step
        failed = True
        print(f"FAIL itchat-uos: {name}: {type(error).__name__}: {error}", flush=True)
        return
    print(f"PASS itchat-uos: {name}" + (f" ({note})" if note else ""), flush=True)


def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(BASE + path, data=data), timeout=LIMIT) as answer:
        return json.load(answer)


def wait_until(what, condition):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{what} did not happen within {LIMIT} s")


def sent(**wanted):
    """The first message of the client in the sandbox's log that has these fields."""
    for message in call("/sandbox/sent")["messages"]:
        if all(message[key] == value for key, value in wanted.items()):
            return message
    return None


def small_picture(path):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    pixels = zlib.compress(b"".join(b"\0" + b"\xc8\x50\x32" * 8 for _ in range(8)))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


itchat.config.BASE_URL = BASE
core = itchat.new_instance()
heard = []


@core.msg_register(TEXT, isGroupChat=True)
def in_group(message):
    heard.append(("group", message.actualNickName, message.text, message.isAt))
    return "群里收到：" + message.text


@core.msg_register(TEXT)
def in_private(message):
    heard.append(("private", message.user.nickName, message.text, None))
    return "收到：" + message.text


def log_in():
    core.login(qrCallback=lambda **_: None, loginCallback=lambda: None)
    assert core.alive, "not alive after the login"
    return core.storageClass.nickName


def contacts():
    names = [friend.nickName for friend in core.get_friends(update=True)]
    assert FRIEND in names, f"{FRIEND} is not among {names}"
    return f"{len(names)} friends"


def members():
    room = wait_until("the group is known", lambda: core.search_chatrooms(name=GROUP))[0]
    room = core.update_chatroom(room.userName, detailedMember=True)
    names = [member.nickName for member in room.memberList]
    assert MEMBER in names, f"{MEMBER} is not among {names}"
    return f"{len(names)} members"


def say_in_group():
    call("/sandbox/messages", {"from": MEMBER, "group": GROUP, "text": "@小助手\u2005苹果 <1> & 梨 😄"})
    kind, who, text, at = wait_until("the message in the group", lambda: [it for it in heard if it[0] == "group"])[0]
    assert (who, at) == (MEMBER, True), f"from {who}, at {at}"
    assert "苹果 <1> & 梨" in text, text


def answer_in_group():
    wait_until("the answer in the group", lambda: [it for it in call("/sandbox/sent")["messages"]
               if it["to_name"] == GROUP and it["text"].startswith("群里收到：")])


def say_in_private():
    call("/sandbox/messages", {"from": FRIEND, "text": "在吗\n有事"})
    kind, who, text, _ = wait_until("the private message", lambda: [it for it in heard if it[0] == "private"])[0]
    assert (who, text) == (FRIEND, "在吗\n有事"), f"{who}: {text!r}"


def answer_in_private():
    wait_until("the private answer", lambda: sent(to_name=FRIEND, kind="text", text="收到：在吗\n有事"))


def send_picture():
    path = os.path.join(FOLDER, "itchat picture.png")
    small_picture(path)
    friend = core.search_friends(nickName=FRIEND)[0]
    answer = core.send_image(path, toUserName=friend.userName)
    assert answer, answer
    wait_until("the picture", lambda: sent(to_name=FRIEND, kind="image"))


def log_out():
    assert core.logout(), "logout failed"
    wait_until("the end of the session", lambda: not call("/sandbox/state")["online"])


# The client may hang in a step, so the whole run has a time-out.
def give_up():
    print("FAIL itchat-uos: not finished after 180 s", flush=True)
    os._exit(1)


watchdog = threading.Timer(180, give_up)
watchdog.daemon = True
watchdog.start()
os.chdir(FOLDER)
step("log in", log_in)
threading.Thread(target=core.run, kwargs={"blockThread": True}, daemon=True).start()
step("read contacts", contacts)
step("read members", members)
step("get a group message", say_in_group)
step("answer in the group", answer_in_group)
step("get a private message", say_in_private)
step("answer in private", answer_in_private)
step("send a picture", send_picture)
step("log out", log_out)
sys.stdout.flush()
os._exit(1 if failed else 0)
