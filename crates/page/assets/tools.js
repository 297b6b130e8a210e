// The bar above the sandbox: the state of the bot, its clock, faults, login, tests.

import { get, post } from "./api.js";
import { editAt, toggleEditor } from "./editor.js";
import { fill, h } from "./dom.js";
import { helpButton } from "./help.js";
import { moment, t } from "./i18n.js";
import { loginDialog, readLogin } from "./login.js";
import { changed, lostWords, now, state, when } from "./state.js";
import { rejected } from "./pacing.js";
import { testDialog } from "./tests.js";
import { menu, report, toast } from "./widgets.js";

const minute = 60_000;
const jumps = [["minute", minute], ["hour", 60 * minute], ["day", 24 * 60 * minute]];
const faults = [
  ["serverDown", { path: "webwxsync", fault: "status", value: 502, times: 5 }],
  ["slow", { path: "webwxsendmsg", fault: "delay", value: 3000, times: 5 }],
  ["tooFrequent", { path: "webwxsendmsg", fault: "retcode", value: 1205, times: 1 }],
  ["loggedOut", { path: "synccheck", fault: "retcode", value: 1101, times: 1 }],
];

/** The interval at which pending faults are counted again. */
const RECOUNT = 2000;

export function toolsBar() {
  const clock = h("span.clock.small", { role: "timer", "aria-label": t("clock"), title: t("clock") });
  const bot = h("span.small.lamp", { role: "status" });
  const waiting = h("span.row");
  const edit = h("button", { onclick: toggleEditor, "data-key": "edit" }, t("edit"));
  const tick = () => {
    if (!state.session) return;
    if (state.login?.pause) drawLamp(bot);
    const time = moment(now(), Date.now(), { second: "2-digit" });
    if (clock.textContent !== time) clock.textContent = time;
  };
  setInterval(tick, 1000);
  when(["session"], tick);
  when(["session"], () => clock.classList.toggle("warn", state.ahead > minute / 2));
  when(["connection", "login"], () => drawLamp(bot));
  when(["unsaved", "editing"], () => {
    edit.setAttribute("aria-pressed", String(state.editing));
    edit.replaceChildren(t("edit"), state.unsaved ? h("span.warn", { title: t("unsaved"), "aria-label": t("unsaved") }, " ●") : "");
  });
  when(["faults"], () => fill(waiting, state.faults.length > 0 && [
    h("span.small.warn", { role: "status" }, t("faultsLeft", { n: state.faults.reduce((sum, fault) => sum + (fault.times ?? 1), 0) })),
    h("button.small", { onclick: () => commit({ clear: true }) }, t("clearFaults"))]));
  setInterval(() => { if (state.faults.length && !document.hidden) count().catch(() => {}); }, RECOUNT);
  readLogin().catch(() => {});
  count().catch(() => {});
  const tools = h("div.tools.row", { id: "tools" },
    h("span.row.jumps", {}, clock, jumps.map(([name, by]) => h("button.small", { onclick: () => jump(by) }, t(name)))),
    menu(t("faults"), faultItems), waiting,
    h("button", { onclick: () => loginDialog().catch(report) }, t("login")),
    h("button", { onclick: () => testDialog().catch(report), title: t("makeTestHint") }, t("makeTest")),
    edit);
  const more = h("button.narrow", { "aria-expanded": "false", "aria-controls": "tools", onclick: () => {
    const open = tools.classList.toggle("open");
    more.setAttribute("aria-expanded", String(open));
  } }, t("tools"));
  // On a phone the open menu would cover the result of its button.
  tools.addEventListener("click", (event) => { if (more.ariaExpanded === "true" && event.target.closest("button") && !event.target.closest(".jumps, [aria-haspopup]")) more.click(); });
  const broken = h("div.broken.row.hidden");
  when(["session"], () => drawBroken(broken));
  return h("header.bar", {}, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, "Mynah"), h("span.soft.wide", {}, t("sandbox")), bot, h("span.grow"), more, tools, helpButton(), broken);
}

/** Rejected rules and settings: shown until good ones are loaded, with a link to a mistake in the rule file. */
function drawBroken(place) {
  const found = state.session?.rejected_rules;
  const settings = state.session?.rejected_settings;
  place.classList.toggle("hidden", !found && !settings);
  const looks = JSON.stringify([found, settings]);
  if (place.shown === looks) return;
  place.shown = looks;
  const here = found?.file === state.session.file;
  fill(place, [
    found && [rejected(found, "rejectedSandbox"), here && h("button.small", { onclick: () => editAt(found.line) }, t("openInEditor"))],
    settings && rejected(settings, "rejectedSettings"),
  ]);
}

function drawLamp(lamp) {
  const { online, left, pause } = state.login ?? {};
  const pauses = pause > now();
  const [text, kind] = state.connection !== "open" ? [t("lost", lostWords()), "bad"]
    : left ? [t("botLeft"), "bad"]
      : online === false ? [t("botOffline"), "warn"]
        : pauses ? [t("botPauses", { time: moment(pause, now(), { second: "2-digit" }) }), "warn"] : [t("botOnline"), "good"];
  if (lamp.textContent !== text) lamp.textContent = text;
  lamp.className = `small lamp ${kind}`;
}

async function jump(by) {
  await post("/api/clock", { advance_ms: by }).then(() => toast(t("jumped", { time: moment(now(), Date.now()) })), report);
}

const faultItems = () => [
  ...faults.map(([name, fault]) => ({ label: t(name), hint: t(`${name}Hint`), act: () => commit(fault) })),
  { label: t("clearFaults"), act: () => commit({ clear: true }) },
];

async function commit(fault) {
  await post("/api/faults", fault).then(count).catch(report);
}

async function count() {
  state.faults = await get("/api/faults");
  changed("faults");
}
