import { NormalizedSchema } from "@smithy/core/schema";
import * as z from "zod";

/**
 * The operations of an AWS service as its SDK client exports them (`CreateDeployment$`, `ConflictException$`, …). The
 * tuples are typed by the SDK but their positions are convention: this is the one file that knows them, and the SDK's
 * exact versions are pinned by the lockfile.
 */
export interface ServiceModel {
  readonly operations: ReadonlyMap<string, OperationModel>;
  readonly errors: ReadonlyMap<string, ErrorModel>;
}

export interface OperationModel {
  readonly name: string;
  readonly namespace: string;
  /** Absent where the protocol names operations by header. */
  readonly http: HttpBinding | undefined;
  readonly input: Shape;
  readonly output: Shape;
}

export interface HttpBinding {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface ErrorModel {
  readonly shape: Shape;
  readonly status: number | undefined;
  /** What the query protocol calls it, where that differs from the shape's name. */
  readonly queryCode: string | undefined;
}

export type Shape = NormalizedSchema;
export type TimestampFormat = "default" | "date-time" | "http-date" | "epoch-seconds";

/** Where a member of a structure travels. */
export interface MemberBinding {
  readonly label: boolean;
  readonly query: string | undefined;
  readonly queryMap: boolean;
  readonly header: string | undefined;
  readonly headerPrefix: string | undefined;
  readonly payload: boolean;
  readonly responseCode: boolean;
  readonly jsonName: string | undefined;
}

const Reference = z.custom<Parameters<typeof NormalizedSchema.of>[0]>();
const Traits = z.union([z.number(), z.looseObject({ http: z.tuple([z.string(), z.string(), z.number()]) })]);
const OperationTuple = z.tuple([z.literal(9), z.string(), z.string(), Traits, Reference, Reference]);
const ErrorTuple = z.tuple(
  [
    z.literal(-3),
    z.string(),
    z.string(),
    z.union([
      z.number(),
      z.looseObject({
        httpError: z.number().optional(),
        awsQueryError: z.tuple([z.string(), z.number()]).optional(),
      }),
    ]),
  ],
  z.unknown(),
);

/** Reads the model out of an SDK client's module. */
export function serviceModel(clientModule: object): ServiceModel {
  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, ErrorModel>();
  for (const exported of Object.values(clientModule)) {
    const operation = OperationTuple.safeParse(exported);
    if (operation.success) {
      const [, namespace, name, traits, input, output] = operation.data;
      const http = typeof traits === "number" ? undefined : traits.http;
      operations.set(name, {
        name,
        namespace,
        http: http && { method: http[0], path: http[1], status: http[2] },
        input: NormalizedSchema.of(input),
        output: NormalizedSchema.of(output),
      });
      continue;
    }
    const error = ErrorTuple.safeParse(exported);
    if (error.success) {
      const [, , name, traits] = error.data;
      errors.set(name, {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the tuple that was just recognised.
        shape: NormalizedSchema.of(exported as Parameters<typeof NormalizedSchema.of>[0]),
        status: typeof traits === "number" ? undefined : traits.httpError,
        queryCode: typeof traits === "number" ? undefined : traits.awsQueryError?.[0],
      });
    }
  }
  return { operations, errors };
}

const bindings = new WeakMap<Shape, MemberBinding>();

export function bindingOf(member: Shape): MemberBinding {
  const known = bindings.get(member);
  if (known !== undefined) return known;
  const traits = member.getMergedTraits();
  const binding: MemberBinding = {
    label: traits.httpLabel === 1,
    query: traits.httpQuery,
    queryMap: traits.httpQueryParams === 1,
    header: traits.httpHeader?.toLowerCase(),
    headerPrefix: traits.httpPrefixHeaders?.toLowerCase(),
    payload: traits.httpPayload === 1,
    responseCode: traits.httpResponseCode === 1,
    jsonName: traits.jsonName,
  };
  bindings.set(member, binding);
  return binding;
}

/** How a member, list or map is named in XML and in forms. */
export function xmlTraitsOf(shape: Shape): {
  readonly name: string | undefined;
  readonly flattened: boolean;
} {
  const traits = shape.getMergedTraits();
  return { name: traits.xmlName, flattened: traits.xmlFlattened === 1 };
}

/** The members of a structure; none of what is not a structure (an operation without input has `Unit`). */
export function membersOf(shape: Shape): readonly (readonly [string, Shape])[] {
  const known = members.get(shape);
  if (known !== undefined) return known;
  const found = shape.isStructSchema() ? [...shape.structIterator()] : [];
  members.set(shape, found);
  return found;
}
const members = new WeakMap<Shape, readonly (readonly [string, Shape])[]>();

/** The names of the members that must be there: the tuple lists them first and says how many they are. */
export function requiredMembersOf(shape: Shape): readonly string[] {
  const known = required.get(shape);
  if (known !== undefined) return known;
  const found = readRequired(shape);
  required.set(shape, found);
  return found;
}
const required = new WeakMap<Shape, readonly string[]>();

function readRequired(shape: Shape): readonly string[] {
  const schema: unknown = shape.getSchema();
  if (!Array.isArray(schema)) return [];
  const parsed = z
    .object({ names: z.array(z.string()), count: z.number() })
    .safeParse({ names: schema[4], count: schema[6] });
  return parsed.success ? parsed.data.names.slice(0, parsed.data.count) : [];
}

export function timestampFormatOf(shape: Shape): TimestampFormat {
  const schema = shape.getSchema();
  return schema === 5 ? "date-time" : schema === 6 ? "http-date" : schema === 7 ? "epoch-seconds" : "default";
}
