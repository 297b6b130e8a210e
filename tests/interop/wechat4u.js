// wechat4u against the sandbox: only the hook of its requests is used, to change scheme, host and port.
//
// Usage: node wechat4u.js BASE_URL FOLDER   (FOLDER holds node_modules; prints PASS or FAIL for every step)

'use strict'

const path = require('path')
const { createRequire } = require('module')

const [base, folder] = process.argv.slice(2)
const Wechat = createRequire(path.join(path.resolve(folder), 'index.js'))('wechat4u')

const GROUP = '水果店客户群'
const FRIEND = '小红'
const MEMBER = 'Alice'
const LIMIT = 30000
let failed = false

async function step (name, test) {
  try {
    const note = await test()
    console.log(`PASS wechat4u: ${name}` + (note ? ` (${note})` : ''))
  } catch (error) {
    failed = true
    console.log(`FAIL wechat4u: ${name}: ${error && error.message || error}`)
  }
}

async function call (path, body) {
  const options = body ? { method: 'POST', body: JSON.stringify(body) } : {}
  const answer = await fetch(base + path, options)
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.json()
}

async function waitUntil (what, condition) {
  const end = Date.now() + LIMIT
  while (Date.now() < end) {
    const found = await condition()
    if (found) return found
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`${what} did not happen within ${LIMIT / 1000} s`)
}

const sent = async wanted => (await call('/sandbox/sent')).messages.find(
  message => Object.entries(wanted).every(([key, value]) => message[key] === value))

function assert (condition, text) {
  if (!condition) throw new Error(text)
}

// Eight red pixels in a row.
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAABCAIAAABsYngUAAAAD0lEQVR4nGM4EWCEFTFQUQIAGQAPYWfHR2EAAAAASUVORK5CYII=', 'base64')

const bot = new Wechat()
const heard = []

// The client's own request function, with the address of the service replaced by that of the sandbox.
const request = bot.request
bot.request = options => {
  const url = new URL(options.url)
  const target = new URL(base)
  url.protocol = target.protocol
  url.host = target.host
  // The host name that the client addresses, as a proxy would pass it on.
  const headers = Object.assign({}, options.headers, { Host: new URL(options.url).host })
  return request(Object.assign({}, options, { url: url.href, headers }))
}

const errors = []
bot.on('error', error => errors.push(error))
bot.on('message', message => {
  if (message.isSendBySelf || message.MsgType !== bot.CONF.MSGTYPE_TEXT) return
  const group = message.FromUserName.startsWith('@@')
  heard.push({ group, text: message.Content, from: message.FromUserName })
  bot.sendMsg((group ? '群里收到：' : '收到：') + message.OriginalContent.length, message.FromUserName)
    .catch(error => errors.push(error))
})

const contact = name => Object.values(bot.contacts).find(
  contact => contact.OriginalNickName === name || contact.NickName === name)

async function main () {
  await step('log in', async () => {
    const online = new Promise(resolve => bot.on('login', resolve))
    bot.start()
    await Promise.race([online, new Promise((resolve, reject) => setTimeout(
      () => reject(new Error(`no login within ${LIMIT / 1000} s; ${errors.map(String)}`)), LIMIT).unref())])
    return bot.user.NickName
  })
  await step('read contacts', async () => {
    await waitUntil('the contacts', () => contact(FRIEND) && contact(GROUP))
    return `${Object.keys(bot.contacts).length} contacts`
  })
  await step('read members', async () => {
    const found = await waitUntil('the members',
      () => contact(GROUP).MemberList.some(member => member.NickName === MEMBER) && contact(GROUP))
    return `${found.MemberList.length} members`
  })
  await step('get a group message', async () => {
    await call('/sandbox/messages', { from: MEMBER, group: GROUP, text: '苹果 <1>\n梨' })
    const { text } = await waitUntil('the message in the group', () => heard.find(it => it.group))
    assert(text.startsWith(MEMBER) && text.includes('苹果 <1>\n梨'), JSON.stringify(text))
  })
  await step('answer in the group', () => waitUntil('the answer in the group',
    async () => (await call('/sandbox/sent')).messages.find(
      it => it.to_name === GROUP && it.text.startsWith('群里收到：'))).then(() => ''))
  await step('get a private message', async () => {
    await call('/sandbox/messages', { from: FRIEND, text: '在吗' })
    const { text } = await waitUntil('the private message', () => heard.find(it => !it.group))
    assert(text === '在吗', JSON.stringify(text))
  })
  await step('answer in private', () => waitUntil('the private answer',
    () => sent({ to_name: FRIEND, kind: 'text', text: '收到：2' })).then(() => ''))
  await step('send a picture', async () => {
    await bot.sendMsg({ file: PICTURE, filename: 'picture.png' }, contact(FRIEND).UserName)
    await waitUntil('the picture', () => sent({ to_name: FRIEND, kind: 'image' }))
  })
  await step('log out', async () => {
    const loggedOut = new Promise(resolve => bot.on('logout', resolve))
    bot.stop()
    await loggedOut
    await waitUntil('the end of the session', async () => !(await call('/sandbox/state')).online)
  })
}

setTimeout(() => {
  console.log('FAIL wechat4u: not finished after 180 s')
  process.exit(1)
}, 180000).unref()

main().then(() => process.exit(failed ? 1 : 0))
