// Handlers for Mynah in JavaScript. One file, no dependencies, Node 18 or newer.
//
//     const { handler, run } = require('./mynah')
//
//     handler('weather', async ctx => {
//       ctx.reply('Sunny in ' + ctx.arg('city', 'Rome'))
//     })
//     run()
//
// A rule says `run = "weather"`, and `[[handler]]` in mynah.toml says `command = ["node", "weather.js"]`. `console.log` goes to the log of the
// bot. An exception fails only this message: its stack goes to the log, and nothing is sent or stored. In a test, `await ask(name, { text })`
// returns the answer.
'use strict'

const fs = require('node:fs')
const readline = require('node:readline')

const handlers = new Map()

/** A request, and the answer to it while it grows. All of it takes place, or nothing does. */
class Context {
  constructor (request) {
    this.request = request
    this.event = request.event
    this.settings = request.settings ?? {}
    this.answer = { id: request.id }
    this.randomState = request.seed ?? 0
  }

  /** The same on every try: the key to recognise a repetition. */
  get id () { return this.request.id }
  /** `message`, `due`, `join` and the other kinds of event. */
  get kind () { return this.event.kind }
  /** The text, without mentions of the bot. */
  get text () { return this.event.text ?? '' }
  /** `id`, `name` and `group` of the chat. */
  get chat () { return this.event.chat }
  /** `id`, `name` and `is_admin`. */
  get sender () { return this.event.sender }
  /** The data of `later`, when it is due. */
  get data () { return this.event.data }

  /** An argument of `run` in the rule, or the text that `{name}` of its pattern captured. */
  arg (name, otherwise) {
    return this.request.args?.[name] ?? this.request.captures?.[name] ?? otherwise
  }

  /** A variable of `reads`, like "user.points"; always text. */
  get (name, otherwise) {
    if (this.answer.set && name in this.answer.set) return this.answer.set[name] ?? otherwise
    return this.request.vars?.[name] ?? otherwise
  }

  /** Sends a text to the chat of the event. Options: `at_sender`, `quote`. */
  reply (text, options = {}) {
    this.act({ send: { text: String(text), ...options } })
  }

  /** Sends `{ text, image, file, to }`: one of the first three; a picture or file is a path, an address, or `{ base64, name }`. */
  send (what) {
    this.act({ send: what })
  }

  /** Accepts the friend request of the event. */
  accept () {
    this.act({ accept: true })
  }

  /** Sets a variable, like "user.city"; null removes it. Values are stored as text. */
  set (name, value) {
    (this.answer.set ??= {})[name] = value === null ? null : String(value)
  }

  /** Adds to a whole number. Additions of two messages at the same time both count. */
  add (name, by = 1) {
    const sums = (this.answer.add ??= {})
    sums[name] = (sums[name] ?? 0) + by
  }

  /** Calls this handler again with kind "due" and this data: after seconds, or "10m", "2h", "1d". */
  later (after, data = null) {
    if (typeof after === 'number') after = Math.round(after * 1000) + 'ms';
    (this.answer.later ??= []).push({ after, data })
  }

  /** The next handlers do not get the event (of `before` and `fallback`). */
  stop () { this.answer.flow = 'stop' }
  /** The next handlers get the event too (of `before` and `fallback`). */
  goOn () { this.answer.flow = 'continue' }

  /** A random number from 0 to 1: the same on every try (mulberry32). */
  random () {
    this.randomState = (this.randomState + 0x6D2B79F5) >>> 0
    let t = this.randomState
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  act (action) {
    (this.answer.actions ??= []).push(action)
  }
}

/** Makes a function the handler of a name; `handler(f)` of every name. A returned text is a reply. */
function handler (name, f) {
  if (typeof name === 'function') handlers.set(null, name)
  else handlers.set(name, f)
}

async function answer (request) {
  const f = handlers.get(request.handler) ?? handlers.get(null)
  if (!f) throw new Error('no function for the handler ' + request.handler)
  const ctx = new Context(request)
  const returned = await f(ctx)
  if (typeof returned === 'string') ctx.reply(returned)
  return ctx.answer
}

async function safeAnswer (request) {
  try {
    return line(await answer(request))
  } catch (error) {
    console.error(error)
    return line({ id: request.id, error: String(error) })
  }
}

/** The JSON of an answer. Half of a surrogate pair, as `slice` leaves of an emoji, has no UTF-8. */
function line (answer) {
  return JSON.stringify(answer, (_, value) => typeof value === 'string' ? Buffer.from(value).toString() : value)
}

/** Answers requests until the input ends. Async handlers overlap, up to `at_once` in mynah.toml. */
function run () {
  // Output of others must not get between the answers.
  process.stdout.write = process.stderr.write.bind(process.stderr)
  readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
    .on('line', async line => write(await safeAnswer(JSON.parse(line)) + '\n'))
    .on('close', () => process.exit(0))
}

function write (text) {
  let bytes = Buffer.from(text)
  try {
    while (bytes.length > 0) bytes = bytes.subarray(fs.writeSync(1, bytes))
  } catch (error) {
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  }
}

/** Calls a handler as the bot would, for tests. Resolves to its answer, with `texts`: all texts that are sent. */
async function ask (name, { text = '', kind = 'message', group, sender = 'Ann', admin = false, captures = {}, args = {}, vars = {}, settings = {}, data, seed = 1 } = {}) {
  const event = {
    id: 'test',
    kind,
    time: '2026-01-05T12:00:00.000Z',
    chat: { id: group ?? sender, name: group ?? sender, group: group !== undefined },
    sender: { id: sender, name: sender, is_admin: admin },
    text,
    called: true
  }
  if (kind === 'due') event.data = data ?? null
  const done = await answer({ v: 1, id: 'test/test#0', handler: name, account: 'test', event, captures, args, vars, seed, settings })
  const texts = (done.actions ?? []).map(action => action.send?.text).filter(text => text !== undefined)
  return { ...done, texts }
}

module.exports = { Context, ask, handler, run }
