import { type CompiledMessage, compileMessageOrThrow } from "@lingui/message-utils/compileMessage";
import { expect, test } from "vitest";

import { messages } from "@/locales/de";

/** Returns the placeholders of a message with their types, such as "minutes:plural". */
function placeholders(message: CompiledMessage | string): string[] {
  if (typeof message === "string") return [];
  return message.flatMap((token) => {
    if (typeof token === "string") return [];
    const [name, type, cases] = token;
    const inner = typeof cases === "object" && cases !== null ? Object.values(cases) : [];
    const nested = inner.flatMap((one) =>
      Array.isArray(one) ? placeholders(one as CompiledMessage) : [],
    );
    return [`${name}:${type ?? ""}`, ...nested];
  });
}

const texts = Object.entries(messages);

test("catalogue has texts", () => {
  expect(texts.length).toBeGreaterThan(100);
});

test.each(texts)("german text of %j is not empty and has the same placeholders", (id, german) => {
  expect(german).not.toHaveLength(0);
  expect(placeholders(german).sort()).toEqual(placeholders(compileMessageOrThrow(id)).sort());
});
