"""AIML: imports a set, and compares its answers with those of a public interpreter (PyPI: python-aiml).

    measure_aiml.py FOLDER [SAMPLES]

Samples are sentences made of patterns, with words for the wildcards, each said by a new person; those with a `<that>` are
said behind a sentence that the interpreter answers with it. An answer is equal if the interpreter gives it in one of many
draws, apart from case, blanks and punctuation.
"""

import contextlib
import io
import pathlib
import random
import re
import sys
import tempfile
import time

if not hasattr(time, "clock"):
    time.clock = time.perf_counter  # The interpreter is older than its removal.

import aiml
from common import ask, check, import_files

DRAWS = 40
WORDS = ["blue trains", "pizza", "the old house", "music", "robots", "seven apples"]


def plain(text):
    """Letters and digits, for comparing."""
    text = re.sub(r"<[^>]*>|\(https?:[^)]*\)", " ", text)
    return " ".join(re.findall(r"\w+", text.lower().replace("'", "")))


def patterns(folder):
    """The categories of the files: pattern and that."""
    found = []
    for file in sorted(folder.glob("**/*.aiml")):
        text = file.read_text(encoding="utf-8", errors="replace")
        for body in re.findall(r"<category>(.*?)</category>", text, re.S):
            pattern = re.search(r"<pattern>(.*?)</pattern>", body, re.S)
            that = re.search(r"</pattern>\s*<that>(.*?)</that>", body, re.S)
            if pattern and "<" not in pattern[1]:
                found.append((" ".join(pattern[1].split()), " ".join(that[1].split()) if that else None))
    return found


def sentence(pattern, draw):
    """A sentence that fits a pattern."""
    return " ".join(draw.choice(WORDS) if word in "*_" else word.lower() for word in pattern.split())


def samples(folder, number):
    """Conversations of one or two sentences."""
    draw = random.Random(1)
    found = patterns(folder)
    single = [one for one in found if not one[1]]
    texts = [[sentence(pattern, draw)] for pattern, _ in draw.sample(single, min(number, len(single)))]
    return texts, [one for one in found if one[1] and not set("*_") & set(one[1])]


def main():
    folder = pathlib.Path(sys.argv[1])
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    with tempfile.TemporaryDirectory() as temporary:
        bot = pathlib.Path(temporary) / "bot"
        remarks, counts = import_files([folder], bot)
        if remarks is None:
            raise SystemExit(counts)
        lost_of = {}
        for one in remarks:
            if one["lost"]:
                lost_of[one["code"]] = lost_of.get(one["code"], 0) + 1
        items, lost = counts["items"], counts["lost"]
        print(f"AIML: {items - lost} of {items} categories ({100 * (items - lost) / items:.2f} %), check without errors: {check(bot)}; lost: {lost_of}", flush=True)
        kernel = aiml.Kernel()
        kernel.verbose(False)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for file in sorted(folder.glob("**/*.aiml")):
                kernel.learn(str(file))
        kernel.setBotPredicate("name", "")
        texts, following = samples(folder, number)
        answered = {}
        for (text,) in texts:
            answered.setdefault(plain(kernel.respond(text, "seek")), text)
        draw = random.Random(2)
        texts += [[answered[plain(that)], sentence(pattern, draw)] for pattern, that in following if plain(that) in answered]
        lines = [{"who": f"P{at}", "text": text} for at, talk in enumerate(texts) for text in talk]
        ours = iter(ask(bot, lines))
        reasons, equal, total = {}, 0, 0
        lost_sentences = {one["subject"] for one in remarks if one["lost"]}
        for at, talk in enumerate(texts):
            answers = [next(ours) for _ in talk][-1]
            theirs = set()
            for once in range(DRAWS):
                for text in talk:
                    answer = kernel.respond(text, f"{at}-{once}")
                theirs.add(plain(answer))
                if plain(" ".join(answers)) in theirs:
                    break
            total += 1
            if plain(" ".join(answers)) in theirs:
                equal += 1
                continue
            kind = "no answer" if not answers else "another answer"
            reasons.setdefault(kind, []).append((talk, answers, sorted(theirs)[:2]))
        print(f"AIML: {equal} of {total} answers are equal ({100 * equal / total:.1f} %), {len(lost_sentences)} sentences are lost")
        for kind, all_of in reasons.items():
            print(f"  {kind}: {len(all_of)}")
            for talk, answers, theirs in all_of[: int(sys.argv[3]) if len(sys.argv) > 3 else 8]:
                print(f"    {talk}: {answers} / {theirs}")


main()
