"""Home Assistant: plays the sentence tests of the repository `intents` with the imported bots.

    measure_home_assistant.py FOLDER [LANGUAGE…]

The fixtures of a language become lists of names, areas and floors; an area of the context is the `area` of a group. A test
is passed if the handler of the intent gets the slots, compared without case.
"""

import collections
import json
import pathlib
import sys
import tempfile

import yaml
from common import ask, check, import_files


def lists(fixtures):
    """The names of the fixtures as lists of the format itself."""

    def names(key):
        return {"values": [one["name"] for one in fixtures.get(key, [])]}

    entities = []
    for one in fixtures.get("entities", []):
        context = {"domain": one["id"].split(".")[0], **one.get("attributes", {})}
        context = {key: str(value) for key, value in context.items()}
        entities.append({"in": one["name"], "context": context})
    # A name with a template is read as one, as in the tests of the repository.
    return {"lists": {"area": names("areas"), "floor": names("floors"), "name": {"values": entities}}}


def tests(folder):
    for file in sorted(folder.glob("*.yaml")):
        if file.name.startswith("_"):
            continue
        for test in yaml.safe_load(file.read_text(encoding="utf-8")).get("tests") or []:
            for sentence in test["sentences"] or []:
                yield file.stem, sentence, test["intent"]


def equal(found, expected):
    """Whether values are equal, or one of several."""
    if isinstance(expected, list):
        return any(equal(found, one) for one in expected)
    return str(found).casefold().strip() == str(expected).casefold().strip()


def difference(answers, intent):
    """Why an answer is not the expected one; None if it is."""
    runs = [json.loads(one) for one in answers if one.startswith('{"run"')]
    if not runs:
        return "no rule answers"
    if runs[0]["run"] != intent["name"]:
        return "another intent"
    slots = intent.get("slots") or {}
    found = {name: value for name, value in runs[0]["values"].items() if value != ""}
    if set(found) != set(slots):
        return "other slots"
    wrong = [name for name in slots if not equal(found[name], slots[name])]
    return f"another value of {wrong[0]}" if wrong else None


def measure(folder, language, shown):
    """The result of a language."""
    fixtures = yaml.safe_load((folder / "tests" / language / "_fixtures.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        extra = pathlib.Path(temporary) / "fixtures.yaml"
        extra.write_text(yaml.safe_dump(lists(fixtures), allow_unicode=True), encoding="utf-8")
        bot = pathlib.Path(temporary) / "bot"
        sources = [folder / "sentences" / language, folder / "responses" / language, extra]
        remarks, counts = import_files(sources, bot, "--from", "home-assistant")
        if remarks is None:
            raise SystemExit(counts)
        good_check = check(bot)
        areas = sorted({str(one.get("context", {}).get("area")) for _, _, one in tests(folder / "tests" / language)} - {"None"})
        main = bot / "bot.toml"
        groups = "".join(f"\n[[group]]\nname = {json.dumps(area, ensure_ascii=False)}\nvars = {{ area = {json.dumps(area, ensure_ascii=False)} }}\n" for area in areas)
        main.write_text(main.read_text(encoding="utf-8") + groups, encoding="utf-8")
        all_of = list(tests(folder / "tests" / language))
        lines = [{"handlers": sorted({one["name"] for _, _, one in all_of} | handlers(bot))}]
        for number, (_, sentence, intent) in enumerate(all_of):
            area = intent.get("context", {}).get("area")
            lines.append({"who": f"{area}/P{number}" if area else f"P{number}", "text": sentence})
        missed = collections.defaultdict(list)
        for (file, sentence, intent), answers in zip(all_of, ask(bot, lines)):
            reason = difference(answers, intent)
            if reason:
                missed[reason].append((file, sentence, intent.get("slots"), answers))
        good = len(all_of) - sum(map(len, missed.values()))
        lost = counts["items"] - counts["lost"]
        print(f"Home Assistant {language}: {good} of {len(all_of)} sentences ({100 * good / len(all_of):.1f} %); {lost} of {counts['items']} templates, {counts['rules']} rules, check without errors: {good_check}")
        for reason, ones in sorted(missed.items(), key=lambda one: -len(one[1])):
            print(f"  {reason}: {len(ones)}")
            for file, sentence, slots, answers in ones[:shown]:
                print(f"    {file}: {sentence!r} {slots} / {answers}")
        if shown:
            for one in [one for one in remarks if one["lost"]][:20]:
                print("   lost", one["file"], one["line"], one["code"], one["subject"])


def handlers(bot):
    """The handlers that the rules run."""
    names = set()
    for file in bot.glob("*.toml"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("run = "):
                names.add(json.loads(line[6:]))
    return names


def main():
    folder = pathlib.Path(sys.argv[1])
    shown = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 0
    languages = [one for one in sys.argv[2:] if not one.isdigit()] or ["en", "de", "zh-cn"]
    for language in languages:
        measure(folder, language, shown)


main()
