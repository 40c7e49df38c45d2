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

/** What a value is, by which its form on the wire is chosen. */
export type Kind =
  | "structure"
  | "list"
  | "map"
  | "document"
  | "timestamp"
  | "blob"
  | "number"
  | "boolean"
  | "string";
export type TimestampFormat = "default" | "date-time" | "http-date" | "epoch-seconds";

/** Where a member of a structure travels. */
export interface MemberBinding {
  readonly label: boolean;
  readonly query: string | undefined;
  readonly queryMap: boolean;
  readonly header: string | undefined;
  /** JSON in a header travels as base64. */
  readonly headerIsJson: boolean;
  readonly headerPrefix: string | undefined;
  readonly payload: boolean;
  readonly responseCode: boolean;
}

/** A member of a structure. */
export interface Member {
  readonly name: string;
  /** What JSON calls it. */
  readonly jsonName: string;
  readonly shape: Shape;
}

/**
 * A schema, read once: requests are turned by it all day, and the SDK's own view of it is worked out anew at each
 * question. Its parts are read when first asked for, since shapes hold each other.
 */
export class Shape {
  readonly name: string | undefined;
  readonly kind: Kind;
  readonly timestampFormat: TimestampFormat;
  readonly binding: MemberBinding;
  /** How a member, list or map is named in XML and in forms. */
  readonly xmlName: string | undefined;
  readonly xmlFlattened: boolean;
  readonly #schema: NormalizedSchema;
  #members: readonly Member[] | undefined;
  #required: readonly string[] | undefined;
  #key: Shape | undefined;
  #item: Shape | undefined;

  private constructor(schema: NormalizedSchema) {
    const traits = schema.getMergedTraits();
    this.#schema = schema;
    this.name = schema.getName();
    this.kind = kindOf(schema);
    this.timestampFormat = timestampFormatOf(schema.getSchema());
    this.binding = {
      label: traits.httpLabel === 1,
      query: traits.httpQuery,
      queryMap: traits.httpQueryParams === 1,
      header: traits.httpHeader?.toLowerCase(),
      headerIsJson: traits.mediaType === "application/json",
      headerPrefix: traits.httpPrefixHeaders?.toLowerCase(),
      payload: traits.httpPayload === 1,
      responseCode: traits.httpResponseCode === 1,
    };
    this.xmlName = traits.xmlName;
    this.xmlFlattened = traits.xmlFlattened === 1;
  }

  static of(schema: NormalizedSchema): Shape {
    const shape = shapes.get(schema) ?? new Shape(schema);
    shapes.set(schema, shape);
    return shape;
  }

  /** Of a structure; none of what is not one (an operation without input has `Unit`). */
  get members(): readonly Member[] {
    this.#members ??= this.kind !== "structure" ? [] : [...this.#schema.structIterator()].map(memberOf);
    return this.#members;
  }

  /** The names of the members that must be there: the tuple lists them first and says how many they are. */
  get required(): readonly string[] {
    this.#required ??= requiredOf(this.#schema.getSchema());
    return this.#required;
  }

  /** Of a map. */
  get key(): Shape {
    this.#key ??= Shape.of(this.#schema.getKeySchema());
    return this.#key;
  }

  /** Of a list or a map: what each value in it is. */
  get item(): Shape {
    this.#item ??= Shape.of(this.#schema.getValueSchema());
    return this.#item;
  }
}
const shapes = new WeakMap<NormalizedSchema, Shape>();

function memberOf([name, schema]: readonly [string, NormalizedSchema]): Member {
  return { name, jsonName: schema.getMergedTraits().jsonName ?? name, shape: Shape.of(schema) };
}

function kindOf(schema: NormalizedSchema): Kind {
  if (schema.isDocumentSchema()) return "document";
  if (schema.isStructSchema()) return "structure";
  if (schema.isListSchema()) return "list";
  if (schema.isMapSchema()) return "map";
  if (schema.isTimestampSchema()) return "timestamp";
  if (schema.isBlobSchema()) return "blob";
  if (schema.isNumericSchema() || schema.isBigIntegerSchema() || schema.isBigDecimalSchema()) return "number";
  return schema.isBooleanSchema() ? "boolean" : "string";
}

const Structure = z.object({ names: z.array(z.string()), count: z.number() });

function requiredOf(schema: unknown): readonly string[] {
  if (!Array.isArray(schema)) return [];
  const parsed = Structure.safeParse({ names: schema[4], count: schema[6] });
  return parsed.success ? parsed.data.names.slice(0, parsed.data.count) : [];
}

function timestampFormatOf(schema: unknown): TimestampFormat {
  return schema === 5 ? "date-time" : schema === 6 ? "http-date" : schema === 7 ? "epoch-seconds" : "default";
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
        input: Shape.of(NormalizedSchema.of(input)),
        output: Shape.of(NormalizedSchema.of(output)),
      });
      continue;
    }
    const error = ErrorTuple.safeParse(exported);
    if (error.success) {
      const [, , name, traits] = error.data;
      errors.set(name, {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the tuple that was just recognised.
        shape: Shape.of(NormalizedSchema.of(exported as Parameters<typeof NormalizedSchema.of>[0])),
        status: typeof traits === "number" ? undefined : traits.httpError,
        queryCode: typeof traits === "number" ? undefined : traits.awsQueryError?.[0],
      });
    }
  }
  return { operations, errors };
}
