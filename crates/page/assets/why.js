// The decision of the bot about the selected message.

import { editAt } from "./editor.js";
import { fill, h } from "./dom.js";
import { language, lasting, moment, t } from "./i18n.js";
import { whyOf } from "./pacing.js";
import { now, state, when } from "./state.js";
import { showMessage } from "./talk.js";
import { report } from "./widgets.js";

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
  if (!state.why && message.mine) return h("p.empty", {}, t("mineUnknown"));
  if (!state.why) return h("p.empty", {}, t(state.login?.online === false ? "notLookedOffline" : "notLooked"));
  return explain(state.why);
}

/** The decision in one line; the console shows it beside a message too. */
export function inShort(decided) {
  if (!decided) return "";
  const { rule, handler } = decided;
  const [, failed] = /^handler (.+) failed$/.exec(decided.passed_over ?? "") ?? [];
  if (failed) return t("handlerFailed", { handler: failed });
  if (decided.passed_over) return t("passedOver", { why: t(decided.passed_over) });
  // "hours" alone is the unit of a time span.
  if (decided.quiet) return t("quietBecause", { rule, why: t(decided.quiet === "hours" ? "quiet hours" : decided.quiet) });
  if (rule) return t("answeredBy", { rule });
  return handler ? t("handledBy", { handler }) : t("noRule");
}

/** The class of the decision: `acted`, `quiet` or `failed`. */
export const verdictOf = (decided) => (decided?.quiet || decided?.passed_over ? "quiet" : decided?.rule || decided?.handler ? "acted" : "failed");

const MARKS = { acted: "✓", fetched: "↓", redirected: "→", quiet: "‖", failed: "–", off: "○" };

export const markOf = (verdict) => h(`span.verdict.${verdict}`, { "aria-hidden": "true" }, MARKS[verdict] ?? "");

/** A request of a rule and its outcome. */
export const askedOf = ({ request, failure }) => t("requestOutcome", { request, outcome: failure?.[language] ?? t("answered") });

function explain(why) {
  const decided = why.decided ?? {};
  return [
    why.cause && h("section.cause", {}, causeOf(why.cause)),
    h("section", {}, h("h2.text.row", {}, markOf(verdictOf(decided)), h("span.grow", {}, inShort(decided))), facts([
      [t("line"), decided.file && lineButton(decided)],
      [t("captures"), pairs(decided.captures)],
      [t("requests"), decided.fetches?.map(askedOf).join("\n")],
      [t("droppedMessages"), decided.dropped],
      [t("handler"), decided.handler],
      [t("took"), decided.micros > 0 && (decided.micros < 1000 ? `${decided.micros} µs` : `${(decided.micros / 1000).toFixed(1)} ms`)],
    ])),
    happened(why),
    rules(why),
    values(t("stateOfPerson"), why.state.person),
    values(t("stateOfChat"), why.state.chat),
    values(t("stateOfBot"), why.state.bot),
  ];
}

/** The cause of a message of the bot, as a link. */
export function causeOf({ kind, message, text, file, line }) {
  const place = file && lineButton({ file, line });
  const answered = message && h("button.link.text", { "data-key": "answered", onclick: () => showMessage(message).catch(report) }, t("toMessage", { text: text.slice(0, 60) || t("system") }));
  return h("p.row", {}, h("strong", {}, t(`cause-by-${kind}`)), kind !== "message" && place, answered);
}

/** The actions with their recipients and outcomes, and the failed ones. */
function happened({ actions, problems }) {
  if (!actions.length && !problems.length) return null;
  return h("section", {}, h("h2", {}, t("happened")), h("ol.steps.actions", {}, actions.map(action),
    problems.map((problem) => h("li", {}, h("span.verdict.bad", { "aria-hidden": "true" }, "✗"), h("span.grow.text.bad", {}, problem)))));
}

const OUTCOMES = { done: ["good", "✓"], waiting: ["soft", "…"], again: ["warn", "…"] };

function action({ what, chat, text, outcome, cause, detail }) {
  const [kind, sign] = OUTCOMES[outcome] ?? ["bad", "✗"];
  return h("li", {}, h(`span.verdict.${kind}`, { "aria-hidden": "true" }, sign), h("div.grow", {},
    h("div.text", {}, h("span.soft", {}, chat ? t(`did-${what}-to`, { chat }) : t(`did-${what}`)), " ", text),
    outcome !== "done" && h(`div.small.${kind}`, {}, t(`outcome-${outcome}`)), whyOf({ cause, detail })));
}

/** The rules that matched first, then the near misses; the rest is folded, grouped by the failed condition. */
function rules({ deciding, near, rest }) {
  if (!deciding.length && !near.length && !rest.length) return null;
  return h("section", {}, h("h2", {}, t("steps")),
    deciding.length > 0 && h("ol.steps", {}, deciding.map(step)),
    near.length > 0 && [h("h3.small.soft", {}, t("nearMisses")), h("ol.steps", {}, near.map(step))],
    rest.map(({ why, count, first }) => h("details.fold", {}, h("summary", {}, t(count === 1 ? "foldOne" : "fold", { n: count, why })),
      h("ol.steps", {}, first.map(step)), count > first.length && h("p.soft.small", {}, t("moreSteps", { n: count - first.length })))));
}

/** The place of a rule; a place in the rule file is a link. */
function lineButton({ file, line }) {
  const where = `${file}:${line}`;
  if (!file || file !== state.session.file) return h("span.mono.text", {}, where);
  return h("button.link.mono", { title: t("openInEditor"), onclick: () => editAt(line) }, where);
}

function step(one) {
  const where = `${one.file}:${one.line}`;
  return h("li", {}, markOf(one.verdict), h("div.grow", {}, h("div.row", {}, one.rule !== where && h("bdi.mono", {}, one.rule), lineButton(one)), h("span.text", {}, one.why),
    one.until && h("div.warn.small", {}, t("until", { time: moment(one.until, now(), { second: "2-digit" }) }), " · ", h("span", { "data-until": one.until }, left(one.until)))));
}

/** The time left until a moment, by the bot's clock. */
const left = (until) => (until > now() ? t("left", { time: lasting(until - now()) }) : t("over"));

function tick(place) {
  for (const one of place.querySelectorAll("[data-until]")) {
    const text = left(Number(one.dataset.until));
    if (one.textContent !== text) one.textContent = text;
  }
}

function values(title, rows) {
  return rows.length > 0 && h("section", {}, h("h2", {}, title), facts(rows.map((row) => [labelOf(row.name), change(row)])));
}

/** A value before and after; an unchanged value is shown once. */
function change(row) {
  const { name, before, after, dialog } = row;
  if (name.startsWith("dialog:")) return dialog ? progress(dialog) : t(after ? "dialogOpen" : "dialogEnded");
  const is = (value) => (value === null ? h("span.soft", {}, t("nothing")) : written(name, value));
  if (before === after) return is(after);
  return h("span", {}, is(before), h("span.soft", {}, " → "), h("strong", {}, is(after)));
}

/** The progress of a dialog: "signup, question 2 of 2, until 18:09; name = …". */
function progress({ id, question, of, step, until, answers }) {
  const known = Object.entries(answers).map(([name, value]) => `${name} = ${value}`).join(t("and"));
  return [t(step ? "dialogAtStep" : "dialogAt", { id, question, of, step }), until && t("until", { time: moment(until, now()) })].filter(Boolean).join(t("comma")) + (known ? `${t("semicolon")}${known}` : "");
}

/** The name of a value: values of brakes have a description, variables of rules keep their names. */
function labelOf(name) {
  const [, what, rest] = /^([a-z-]+):(.*)$/s.exec(name) ?? [];
  const told = t(`state-${what}`);
  if (!what || told === `state-${what}`) return name;
  return ["until", "open"].includes(rest) ? told : `${told} ${rest}`;
}

/** A value for people: the times that brakes store are formatted. */
function written(name, value) {
  if (!/^(cooldown|mute):/.test(name) || !/^\d+$/.test(value)) return h("span.text", {}, value);
  const until = Number(value);
  return h("span", {}, t("until", { time: moment(until, now(), { second: "2-digit" }) }), " · ", h("span", { "data-until": until }, left(until)));
}

function facts(rows) {
  const known = rows.filter(([, value]) => value);
  return known.length > 0 && h("dl", {}, known.map(([name, value]) => [h("dt.text", {}, name), h("dd.text", {}, value instanceof Node ? value : String(value))]));
}

function pairs(map) {
  return Object.entries(map ?? {}).map(([name, value]) => `${name} = ${value}`).join("\n");
}
