// The answers of the interpreter `rivescript` of npm: reads a JSON object {brain, messages}, writes a list of answers.
const RiveScript = require("rivescript");

async function main() {
  const { brain, messages } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const bot = new RiveScript({ utf8: true });
  bot.stream(brain);
  bot.sortReplies();
  const answers = [];
  for (const message of messages) answers.push(await bot.reply("Ann", message));
  process.stdout.write(JSON.stringify(answers));
}

main();
