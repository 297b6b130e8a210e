// The purpose of the page, and its use without a mouse.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { state } from "./state.js";
import { closing, dialog } from "./widgets.js";

export const helpButton = () => h("button.help", { "aria-label": t("help"), title: t("help"), "data-key": "help", onclick: help }, "?");

/** Keys that work everywhere: Alt and a digit, so that they cannot be confused with typed text. */
let keys = [];

export function listen(wanted) {
  keys = [...wanted, ["0", "keyHelp", help]];
}

addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const found = keys.find(([digit]) => event.code === `Digit${digit}`);
  if (!found) return;
  event.preventDefault();
  found[2]();
});

function help() {
  const sandbox = state.session.mode === "sandbox";
  const rows = [...keys.map(([digit, name]) => [`Alt+${digit}`, name]), ...(sandbox ? [["↑ ↓", "keyArrows"], ["Ctrl+S", "keySave"]] : []), ["Esc", "keyEscape"]];
  dialog(t("help"), (close) => [
    h("p", {}, t(sandbox ? "sandboxHelp" : "consoleHelp")),
    h("dl.keys", {}, rows.map(([key, name]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(name))])),
    closing(close)]);
}
