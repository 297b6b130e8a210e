// What the bot made of the chosen message.

import { fill, h } from "./dom.js";
import { moment, t } from "./i18n.js";
import { state, when } from "./state.js";

export function whySection() {
  const place = h("div.scroll", { "aria-live": "polite" });
  const draw = () => fill(place, state.why ? explain(state.why) : h("section.soft", {}, t("chooseMessage")));
  when(["why", "message"], draw);
  draw();
  return place;
}

/** The decision in one line, as the console shows it beside a message too. */
export function inShort(decided) {
  if (!decided) return "";
  const rule = decided.rule ?? decided.handler;
  if (decided.passed_over) return `${t("passedOver")}: ${decided.passed_over}`;
  if (decided.quiet) return t("quietBecause", { rule, why: t(decided.quiet) });
  return rule ? t("answeredBy", { rule }) : t("noRule");
}

function explain(why) {
  const decided = why.decided ?? {};
  return [
    h("section", {}, h("h2.text", {}, inShort(decided)), facts([
      [t("line"), decided.file && `${decided.file}:${decided.line}`],
      [t("captures"), pairs(decided.captures)],
      [t("replies"), decided.replies?.join("\n")],
      [t("handler"), decided.handler],
      [t("took"), decided.micros && `${decided.micros} µs`],
    ])),
    why.steps?.length > 0 && h("section", {}, h("h2", {}, t("earlier")), h("ol.steps", {}, why.steps.map(step))),
    values(t("stateOfPerson"), why.state?.person),
    values(t("stateOfChat"), why.state?.chat),
  ];
}

function step(one) {
  return h("li", {}, h("span.mono", {}, `${one.rule} `), h("span.text", {}, one.why),
    one.until ? h("span.warn", {}, ` ${t("until", { time: moment(one.until) })}`) : null);
}

function values(title, map) {
  const known = Object.entries(map ?? {});
  return known.length > 0 && h("section", {}, h("h2", {}, title), facts(known));
}

function facts(rows) {
  return h("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd.text", {}, String(value))]));
}

function pairs(map) {
  return Object.entries(map ?? {}).map(([name, value]) => `${name} = ${value}`).join("\n");
}
