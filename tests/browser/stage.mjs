// The common parts of all browser tests: a browser, a program to start and stop, and named checks.

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [, , program, , tools, wanted = ""] = process.argv;
const require = createRequire(join(tools, "package.json"));
const { chromium } = require("playwright-core");

export const axe = require.resolve("axe-core/axe.min.js");

/** The time-out for the start of a program. */
const START = 60_000;

/** The time-out of one test. */
const TEST = 420_000;

/** A browser that connects only to the page. */
export function browser() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--enable-precise-memory-info"],
  });
}

/** A copy of a bot that the test may change. */
export function copyOf(bot) {
  const folder = mkdtempSync(join(tmpdir(), "mynah-browser-"));
  cpSync(bot, folder, { recursive: true });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts the program and waits for a line that matches; resolves to the match. */
export async function start(args, line, env = {}) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  const told = [];
  let late;
  const found = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (text) => {
        told.push(text);
        const match = line.exec(text);
        if (match) { clearTimeout(late); resolve(match); }
      });
    }
    const fail = (what) => { child.kill("SIGKILL"); reject(new Error(`mynah ${args.join(" ")} ${what}:\n${told.join("\n")}`)); };
    child.on("exit", (code) => fail(`ended with ${code}`));
    late = setTimeout(() => fail("did not say where it serves"), START);
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const match = await found;
  return { match, told, stop: async () => { child.kill("SIGTERM"); await ended; }, kill: async () => { child.kill("SIGKILL"); await ended; } };
}

/** Runs the program to its end; resolves to its status and output. */
export function run(args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data) => { output += data; });
    child.stderr.on("data", (data) => { output += data; });
    child.on("exit", (code) => resolve({ code, output }));
  });
}

let passed = 0;
let failed = 0;

/** Runs a test if it is selected, and prints its result. */
export async function test(name, body) {
  if (!name.includes(wanted)) return;
  const begun = performance.now();
  const took = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  try {
    await Promise.race([body(), tooLong()]);
    passed += 1;
    console.log(`PASS ${name} (${took()})`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name} (${took()})\n${error.stack}`);
  }
}

function tooLong() {
  return new Promise((_, reject) => { setTimeout(() => reject(new Error("took too long")), TEST).unref(); });
}

/** Prints the summary and exits. Programs of failed tests may still run. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

export function assert(condition, message) {
  if (!condition) throw new Error(message);
}
