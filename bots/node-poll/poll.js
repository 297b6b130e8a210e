// A poll in a group: one person starts it, everyone votes once, and it ends by itself.
'use strict'

const { handler, run } = require('../../sdk/node/mynah.js')

const COUNTS = 'chat.poll'

handler('poll', ctx => {
  const poll = JSON.parse(ctx.get(COUNTS, 'null'))
  if (ctx.kind === 'due') return poll && poll.id === ctx.data.id ? end(ctx, poll) : undefined
  switch (ctx.arg('do')) {
    case 'start': return start(ctx, poll)
    case 'vote': return vote(ctx, poll)
    default: return end(ctx, poll)
  }
})

function start (ctx, poll) {
  if (poll) return '上一个投票还没有结束。'
  const options = ctx.arg('options').split(/[,，、 ]+/).filter(Boolean)
  if (options.length < 2) return '至少要两个选项：投票 茶，咖啡'
  store(ctx, { id: ctx.id, options, votes: {} })
  ctx.later('10m', { id: ctx.id })
  return '请投票，10 分钟后结束：\n' + options.map((name, n) => `${n + 1}. ${name}`).join('\n')
}

function vote (ctx, poll) {
  const choice = Number(ctx.arg('n')) - 1
  if (!poll) return
  if (!(choice in poll.options)) return '没有这个选项。'
  poll.votes[ctx.sender.id] = choice
  store(ctx, poll)
  ctx.reply(`已投：${poll.options[choice]}`, { at_sender: true })
}

function end (ctx, poll) {
  if (!poll) return '现在没有投票。'
  ctx.set(COUNTS, null)
  const count = n => Object.values(poll.votes).filter(choice => choice === n).length
  return '投票结果：\n' + poll.options.map((name, n) => `${name}：${count(n)} 票`).join('\n')
}

function store (ctx, poll) {
  ctx.set(COUNTS, JSON.stringify(poll))
}

if (require.main === module) run()
