import type * as z from "zod";

/** More faults of one file than a person corrects at once. */
const FAULTS_TOLD_MAX = 10;
const VALUE_LENGTH_MAX = 60;

/** What is wrong with something that a person wrote, a sentence a fault: which field, which value, what is allowed. */
export function faultsOf({ issues }: z.ZodError, input: unknown): string[] {
  return issues
    .flatMap((issue) => nearest(issue))
    .map((issue) => {
      const field = pathText(issue.path);
      if (issue.code === "custom") return field === "" ? issue.message : `${field}: ${issue.message}`;
      const place = field === "" ? "the whole" : field;
      if (issue.code === "unrecognized_keys")
        return `${place} has ${issue.keys.map((key) => `"${key}"`).join(" and ")}, which means nothing here: correct or remove it`;
      const found = at(input, issue.path);
      return `${place} ${found === undefined ? "is missing: it" : `is ${shown(found)}, and`} must be ${allowedBy(issue)}`;
    });
}

/** A line a fault, no more than a person takes in. */
export function faultsText(faults: readonly string[]): string {
  const rest = faults.length - FAULTS_TOLD_MAX;
  const told = [...faults.slice(0, FAULTS_TOLD_MAX), ...(rest > 0 ? [`and ${rest} more`] : [])];
  return told.map((fault) => `  ${fault}`).join("\n");
}

/** Of something that may be one of several things, what keeps it from being the one that it resembles most. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const resembling = issue.errors.filter(
    ([first]) => first !== undefined && (first.path.length > 0 || first.code === "unrecognized_keys"),
  );
  const [best] = resembling.sort((a, b) => a.length - b.length);
  return best === undefined
    ? [issue]
    : best.flatMap((one) => nearest({ ...one, path: [...issue.path, ...one.path] }));
}

/** `looks[2].values["model run"][0]`. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) =>
      typeof key === "number"
        ? `[${key}]`
        : /^[A-Za-z_]\w*$/.test(String(key))
          ? `${index === 0 ? "" : "."}${String(key)}`
          : `[${JSON.stringify(String(key))}]`,
    )
    .join("");
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    input,
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}

const types: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  string: "a text",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
};

function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return either(issue.values);
    case "invalid_union":
      return "options" in issue && issue.options !== undefined
        ? either(issue.options)
        : [
            ...new Set(issue.errors.flatMap(([first]) => (first === undefined ? [] : [allowedBy(first)]))),
          ].join(" or ");
    case "invalid_type":
      return types[issue.expected] ?? issue.expected;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unitOf(issue.origin)}`;
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_key":
    case "not_multiple_of":
    case "unrecognized_keys":
    default:
      return `as follows: ${issue.message}`;
  }
}

function either(choices: readonly unknown[]): string {
  const words = choices.map((choice) => JSON.stringify(choice));
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function unitOf(origin: string): string {
  return origin === "array" ? " entries long" : origin === "string" ? " characters long" : "";
}
