"""RiveScript: plays generated brains with the interpreters `rivescript` of PyPI and npm, and with the imported bots.

    NODE_PATH=FOLDER/node_modules generated_rivescript.py BRAINS SEED

The interpreters do not sort triggers alike: an answer counts as right if one of them gives it. Each brain has 12 triggers with one answer each, so that nothing is left to chance, and gets 40 messages that are made
from its triggers. Prints each difference with its brain, and the counts.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

from common import ask, import_files
from rivescript import RiveScript

WORDS = "red green blue tea coffee shop open close price order my the a is are you hello bye ten old new".split()
NONE = "ERR: No Reply Matched"  # in brackets with the interpreter of PyPI


def words(rng, most=3):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, most)))


def piece(rng):
    """A piece of a trigger, with a function that makes a text for it."""
    kind = rng.random()
    if kind < 0.55:
        text = words(rng)
        return text, lambda: text
    if kind < 0.65:
        return "*", lambda: words(rng)
    if kind < 0.72:
        return "#", lambda: str(rng.randint(0, 99))
    if kind < 0.78:
        return "_", lambda: rng.choice(WORDS)
    if kind < 0.86:
        one, two = words(rng, 2), words(rng, 2)
        return f"({one}|{two})", lambda: rng.choice([one, two])
    if kind < 0.94:
        one = words(rng, 2)
        return f"[{one}]", lambda: rng.choice([one, ""])
    return "(@colors)", lambda: rng.choice(["red", "green", "light blue"])


def trigger(rng):
    pieces = [piece(rng) for _ in range(rng.randint(1, 3))]
    text = " ".join(text for text, _ in pieces)
    weight = "{weight=%d}" % rng.randint(2, 20) if rng.random() < 0.1 else ""
    stars = sum(text.count(mark) for mark in "*#_(")
    return weight + text, stars, lambda: " ".join(" ".join(make() for _, make in pieces).split())


def answer(rng, number, stars):
    """An answer: fixed, with a star, with a variable, with a condition or with a redirect."""
    kind = rng.random()
    if stars and kind < 0.4:
        which = rng.randint(1, stars)
        return [f"- answer {number} got <star{which}>." if which > 1 else f"- answer {number} got <star>."]
    if kind < 0.5:
        return [f"- answer {number}<set mood=m{rng.randint(1, 3)}>."]
    if kind < 0.6:
        return [f"- answer {number} in mood <get mood>."]
    if kind < 0.7:
        return [f"* <get mood> == m{rng.randint(1, 3)} => answer {number} when moody.", f"- answer {number}."]
    if kind < 0.75:
        return ["@ " + rng.choice(WORDS)]
    return [f"- answer {number}."]


def brain(rng):
    """The text of a brain, and the makers of messages for it."""
    lines, makers, seen = ["! version = 2.0", "! array colors = red|green|light blue", ""], [], set()
    for number in range(12):
        text, stars, make = trigger(rng)
        if text in seen:
            continue
        seen.add(text)
        makers.append(make)
        lines += [f"+ {text}"]
        if number and rng.random() < 0.1:
            lines += [f"% answer {rng.randint(0, number - 1)}"]
        lines += [*answer(rng, number, stars), ""]
    return "\n".join(lines), makers


def messages(rng, makers):
    for _ in range(40):
        yield rng.choice(makers)() if rng.random() < 0.8 else words(rng, 4)


def original(brain, asked):
    """For each message the answers of both interpreters."""
    python = RiveScript(utf8=True)
    python.stream(brain)
    python.sort_replies()
    text = json.dumps({"brain": brain, "messages": asked})
    command = ["node", pathlib.Path(__file__).with_name("rivescript_answers.js")]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    both = zip([python.reply("Ann", message) for message in asked], json.loads(done.stdout))
    return [["" if NONE in answer else answer for answer in answers] for answers in both]


def play(number, rng, folder):
    """The number of messages, of those that the interpreters answer differently, and our differences."""
    text, makers = brain(rng)
    file = folder / "brain.rive"
    file.write_text(text, encoding="utf-8")
    remarks, counts = import_files([file], folder / "bot")
    if remarks is None:
        return 0, 0, [f"brain {number}: not imported: {counts}\n{text}"]
    asked = [message for message in messages(rng, makers) if message]
    lost = "; ".join(f"{one['code']}: {one['subject']}" for one in remarks if one["lost"])
    found, differences = ask(folder / "bot", [{"who": "Ann", "text": message} for message in asked]), []
    right = original(text, asked)
    for message, ours, both in zip(asked, found, right):
        if " ".join(ours) not in both:
            differences.append(f"brain {number}: {message!r} gives {' '.join(ours)!r}, not {both[0]!r} [{lost}]")
    return len(asked), sum(one != two for one, two in right), differences


def main():
    brains, seed = int(sys.argv[1]), int(sys.argv[2])
    total = wrong = clean = apart = 0
    for number in range(brains):
        rng = random.Random(f"{seed}-{number}")
        with tempfile.TemporaryDirectory() as temporary:
            count, unlike, differences = play(number, rng, pathlib.Path(temporary))
        total, wrong = total + count, wrong + len(differences)
        clean, apart = clean + (not differences), apart + unlike
        print("\n".join(differences[:3]), flush=True) if differences else None
    print(f"RiveScript: {total - wrong} of {total} answers, {clean} of {brains} brains without a difference")
    print(f"the interpreters answered {apart} of {total} messages differently")


main()
