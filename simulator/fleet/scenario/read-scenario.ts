import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import { LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import { faultKinds, ScenarioFault } from "./fault-kinds.ts";
import { Scenario } from "./scenario.ts";

const folder = join(import.meta.dirname, "../scenarios");
const FAULTS_TOLD_MAX = 10;

export class UnreadableScenarioError extends CoalmineError {
  readonly code = "ERR_SCENARIO";
}

/** Those that are there, by their files. */
export function scenarioNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort();
}

/** Reads one by its name, or by a path that ends in `.yaml`. @throws UnreadableScenarioError */
export function readScenario(name: string): Scenario {
  const isPath = name.endsWith(".yaml");
  if (!isPath && !scenarioNames().includes(name))
    throw new UnreadableScenarioError(
      `there is no scenario "${name}"; there are ${scenarioNames().join(", ")}`,
    );
  const path = isPath ? name : join(folder, `${name}.yaml`);
  return parseScenario(textOf(path), path);
}

export function parseScenario(text: string, where: string): Scenario {
  return read(Scenario, text, where);
}

/** A list of faults alone, as a scenario has it. */
export function readFaults(path: string): readonly ScenarioFault[] {
  return parseFaults(textOf(path), path);
}

export function parseFaults(text: string, where: string): readonly ScenarioFault[] {
  return read(z.array(ScenarioFault), text, where);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UnreadableScenarioError(`${path} cannot be read: is it there?`, { cause });
  }
}

/** Reads YAML by a schema; what is wrong is told with the line and column where it stands. */
function read<Schema extends z.ZodType>(schema: Schema, text: string, where: string): z.infer<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${where}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const [syntax] = document.errors;
  if (syntax !== undefined) throw new UnreadableScenarioError(`${at(syntax.pos[0])}: ${syntax.message}`);
  const input: unknown = document.toJS();
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const place = (path: readonly PropertyKey[]): string => {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      const range = z.looseObject({ range: z.array(z.number()) }).safeParse(node);
      if (range.success) return at(range.data.range[0] ?? 0);
    }
    return at(document.contents?.range[0] ?? 0);
  };
  const faults = parsed.error.issues
    .flatMap(nearest)
    .map((issue) => `${place(placeOf(issue))}: ${sentence(issue, input)}`);
  const more = faults.length - FAULTS_TOLD_MAX;
  throw new UnreadableScenarioError(
    [...faults.slice(0, FAULTS_TOLD_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
  );
}

type Issue = z.core.$ZodIssue;

/** Of what may be one of several things, what keeps it from being the one that it resembles most. */
function nearest(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const [best = []] = issue.errors.toSorted((one, other) => one.length - other.length);
  return best.flatMap((one) => nearest({ ...one, path: [...issue.path, ...one.path] }));
}

/** An unknown key stands where it stands, not where its map begins. */
function placeOf(issue: Issue): readonly PropertyKey[] {
  return issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
}

function sentence(issue: Issue, input: unknown): string {
  const field = issue.path.map(String).join(".");
  const found = issue.path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    input,
  );
  const shown = JSON.stringify(found);
  switch (issue.code) {
    case "invalid_union":
      return `there is no fault ${shown ?? "without a kind"}; there are ${faultKinds.join(", ")}`;
    case "invalid_value":
      return `${field} is ${shown ?? "missing"}; there are ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `${issue.keys.map((key) => `"${key}"`).join(" and ")} means nothing${field === "" ? "" : ` in ${field}`}; correct or remove it`;
    case "custom":
      return issue.message;
    default:
      return `${field} ${shown === undefined ? "is missing" : `is ${shown}`}: ${issue.message}`;
  }
}
