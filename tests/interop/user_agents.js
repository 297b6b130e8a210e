// Writes the regular expressions of the npm package uap-core and, for each text of the npm package user-agents, which of
// them the package's reference implementation (uap-ref-impl) finds first in each table, with its groups.
//
// One JSON object a line: the tables, then the texts. The Rust example `user_agents` of mynah-matching reads them.
'use strict'
const fs = require('fs')
const path = require('path')

const folder = path.resolve(process.argv[2], 'node_modules')
const yaml = require(path.join(folder, 'js-yaml'))
const reference = name => require(path.join(folder, 'uap-ref-impl/lib', name))

const parsers = { user_agent_parsers: reference('ua'), os_parsers: reference('os'), device_parsers: reference('device') }
const source = yaml.load(fs.readFileSync(path.join(folder, 'uap-core/regexes.yaml'), 'utf8'))
const texts = JSON.parse(fs.readFileSync(path.join(folder, 'user-agents/dist/user-agents.json'), 'utf8'))
const most = Number(process.argv[3] || Infinity)

const tables = {}
for (const name of Object.keys(parsers)) {
  tables[name] = source[name].map(one => ({
    regex: one.regex,
    ignore_case: one.regex_flag === 'i',
    parse: parsers[name].makeParser(one),
    compiled: new RegExp(one.regex, one.regex_flag || '')
  }))
}
const plain = list => list.map(({ regex, ignore_case }) => ({ regex, ignore_case }))
const lines = [JSON.stringify(Object.fromEntries(Object.entries(tables).map(([name, list]) => [name, plain(list)])))]

const seen = [...new Set(texts.map(one => one.userAgent))].slice(0, most)
for (const text of seen) {
  const found = {}
  for (const [name, list] of Object.entries(tables)) {
    const place = list.findIndex(one => one.parse(text) !== null)
    found[name] = place < 0 ? null : { place, groups: [...text.match(list[place].compiled)].slice(1).map(group => group ?? null) }
  }
  lines.push(JSON.stringify({ text, found }))
}
process.stdout.write(lines.join('\n') + '\n')
