// The state of the page and its listeners. Bounded: old messages are dropped and fetched again when needed.

const KEPT = 400;

/** The number of messages kept while a person reads old ones: the messages in view must not vanish. */
const READ = 2000;

export const state = {
  session: null,
  /** How far the clock of the bot is ahead of the browser's, in milliseconds. */
  ahead: 0,
  /** The last answer of `GET login`: whether the bot is logged in. */
  login: null,
  faults: [],
  connection: "open",
  /** When the connection was lost: the page shows the state of that moment. */
  lostAt: null,
  chats: new Map(),
  chat: null,
  messages: [],
  hasOlder: false,
  /** Whether the messages of the open chat are being fetched. */
  reading: false,
  /** Whether the end of the conversation is in view, and the number of messages that arrived below it since. */
  atEnd: true,
  below: 0,
  /** The first unread message at the time the chat was opened. */
  firstNew: null,
  /** The causes of the bot's last messages. They arrive apart from the messages, sometimes before them. */
  causes: new Map(),
  message: null,
  why: null,
  speaker: {},
  tab: "talk",
  editing: false,
  /** Whether the text of the editor differs from the file. */
  unsaved: false,
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

/** Reports a change of these topics; each listener is called once, before the next frame. */
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

/** Whether a message is a line of the service rather than the words of a person. */
export const isNotice = (message) => ["system", "recall"].includes(message.kind);

/** The current time by the clock of the bot. */
export const now = () => Date.now() + state.ahead;

/** Takes over a session. If the program was restarted, the state of its earlier run is discarded. */
export function begin(session) {
  if (state.session && state.session.run !== session.run) forget();
  state.session = session;
  state.ahead = session.now - Date.now();
  changed("session");
}

/** Discards the state of the earlier run: its chats, messages and faults. The text of the editor is kept. */
function forget() {
  Object.assign(state, { chats: new Map(), chat: null, messages: [], hasOlder: false, below: 0, firstNew: null, causes: new Map(), message: null, why: null, login: null, faults: [], speaker: {} });
  changed("chats", "chat", "messages", "message", "why", "login", "faults");
}

/** The values for the text about the lost connection. */
export const lostWords = () => ({ time: new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(state.lostAt ?? Date.now()) });

/** Stores the cause of a message of the bot, which arrives a moment after the message itself. */
export function caused({ message: id, cause }) {
  state.causes.set(id, cause);
  if (state.causes.size > READ) state.causes.delete(state.causes.keys().next().value);
  const at = state.messages.findIndex((known) => known.id === id);
  if (at < 0) return;
  state.messages[at] = { ...state.messages[at], cause };
  changed("messages");
}

/** Inserts a message: a new one at the end, a known one (recalled, decided) in its place. */
export function place(message) {
  message.cause ??= state.causes.get(message.id) ?? null;
  const chat = state.chats.get(message.chat);
  const { from, mine, text, kind, time } = message;
  if (chat && !message.known) {
    chat.last = { from, mine, text, kind, time };
    if (state.chat !== message.chat && !isNotice(message)) chat.unread += 1;
  }
  if (state.chat === message.chat) {
    const at = state.messages.findIndex((known) => known.id === message.id);
    if (at >= 0) state.messages[at] = { ...state.messages[at], ...message };
    else if (!message.known) {
      state.messages.push(message);
      if (!state.atEnd) state.below += 1;
    }
    const most = state.atEnd ? KEPT : READ;
    if (state.messages.length > most) {
      state.messages.splice(0, state.messages.length - most);
      state.hasOlder = true;
    }
    changed("messages");
  }
  changed("chats");
}
