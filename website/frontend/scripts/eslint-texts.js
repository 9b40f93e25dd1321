// ESLint rule: every text that users read goes through Lingui (`i18n._`, `<Trans id>`, or a constant
// that is marked by `/*i18n*/`), so that the catalogues have it.

/** Attributes whose value is no text, although it may look like one. */
const CODE_ATTRIBUTES =
  /^(className|code|preserveAspectRatio|viewBox|transform|d|id|to|aria-describedby)$/;

/** Elements whose content is the same in every language. */
const CODE_ELEMENTS = new Set(["code", "kbd", "pre"]);

/** Names that are the same in every language. */
const NAMES = new Set([
  "Bearer",
  "Deutsch",
  "English",
  "FPS",
  "Hugging Face",
  "Minari",
  "Parquet",
  "Skill Arcade",
  "ms",
]);

const isName = (text) => NAMES.has(text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, ""));

const hasWord = (text) => /\p{L}{2,}/u.test(text) && !isName(text);

/** A sentence or a label, not a key, a path or a class: "No games", "Loading…", "Retry". */
const isProse = (text) =>
  !isName(text) &&
  (/^\p{Lu}[\p{Ll}’-]+([ ,:.!?…]|$)/u.test(text.trim()) || /\p{L}{2,} \p{L}+.*[.!?…]$/u.test(text));

const isMarked = (node, code) =>
  code.getCommentsBefore(node).some(({ value }) => value.trim() === "i18n");

/** Headers of requests, and the code of an error that the page makes. */
const isProtocol = (use, value) =>
  use.callee.object?.name === "headers" ||
  use.callee.name === "Headers" ||
  (use.callee.name === "ApiError" && use.arguments[0] !== value);

const isLinguiCall = ({ callee }) =>
  callee.type === "MemberExpression" && callee.property.name === "_";

/** Calls and constructors whose texts are for developers: errors in the code, and the console. */
const isForDevelopers = ({ type, callee }) =>
  (type === "NewExpression" && /Error$/.test(callee.name ?? "") && callee.name !== "ApiError") ||
  (type === "CallExpression" &&
    callee.type === "MemberExpression" &&
    callee.object.name === "console");

/** Nodes that pass a value on, from which the search for its use continues outwards. */
const TRANSPARENT = new Set([
  "ConditionalExpression",
  "LogicalExpression",
  "TemplateLiteral",
  "BinaryExpression",
  "TSAsExpression",
  "TSSatisfiesExpression",
]);

/** Returns the node that uses the value of a literal. */
function findUse(node) {
  let child = node;
  while (TRANSPARENT.has(child.parent.type)) child = child.parent;
  return { value: child, use: child.parent };
}

function isAllowed(node, code) {
  const { value, use } = findUse(node);
  if (isMarked(node, code) || isMarked(value, code)) return true;
  switch (use.type) {
    case "CallExpression":
    case "NewExpression":
      return isForDevelopers(use) || isProtocol(use, value) || isLinguiCall(use);
    case "JSXAttribute":
    case "JSXExpressionContainer": {
      const attribute = use.type === "JSXAttribute" ? use : use.parent;
      if (attribute.type !== "JSXAttribute") return false;
      const element = attribute.parent.name.name;
      return element === "Trans" || CODE_ATTRIBUTES.test(attribute.name.name ?? "");
    }
    case "Property":
      // Keys are no values. Placeholders are arguments of a translated text.
      return use.key === value;
    case "BinaryExpression":
    case "SwitchCase":
    case "TSLiteralType":
    case "ImportDeclaration":
    case "ImportExpression":
    case "ExportNamedDeclaration":
    case "MemberExpression":
      return true;
    default:
      return false;
  }
}

const COMPARISONS = new Set(["===", "!==", "==", "!=", "in", "instanceof"]);

/** Whether a node is a child of an element. */
const isChild = ({ type, parent }) =>
  type === "JSXExpressionContainer" && parent.type !== "JSXAttribute";

function isCompared(node) {
  return node.parent.type === "BinaryExpression" && COMPARISONS.has(node.parent.operator);
}

export const texts = {
  rules: {
    translated: {
      meta: {
        type: "problem",
        schema: [],
        messages: {
          untranslated:
            "This text is not translated: {{text}}. Use i18n._, <Trans id>, or mark a constant by /*i18n*/.",
        },
      },
      create(context) {
        const code = context.sourceCode;
        const report = (node, text) =>
          context.report({ node, messageId: "untranslated", data: { text: JSON.stringify(text) } });
        return {
          JSXText(node) {
            const element = node.parent.openingElement?.name.name;
            if (hasWord(node.value) && !CODE_ELEMENTS.has(element)) report(node, node.value.trim());
          },
          Literal(node) {
            if (typeof node.value !== "string" || isCompared(node)) return;
            const isShown = isChild(findUse(node).use) ? hasWord(node.value) : isProse(node.value);
            if (isShown && !isAllowed(node, code)) report(node, node.value);
          },
          TemplateLiteral(node) {
            const parts = node.quasis.map(({ value }) => value.cooked);
            const isShown = isChild(findUse(node).use)
              ? parts.some(hasWord)
              : parts.some(hasWord) && isProse(parts.join("X"));
            if (isShown && !isAllowed(node, code)) report(node, parts.join("…"));
          },
        };
      },
    },
  },
};
