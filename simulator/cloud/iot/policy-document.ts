import * as z from "zod";
import { ServiceError } from "../service.ts";
import { fits } from "./wildcards.ts";

/** What a policy is asked. Variables without a value are absent. */
export interface PolicyQuestion {
  readonly action: string;
  readonly resource: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const OneOrMore = z.union([z.string(), z.array(z.string()).min(1)]);
const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Action: OneOrMore,
  Resource: OneOrMore,
  Condition: z.record(z.string(), z.record(z.string(), OneOrMore)).optional(),
});
const Document = z.strictObject({
  Version: z.enum(["2012-10-17", "2008-10-17"]).optional(),
  Id: z.string().optional(),
  Statement: z.union([Statement, z.array(Statement).min(1)]),
});

export interface CompiledStatement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: readonly {
    readonly variable: string;
    readonly operator: Operator;
    readonly values: readonly string[];
  }[];
}
const operators = ["Bool", "StringEquals", "StringLike"] as const;
type Operator = (typeof operators)[number];

/** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits */
const POLICY_CHARACTERS_MAX = 2048;

/** Reads a policy document. What this cloud cannot enforce it refuses, rather than to allow what AWS would not. */
export function compilePolicy(text: string): readonly CompiledStatement[] {
  if (text.replace(/\s/g, "").length > POLICY_CHARACTERS_MAX)
    throw malformed(`it is longer than ${POLICY_CHARACTERS_MAX} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed("it is not JSON");
  }
  const parsed = Document.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it has another shape"}`);
  }
  return [parsed.data.Statement].flat().map((statement) => ({
    effect: statement.Effect,
    actions: [statement.Action].flat(),
    resources: [statement.Resource].flat(),
    conditions: Object.entries(statement.Condition ?? {}).flatMap(([name, keys]) => {
      const operator = operators.find((known) => known === name);
      if (operator === undefined)
        throw malformed(`the condition operator ${name} is not simulated; ${operators.join(", ")} are`);
      return Object.entries(keys).map(([variable, values]) => ({
        variable,
        operator,
        values: [values].flat(),
      }));
    }),
  }));
}

function malformed(why: string): ServiceError {
  return new ServiceError("MalformedPolicyException", 400, `The policy document is malformed: ${why}.`);
}

/** Allowed where a statement allows and none denies. */
export function isAllowed(statements: Iterable<CompiledStatement>, question: PolicyQuestion): boolean {
  let allowed = false;
  for (const statement of statements) {
    if (!applies(statement, question)) continue;
    if (statement.effect === "Deny") return false;
    allowed = true;
  }
  return allowed;
}

function applies(statement: CompiledStatement, { action, resource, variables }: PolicyQuestion): boolean {
  return (
    statement.actions.some((pattern) => fits(pattern.toLowerCase(), action.toLowerCase())) &&
    statement.resources.some((pattern) => {
      const filled = fill(pattern, variables);
      return filled !== undefined && fits(filled, resource);
    }) &&
    statement.conditions.every(({ variable, operator, values }) => {
      const actual = variables[variable];
      return (
        actual !== undefined &&
        values.some((value) => {
          const wanted = fill(value, variables);
          if (wanted === undefined) return false;
          return operator === "StringLike" ? fits(wanted, actual) : wanted === actual;
        })
      );
    })
  );
}

/**
 * Puts values in place of `${…}`. Undefined where one has no value, or a value that would itself be a wildcard: a client
 * chooses its client id, and must not choose what it matches.
 */
function fill(pattern: string, variables: PolicyQuestion["variables"]): string | undefined {
  if (!pattern.includes("${")) return pattern;
  let known = true;
  const filled = pattern.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined || /[*?]/.test(value)) known = false;
    return value ?? "";
  });
  return known ? filled : undefined;
}
