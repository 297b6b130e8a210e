// What the page knows, and who wants to hear that it changed. Bounded: old messages are dropped and fetched again.

const KEPT = 400;

export const state = {
  session: null,
  connection: "open",
  chats: new Map(),
  chat: null,
  messages: [],
  hasOlder: false,
  message: null,
  why: null,
  speaker: {},
  tab: "talk",
  editing: false,
  query: "",
};

const listeners = new Map();

/** Calls `listener` after every change of one of the `topics`. */
export function when(topics, listener) {
  for (const topic of topics) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(listener);
  }
}

const due = new Set();

/** Says that something of these topics changed; the listeners are called once, before the next frame. */
export function changed(...topics) {
  // A hidden page has no frames.
  if (!due.size) document.hidden ? setTimeout(tell, 100) : requestAnimationFrame(tell);
  for (const topic of topics) due.add(topic);
}

function tell() {
  const now = new Set([...due].flatMap((topic) => [...(listeners.get(topic) ?? [])]));
  due.clear();
  for (const listener of now) listener();
}

/** Puts a message where it belongs: a new one at the end, a known one (recalled, decided) in its place. */
export function place(message) {
  const chat = state.chats.get(message.chat);
  if (chat) {
    chat.last = { text: message.text, kind: message.kind, time: message.time };
    if (state.chat !== message.chat && !message.mine) chat.unread += message.known ? 0 : 1;
  }
  if (state.chat === message.chat) {
    const at = state.messages.findIndex((known) => known.id === message.id);
    if (at >= 0) state.messages[at] = { ...state.messages[at], ...message };
    else state.messages.push(message);
    if (state.messages.length > KEPT) {
      state.messages.splice(0, state.messages.length - KEPT);
      state.hasOlder = true;
    }
    changed("messages");
  }
  changed("chats");
}
