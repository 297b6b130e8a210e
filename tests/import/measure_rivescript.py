"""RiveScript: plays the test suite of the language (`tests/*.yml` of rsts) with the imported bots.

    measure_rivescript.py FOLDER

Several answers to one message count as one, with a blank between them. Values of `set` and `assert` are put and read by
rules above the imported ones.
"""

import json
import pathlib
import sys
import tempfile

import yaml
from common import ask, import_files

NONE = "ERR: No Reply Matched"


def segments(actions):
    """The inputs of a test, with the sources that are known by then."""
    sources, steps = [], []
    for action in actions:
        if "source" in action:
            if steps:
                yield list(sources), steps
                steps = []
            sources.append(action["source"])
        else:
            steps.append(action)
    if steps:
        yield list(sources), steps


def play(sources, steps, folder):
    """The first difference, or None."""
    files = []
    for number, source in enumerate(sources):
        file = folder / f"{number}.rive"
        file.write_text(source, encoding="utf-8")
        files.append(file)
    bot = folder / "bot"
    remarks, counts = import_files(files, bot)
    if remarks is None:
        return f"not imported: {counts}"
    lines, rules, expected = [], [], []
    for step in steps:
        for name, value in step.get("set", {}).items():
            text = json.dumps(str(value).lower() if isinstance(value, bool) else str(value))
            rules.append(f"[[rule]]\nexact = \"put {name}\"\nset = {{ {name} = {text} }}\nsilent = true\n")
            lines.append({"who": "Ann", "text": f"put {name}"})
            expected.append([""])
        for name, value in step.get("assert", {}).items():
            rules.append(f"[[rule]]\nexact = \"read {name}\"\nreply = \"{{user.{name}}}\"\n")
            lines.append({"who": "Ann", "text": f"read {name}"})
            expected.append([str(value)])
        if "input" in step:
            lines.append({"who": "Ann", "text": step["input"]})
            reply = step["reply"]
            expected.append(reply if isinstance(reply, list) else [reply.strip()])
    if rules:
        main = bot / "bot.toml"
        text = main.read_text(encoding="utf-8")
        at = text.find("# ----")
        main.write_text(text[:at] + "\n".join(rules) + "\n" + text[at:], encoding="utf-8")
    for line, answer, right in zip(lines, ask(bot, lines), expected):
        said = " ".join(answer) if answer else ""
        if said not in right and not (not said and right == [NONE]):
            lost = "; ".join(f"{one['code']}: {one['subject']}" for one in remarks if one["lost"])
            return f"{line['text']!r} gives {said!r}, not {right[0]!r} [{lost}]"
    return None


def main():
    folder = pathlib.Path(sys.argv[1])
    good = total = 0
    for file in sorted(folder.glob("**/tests/*.yml")):
        if file.name == "test-spec.yml":
            continue
        for name, test in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            total += 1
            difference = None
            for sources, steps in segments(test["tests"]):
                with tempfile.TemporaryDirectory() as temporary:
                    difference = difference or play(sources, steps, pathlib.Path(temporary))
            good += difference is None
            print(f"{'ok  ' if difference is None else 'FAIL'} {file.stem}/{name}", difference or "", flush=True)
    print(f"RiveScript: {good} of {total} tests")


main()
