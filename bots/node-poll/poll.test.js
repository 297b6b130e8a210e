'use strict'

const test = require('node:test')
const assert = require('node:assert')

const { ask } = require('../../sdk/node/mynah.js')
require('./poll.js')

test('everyone votes once, and the poll ends by itself', async () => {
  const started = await ask('poll', { group: 'g', args: { do: 'start' }, captures: { options: '茶，咖啡' } })
  assert.match(started.texts[0], /1\. 茶\n2\. 咖啡/)
  let vars = started.set
  for (const [sender, n] of [['Ann', '1'], ['Bob', '2'], ['Bob', '1']]) {
    const voted = await ask('poll', { group: 'g', sender, vars, args: { do: 'vote' }, captures: { n } })
    vars = voted.set
  }
  const ended = await ask('poll', { kind: 'due', vars, data: started.later[0].data })
  assert.deepEqual(ended.texts, ['投票结果：\n茶：2 票\n咖啡：0 票'])
  assert.deepEqual(ended.set, { 'chat.poll': null })
})

test('nothing happens without a poll', async () => {
  assert.deepEqual((await ask('poll', { group: 'g', args: { do: 'vote' }, captures: { n: '1' } })).texts, [])
  assert.deepEqual((await ask('poll', { group: 'g' })).texts, ['现在没有投票。'])
})
