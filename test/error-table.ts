import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseSync } from "oxc-parser";

/** Makes `docs/errors.md` out of the sources: `npm run errors` writes it, a test compares it. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const ERRORS_PAGE = join(root, "docs/errors.md");
const folders = "{packages,components,pipeline,simulator,cli,api,commissioning,infra}";

interface Known {
  readonly file: string;
  /** A sentence that it is thrown with, values left open. */
  readonly sentence: string | undefined;
}

interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly [key: string]: unknown;
}

export function errorsPage(): string {
  const files = globSync(`${folders}/**/*.ts`, { cwd: root })
    // Maps codes to exits, and defines none.
    .filter((file) => file !== "cli/exit-codes.ts")
    .filter((file) => !/node_modules|dist\/|\.coalmine|\.test\.ts$/.test(file))
    .sort();
  const codes = new Map<string, Known>();
  const sentenceOf = new Map<string, string>();
  const codeOfClass = new Map<string, string>();
  for (const file of files) {
    const source = readFileSync(join(root, file), "utf8");
    if (!source.includes("Error")) continue;
    visit(parseSync(file, source).program, (node) => {
      if (isCode(node.value) && node.type === "Literal" && !codes.has(node.value))
        codes.set(node.value, { file, sentence: undefined });
      if (node.type === "ClassDeclaration") {
        const code = classCode(node);
        if (code !== undefined) {
          codes.set(code, { file, sentence: undefined });
          codeOfClass.set(nameOf(node["id"]), code);
        }
      }
      if (node.type !== "NewExpression" && node.type !== "CallExpression") return;
      const given = nodes(node["arguments"]);
      const sentence = given.map((one) => textOf(one, source)).find((text) => text?.includes(" ") === true);
      const key = given.map(({ value }) => value).find(isCode) ?? nameOf(node["callee"]);
      if (sentence !== undefined && !sentenceOf.has(key)) sentenceOf.set(key, sentence);
    });
  }
  const classOf = new Map([...codeOfClass].map(([name, code]) => [code, name]));
  const rows = [...codes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { file }]) => {
      const sentence = sentenceOf.get(code) ?? sentenceOf.get(classOf.get(code) ?? "") ?? "";
      return `| \`${code}\` | ${sentence.replaceAll("|", "\\|")} | ${file} |`;
    });
  return `# Errors

Every failure that somebody can act on has one of these codes, and a message that says what happened, with which values, and
what to do next. This page is made from the sources by \`npm run errors\`; \`…\` stands for a value.

| code | a message of it | defined in |
| --- | --- | --- |
${rows.join("\n")}
`;
}

function isCode(value: unknown): value is string {
  return typeof value === "string" && /^ERR_[A-Z_]+$/.test(value);
}

/** The code that all of a class's errors have, where it is a field's value. */
function classCode(node: Node): string | undefined {
  const [body] = nodes([node["body"]]);
  for (const member of nodes(body?.["body"])) {
    const [value] = nodes([member["value"]]);
    if (nameOf(member["key"]) === "code" && isCode(value?.value)) return value.value;
  }
  return undefined;
}

function textOf(node: Node, source: string): string | undefined {
  if (node.type === "BinaryExpression" && node["operator"] === "+") {
    const parts = nodes([node["left"], node["right"]]).map((side) => textOf(side, source));
    return parts.every((part) => part === undefined) ? undefined : parts.map((part) => part ?? "…").join("");
  }
  if (node.type === "Literal" && typeof node.value === "string")
    return isCode(node.value) ? undefined : node.value;
  if (node.type !== "TemplateLiteral") return undefined;
  return nodes(node["quasis"])
    .map(({ start, end }) => source.slice(Number(start), Number(end)))
    .map((text) => text.replace(/^[`}]|(?:`|\$\{)$/g, ""))
    .join("…")
    .replaceAll("\\`", "`");
}

function nameOf(node: unknown): string {
  const [one] = nodes([node]);
  return typeof one?.["name"] === "string" ? one["name"] : "";
}

function visit(node: unknown, look: (node: Node) => void): void {
  for (const one of nodes([node])) {
    look(one);
    for (const child of Object.values(one))
      for (const below of nodes(Array.isArray(child) ? child : [child])) visit(below, look);
  }
}

function nodes(values: unknown): Node[] {
  return Array.isArray(values)
    ? values.filter((value): value is Node => typeof value === "object" && value !== null && "type" in value)
    : [];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(ERRORS_PAGE, errorsPage());
