"""Handlers for Mynah in Python. One file, standard library only, Python 3.9 or newer.

    from mynah import handler, run

    @handler
    def weather(ctx):
        ctx.reply("Sunny in " + ctx.arg("city", "Rome"))

    run()

A rule says `run = "weather"`, and `[[handler]]` in mynah.toml says `command = ["python3", "weather.py"]`. `print` goes to the log of the bot.
An exception fails only this message: its traceback goes to the log, and nothing is sent or stored. In a test, `ask(weather, "…")` returns
the answer.
"""

import asyncio
import base64
import inspect
import json
import os
import queue
import random
import sys
import threading
import traceback

__all__ = ["Answer", "Context", "ask", "handler", "run"]

_handlers = {}


class Answer(dict):
    """The answer to a request: the JSON object that goes to the bot."""

    @property
    def texts(self):
        """The texts that are sent, in order, whichever the chat."""
        sent = (action.get("send", {}) for action in self.get("actions", []))
        return [send["text"] for send in sent if "text" in send]


class Context:
    """A request, and the answer to it while it grows. All of it takes place, or nothing does."""

    def __init__(self, request):
        self.request = request
        self.event = request["event"]
        self.settings = request.get("settings", {})
        self.random = random.Random(request.get("seed", 0))
        self._answer = Answer(id=request["id"])

    id = property(lambda self: self.request["id"], doc="The same on every try: the key to recognise a repetition.")
    kind = property(lambda self: self.event["kind"], doc="`message`, `due`, `join` and the other kinds of event.")
    text = property(lambda self: self.event.get("text", ""), doc="The text, without mentions of the bot.")
    chat = property(lambda self: self.event.get("chat"), doc="`id`, `name` and `group` of the chat, or None.")
    sender = property(lambda self: self.event.get("sender"), doc="`id`, `name` and `is_admin`, or None.")
    data = property(lambda self: self.event.get("data"), doc="The data of `later`, when it is due.")
    account = property(lambda self: self.request.get("account"), doc="The name of the bot's account.")

    def arg(self, name, default=None):
        """An argument of `run` in the rule, or what `{name}` of its pattern captured."""
        for values in (self.request.get("args", {}), self.request.get("captures", {})):
            if name in values:
                return values[name]
        return default

    def get(self, name, default=None):
        """A variable of `reads`, like "user.points"; always text."""
        own = self._answer.get("set", {})
        if name in own:
            return default if own[name] is None else own[name]
        return self.request.get("vars", {}).get(name, default)

    def reply(self, text, at_sender=False, quote=False):
        """Sends a text to the chat of the event."""
        send = {"text": str(text)}
        if at_sender:
            send["at_sender"] = True
        if quote:
            send["quote"] = True
        self._act({"send": send})

    def send(self, text=None, to=None, image=None, file=None, name=None):
        """Sends a text, or a picture or file (a path in the folder of the handler, an address, or bytes with a name)."""
        given = {"text": text, "image": image, "file": file}
        send = {kind: self._media(value, name) if kind != "text" else str(value)
                for kind, value in given.items() if value is not None}
        if len(send) != 1:
            raise ValueError("send needs one of text, image, file")
        if to is not None:
            send["to"] = to
        self._act({"send": send})

    def accept(self):
        """Accepts the friend request of the event."""
        self._act({"accept": True})

    def set(self, name, value):
        """Sets a variable, like "user.city"; None removes it. Values are stored as text."""
        self._answer.setdefault("set", {})[name] = value if value is None else str(value)

    def add(self, name, by=1):
        """Adds to a whole number. Additions of two messages at the same time both count."""
        sums = self._answer.setdefault("add", {})
        sums[name] = sums.get(name, 0) + by

    def later(self, after, data=None):
        """Calls this handler again with `kind` "due" and this data: after seconds, or "10m", "2h", "1d"."""
        if not isinstance(after, str):
            after = "%dms" % round(after * 1000)
        self._answer.setdefault("later", []).append({"after": after, "data": data})

    def stop(self):
        """The next handlers do not get the event (of `before` and `fallback`)."""
        self._answer["flow"] = "stop"

    def go_on(self):
        """The next handlers get the event too (of `before` and `fallback`)."""
        self._answer["flow"] = "continue"

    def _act(self, action):
        self._answer.setdefault("actions", []).append(action)

    @staticmethod
    def _media(value, name):
        if isinstance(value, (bytes, bytearray)):
            return {"base64": base64.b64encode(value).decode(), "name": name or "file"}
        return os.fspath(value)


def handler(function_or_name):
    """Makes a function a handler: of every name, or of one, `@handler("weather")`. A returned text is a reply."""
    if callable(function_or_name):
        _handlers[None] = function_or_name
        return function_or_name

    def named(function):
        _handlers[function_or_name] = function
        return function
    return named


def _answer(function, request):
    context = Context(request)
    returned = function(context)
    if inspect.isawaitable(returned):
        async def finish():
            return await returned
        returned = asyncio.run(finish())
    if isinstance(returned, str):
        context.reply(returned)
    return context._answer


def _safe_answer(request):
    function = _handlers.get(request["handler"], _handlers.get(None))
    if function is None:
        return {"id": request["id"], "error": "no function for the handler " + request["handler"]}
    try:
        return _answer(function, request)
    except BaseException as error:  # sys.exit() too: it would end the thread, and the program would be silent.
        traceback.print_exc()
        return {"id": request["id"], "error": "%s: %s" % (type(error).__name__, error)}


def _line(request):
    answer = _safe_answer(request)
    try:
        return json.dumps(answer, ensure_ascii=False, allow_nan=False)
    except Exception as error:
        return json.dumps({"id": request["id"], "error": "the answer is not JSON: %s" % error})


def run(threads=1):
    """Answers requests until the input ends. `threads`: how many at the same time; `at_once` in mynah.toml."""
    # What prints, also from below Python, must not get between the answers.
    # Half of a surrogate pair has no UTF-8.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lock, waiting = threading.Lock(), queue.Queue()

    def work():
        while True:
            line = _line(waiting.get())
            try:
                with lock:
                    pipe.write(line + "\n")
                    pipe.flush()
            except OSError:
                os._exit(0)

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    for line in sys.stdin.buffer:
        waiting.put(json.loads(line))


def ask(function, text="", kind="message", group=None, sender="Ann", admin=False, captures=None, args=None,
        vars=None, settings=None, data=None, seed=1):
    """Calls a handler as the bot would, for tests. Returns its `Answer`; an exception is raised."""
    chat = {"id": group or sender, "name": group or sender, "group": group is not None}
    event = {"id": "test", "kind": kind, "time": "2026-01-05T12:00:00.000Z", "chat": chat,
             "sender": {"id": sender, "name": sender, "is_admin": admin}, "text": text, "called": True}
    if kind == "message":
        event["segments"] = [{"is": "text", "text": text}]
    if kind == "due":
        event["data"] = data
    return _answer(function, {
        "v": 1, "id": "test/test#0", "handler": getattr(function, "__name__", "test"), "account": "test", "event": event,
        "captures": captures or {}, "args": args or {}, "vars": vars or {}, "seed": seed, "settings": settings or {}})
