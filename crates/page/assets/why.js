// What the bot made of the chosen message.

import { editAt } from "./editor.js";
import { fill, h } from "./dom.js";
import { lasting, moment, t } from "./i18n.js";
import { now, state, when } from "./state.js";

/** So many rules are shown one by one. */
const STEPS = 300;

export function whySection() {
  const place = h("div.scroll", { "aria-live": "polite", tabindex: "0", role: "region", "aria-label": t("why"), "data-key": "why" });
  const draw = () => fill(place, shown());
  when(["why", "message", "login"], draw);
  setInterval(() => tick(place), 1000);
  draw();
  return place;
}

function shown() {
  const message = state.messages.find((one) => one.id === state.message);
  if (!message) return h("p.empty", {}, t("chooseMessage"));
  if (message.mine) return h("p.empty", {}, t("mineChosen"));
  if (!state.why) return h("p.empty", {}, t(state.login?.online === false ? "notLookedOffline" : "notLooked"));
  return explain(state.why);
}

/** The decision in one line, as the console shows it beside a message too. */
export function inShort(decided) {
  if (!decided) return "";
  const { rule, handler } = decided;
  if (decided.passed_over) return t("passedOver", { why: t(decided.passed_over) });
  if (decided.quiet) return t("quietBecause", { rule, why: t(decided.quiet) });
  if (rule) return t("answeredBy", { rule });
  return handler ? t("handledBy", { handler }) : t("noRule");
}

/** Its class: `acted`, `quiet` or `failed`. */
export const verdictOf = (decided) => (decided?.quiet || decided?.passed_over ? "quiet" : decided?.rule || decided?.handler ? "acted" : "failed");

const MARKS = { acted: "✓", quiet: "‖", failed: "–", off: "○" };

export const markOf = (verdict) => h(`span.verdict.${verdict}`, { "aria-hidden": "true" }, MARKS[verdict] ?? "");

function explain(why) {
  const decided = why.decided ?? {};
  const steps = why.steps ?? [];
  return [
    h("section", {}, h("h2.text.row", {}, markOf(verdictOf(decided)), h("span.grow", {}, inShort(decided))), facts([
      [t("line"), decided.file && lineButton(decided)],
      [t("captures"), pairs(decided.captures)],
      [t("replies"), decided.replies?.join("\n")],
      [t("droppedMessages"), decided.dropped],
      [t("handler"), decided.handler],
      [t("took"), decided.micros > 0 && (decided.micros < 1000 ? `${decided.micros} µs` : `${(decided.micros / 1000).toFixed(1)} ms`)],
    ])),
    steps.length > 0 && h("section", {}, h("h2", {}, t("steps")), h("ol.steps", {}, steps.slice(0, STEPS).map(step)),
      steps.length > STEPS && h("p.soft", {}, t("moreSteps", { n: steps.length - STEPS }))),
    values(t("stateOfPerson"), why.state?.person),
    values(t("stateOfChat"), why.state?.chat),
  ];
}

/** Where a rule stands; in the rule file it leads there. */
function lineButton({ file, line }) {
  const where = `${file}:${line}`;
  if (file !== state.session.file) return h("span.mono.text", {}, where);
  return h("button.link.mono", { title: t("openInEditor"), onclick: () => editAt(line) }, where);
}

function step(one) {
  const where = `${one.file}:${one.line}`;
  return h("li", {}, markOf(one.verdict), h("div.grow", {}, h("div.row", {}, one.rule !== where && h("bdi.mono", {}, one.rule), lineButton(one)), h("span.text", {}, one.why),
    one.until && h("div.warn.small", {}, t("until", { time: moment(one.until, now(), { second: "2-digit" }) }), " · ", h("span", { "data-until": one.until }, left(one.until)))));
}

/** How long until a moment, by the bot's clock. */
const left = (until) => (until > now() ? t("left", { time: lasting(until - now()) }) : t("over"));

function tick(place) {
  for (const one of place.querySelectorAll("[data-until]")) {
    const text = left(Number(one.dataset.until));
    if (one.textContent !== text) one.textContent = text;
  }
}

function values(title, map) {
  const known = Object.entries(map ?? {});
  return known.length > 0 && h("section", {}, h("h2", {}, title), facts(known.map(([name, value]) => asRead(name, value))));
}

/** A value of state: what brakes keep is told in words, the variables of rules as they are. */
function asRead(name, value) {
  const [, what, rest] = /^([a-z-]+):(.*)$/s.exec(name) ?? [];
  const told = t(`state-${what}`);
  if (!what || told === `state-${what}`) return [name, value];
  const label = ["until", "open"].includes(rest) ? told : `${told} ${rest}`;
  if (!["cooldown", "mute"].includes(what) || !/^\d+$/.test(value)) return [label, value];
  const until = Number(value);
  return [label, h("span", {}, t("until", { time: moment(until, now(), { second: "2-digit" }) }), " · ", h("span", { "data-until": until }, left(until)))];
}

function facts(rows) {
  const known = rows.filter(([, value]) => value);
  return known.length > 0 && h("dl", {}, known.map(([name, value]) => [h("dt.text", {}, name), h("dd.text", {}, value instanceof Node ? value : String(value))]));
}

function pairs(map) {
  return Object.entries(map ?? {}).map(([name, value]) => `${name} = ${value}`).join("\n");
}
