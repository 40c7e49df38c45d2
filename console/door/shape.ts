/** What the build takes over of the contract's schemas, as JSON Schema: the schemas themselves weigh more than the console. */
export interface Shape {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape | boolean;
  readonly prefixItems?: readonly Shape[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly allOf?: readonly Shape[];
}

/** Where a value differs from its shape, as a sentence; undefined where it does not. Unknown members are let be: a server may be newer. */
export function difference(value: unknown, shape: Shape, at = "answer"): string | undefined {
  if ("const" in shape && value !== shape.const) return `${at} is not ${JSON.stringify(shape.const)}`;
  if (shape.enum !== undefined && !shape.enum.includes(value))
    return `${at} is none of ${shape.enum.join(", ")}`;
  const types = shape.type === undefined ? [] : [shape.type].flat();
  if (types.length > 0 && !types.some((type) => isOf(value, type)))
    return `${at} is not ${types.join(" or ")}`;
  const either = shape.anyOf ?? shape.oneOf;
  if (either !== undefined && either.every((one) => difference(value, one, at) !== undefined))
    return either.length === 1 && either[0] !== undefined
      ? difference(value, either[0], at)
      : `${at} is none of the kinds that are known`;
  for (const one of shape.allOf ?? []) {
    const found = difference(value, one, at);
    if (found !== undefined) return found;
  }
  if (Array.isArray(value)) return ofItems(value, shape, at);
  return isObject(value) ? ofMembers(value, shape, at) : undefined;
}

function ofItems(
  value: readonly unknown[],
  { items, prefixItems = [] }: Shape,
  at: string,
): string | undefined {
  for (const [index, item] of value.entries()) {
    const shape = prefixItems[index] ?? items;
    const found = typeof shape === "object" ? difference(item, shape, `${at}[${index}]`) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function ofMembers(value: Readonly<Record<string, unknown>>, shape: Shape, at: string): string | undefined {
  const { properties = {}, required = [], additionalProperties } = shape;
  for (const name of required) if (value[name] === undefined) return `${at}.${name} is missing`;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const of = properties[name] ?? additionalProperties;
    const found = typeof of === "object" ? difference(member, of, `${at}.${name}`) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isOf(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
