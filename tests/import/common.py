"""What the measurements share: importing files, and asking the bot that came out."""

import json
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "target" / "debug"


def import_files(files, to, *options):
    """Runs `mynah import`; returns the remarks and the counts, or None if it failed."""
    shutil.rmtree(to, ignore_errors=True)
    command = [TARGET / "mynah", "import", *map(str, files), "--to", str(to), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1], lines[-1]


def check(bot):
    """Whether `mynah check` finds no error; from the folder of the bot, so that no settings are checked."""
    command = [TARGET / "mynah", "check", "."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=bot)
    return done.returncode == 0


def ask(bot, lines):
    """The answers of a bot to messages, a list of texts for each."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    command = [TARGET / "examples" / "answers", str(bot)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"answers {bot} failed: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]
