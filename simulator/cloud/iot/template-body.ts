import * as z from "zod";
import { invalid } from "./operation.ts";

const ThingResource = z.object({
  Type: z.literal("AWS::IoT::Thing"),
  Properties: z.object({
    ThingName: z.json(),
    ThingTypeName: z.json().optional(),
    AttributePayload: z.record(z.string(), z.json()).optional(),
    ThingGroups: z.array(z.json()).optional(),
    BillingGroup: z.json().optional(),
  }),
  OverrideSettings: z.record(z.string(), z.enum(["DO_NOTHING", "MERGE", "REPLACE", "FAIL"])).optional(),
});
const CertificateResource = z.object({
  Type: z.literal("AWS::IoT::Certificate"),
  Properties: z.object({ CertificateId: z.json().optional(), Status: z.json().optional() }),
});
const PolicyResource = z.object({
  Type: z.literal("AWS::IoT::Policy"),
  Properties: z.object({ PolicyName: z.json().optional(), PolicyDocument: z.json().optional() }),
});
const Body = z.object({
  Parameters: z.record(z.string(), z.object({ Type: z.literal("String"), Default: z.string().optional() })),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.json()))).optional(),
  Resources: z.record(
    z.string(),
    z.discriminatedUnion("Type", [ThingResource, CertificateResource, PolicyResource]),
  ),
  DeviceConfiguration: z.record(z.string(), z.json()).optional(),
});
type Body = z.infer<typeof Body>;
type Json = z.infer<ReturnType<typeof z.json>>;

/** What a template asks for, with its parameters filled in. */
export interface FilledTemplate {
  readonly thing:
    | {
        readonly thingName: string;
        readonly thingTypeName: string | undefined;
        readonly attributes: Readonly<Record<string, string>>;
        readonly groups: readonly string[];
        readonly overrides: Readonly<Record<string, "DO_NOTHING" | "MERGE" | "REPLACE" | "FAIL">>;
      }
    | undefined;
  readonly certificateStatus: "ACTIVE" | "INACTIVE";
  readonly policies: readonly ({ readonly name: string } | { readonly document: string })[];
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

export function readTemplate(text: string): Body {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid("The template body is not JSON.");
  }
  const parsed = Body.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(
    `The template body is wrong at ${issue?.path.join(".") ?? "its root"}: ${issue?.message ?? "?"}`,
  );
}

/** Puts the parameters into the template. Throws where one is missing that the template names. */
export function fillTemplate(text: string, given: Readonly<Record<string, string>>): FilledTemplate {
  const body = readTemplate(text);
  const values: Record<string, string> = {};
  for (const [name, { Default }] of Object.entries(body.Parameters)) {
    const value = given[name] ?? Default;
    if (value !== undefined) values[name] = value;
  }
  const fill = (value: Json): string => textOf(evaluate(value, values, body.Mappings ?? {}));
  let thing: FilledTemplate["thing"];
  let certificateStatus: FilledTemplate["certificateStatus"] = "ACTIVE";
  const policies: ({ name: string } | { document: string })[] = [];
  for (const resource of Object.values(body.Resources))
    switch (resource.Type) {
      case "AWS::IoT::Thing": {
        const { ThingName, ThingTypeName, AttributePayload, ThingGroups } = resource.Properties;
        thing = {
          thingName: fill(ThingName),
          thingTypeName: ThingTypeName === undefined ? undefined : fill(ThingTypeName),
          attributes: Object.fromEntries(
            Object.entries(AttributePayload ?? {}).map(([name, value]) => [name, fill(value)]),
          ),
          groups: (ThingGroups ?? []).map(fill),
          overrides: resource.OverrideSettings ?? {},
        };
        break;
      }
      case "AWS::IoT::Certificate":
        if (resource.Properties.Status !== undefined)
          certificateStatus =
            fill(resource.Properties.Status).toUpperCase() === "INACTIVE" ? "INACTIVE" : "ACTIVE";
        break;
      case "AWS::IoT::Policy": {
        const { PolicyName, PolicyDocument } = resource.Properties;
        if (PolicyName !== undefined) policies.push({ name: fill(PolicyName) });
        else if (PolicyDocument !== undefined) {
          const document = evaluate(PolicyDocument, values, body.Mappings ?? {});
          policies.push({ document: typeof document === "string" ? document : JSON.stringify(document) });
        }
        break;
      }
    }
  const deviceConfiguration = Object.fromEntries(
    Object.entries(body.DeviceConfiguration ?? {}).map(([name, value]) => [name, fill(value)]),
  );
  return { thing, certificateStatus, policies, deviceConfiguration };
}

function textOf(value: Json): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw invalid(`The template needs a text where it has ${JSON.stringify(value)}.`);
}

function evaluate(
  value: Json,
  values: Readonly<Record<string, string>>,
  mappings: NonNullable<Body["Mappings"]>,
): Json {
  const again = (inner: Json): Json => evaluate(inner, values, mappings);
  const parameter = (name: string): string => {
    const found = values[name];
    if (found === undefined) throw invalid(`The template needs the parameter ${name}.`);
    return found;
  };
  if (Array.isArray(value)) return value.map(again);
  if (typeof value !== "object" || value === null) return value;
  const [first, ...others] = Object.entries(value);
  if (first === undefined || others.length > 0)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, again(inner)]));
  const [name, argument] = first;
  const list = Array.isArray(argument) ? argument.map(again) : [];
  switch (name) {
    case "Ref":
      return parameter(textOf(argument));
    case "Fn::Join":
      return [list[1] ?? []]
        .flat()
        .map(textOf)
        .join(textOf(list[0] ?? ""));
    case "Fn::Sub": {
      const [pattern, extra] = Array.isArray(argument) ? list : [argument, {}];
      const local = typeof extra === "object" && extra !== null && !Array.isArray(extra) ? extra : {};
      return textOf(pattern ?? "").replace(/\$\{([^}]+)\}/g, (_, inner: string) =>
        local[inner] === undefined ? parameter(inner) : textOf(local[inner]),
      );
    }
    case "Fn::Select":
      return [list[1] ?? []].flat()[Number(textOf(list[0] ?? 0))] ?? "";
    case "Fn::Split":
      return textOf(list[1] ?? "").split(textOf(list[0] ?? ""));
    case "Fn::FindInMap": {
      const [map = "", key = "", second = ""] = list.map(textOf);
      const found = mappings[map]?.[key]?.[second];
      if (found === undefined) throw invalid(`The template's mapping ${map} has no ${key}.${second}.`);
      return again(found);
    }
    default:
      return { [name]: again(argument) };
  }
}
