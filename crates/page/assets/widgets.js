// Parts of pages other than text: dialogs, menus, toasts, lists for the arrow keys.

import { h } from "./dom.js";
import { t } from "./i18n.js";

/** An open dialog; Escape and its last button close it. `made` gets a function that closes it. */
export function dialog(title, made, closed) {
  const place = h("dialog", { "aria-label": title, onclose: () => { place.remove(); closed?.(); } });
  place.append(h("h2.text", {}, title), ...[made(() => place.close())].flat(Infinity).filter(Boolean));
  document.body.append(place);
  place.showModal();
  return place;
}

/** The row of buttons at the end of a dialog. */
export const closing = (close, ...more) => h("div.row.end", {}, more, h("button", { type: "button", onclick: close }, t("close")));

/** A question in a dialog: resolves to the values of its fields, or null when it is closed. */
export function ask(title, fields, hint) {
  return new Promise((resolve) => {
    let values = null;
    dialog(title, (close) => {
      const inputs = fields.map((field) => h("input", {
        name: field.name, value: field.value ?? "", required: field.required !== false, autocomplete: "off", maxlength: 200,
        list: field.choices?.length ? `known-${field.name}` : null,
      }));
      return h("form.form", {
        onsubmit: (event) => { event.preventDefault(); values = Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])); close(); },
      },
        inputs.map((input, i) => h("label", {}, fields[i].label, input, fields[i].choices?.length > 0
          && h("datalist", { id: `known-${fields[i].name}` }, fields[i].choices.map((choice) => h("option", { value: choice }))))),
        hint && h("p.small.soft", {}, hint),
        h("div.row.end", {}, h("button", { type: "button", onclick: close }, t("cancel")), h("button.main", {}, t("ok"))));
    }, () => resolve(values));
  });
}

/** A button that opens a menu. `items()` returns its current entries: `{ label, hint?, act }`. */
export function menu(label, items, attributes = {}) {
  const list = h("div.menu", { popover: "auto", role: "menu", "aria-label": label });
  const button = h("button", { "aria-haspopup": "menu", ...attributes }, label, h("span.arrow", { "aria-hidden": "true" }, "▾"));
  button.popoverTargetElement = list;
  const close = () => { list.hidePopover(); button.focus(); };
  list.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    list.replaceChildren(...items().map((item) => h("button", { role: "menuitem", tabindex: "-1", onclick: () => { close(); item.act(); } },
      h("span.text", {}, item.label), item.hint && h("span.small.soft.text", {}, item.hint))));
  });
  list.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const at = button.getBoundingClientRect();
    list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - list.offsetWidth - 8))}px`;
    list.style.top = `${at.bottom + list.offsetHeight + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - list.offsetHeight - 4)}px`;
    list.firstChild?.focus();
  });
  walk(list, "button");
  list.addEventListener("keydown", (event) => { if (event.key === "Tab") list.hidePopover(); });
  return [button, list];
}

/** Lets the arrow keys, Home and End move through the matching elements of a list, from its beginning or its end. */
export function walk(list, matching, fromEnd = false) {
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll(matching)];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at < 0 && fromEnd ? all.length - 1 : at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all.length) return;
    event.preventDefault();
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  });
}

const toasts = h("div.toasts");

/** Shows a toast at the foot of the page; screen readers announce it at once. An error stays until it is closed. */
export function toast(text, bad = false) {
  if (!toasts.isConnected) document.body.append(toasts);
  const line = h(`div.toast${bad ? ".bad" : ""}`, { role: bad ? "alert" : "status" },
    h("p.text", {}, text), h("button.small", { onclick: () => line.remove() }, t("close")));
  toasts.append(line);
  while (toasts.children.length > 3) toasts.firstChild.remove();
  if (!bad) setTimeout(() => line.remove(), 6000);
}

/** Shows an error and its remedy. */
export function report(error) {
  toast(t("failed", { why: t(error.message) }), true);
}

const heard = h("p.sr", { role: "status", "aria-live": "polite" });

/** Lets screen readers announce a text. */
export function announce(text) {
  if (!heard.isConnected) document.body.append(heard);
  heard.textContent = text.slice(0, 300);
}

const HUES = 8;

/** The avatar of the bot. */
export const botFace = () => h("img.face", { src: "/assets/icon.svg", alt: "" });

/** The avatar for a name: its first character on one of a few colours, always the same for the same name. */
export function face(name, group = false) {
  const sign = [...name.replace(/[\p{C}\p{Z}\p{P}\p{S}\p{M}]/gu, "")][0] ?? "·";
  const hue = [...name].reduce((sum, one) => (sum * 31 + one.codePointAt(0)) % 9973, 7) % HUES;
  return h(`span.face.hue${hue}${group ? ".group" : ""}`, { "aria-hidden": "true" }, sign.toUpperCase());
}
