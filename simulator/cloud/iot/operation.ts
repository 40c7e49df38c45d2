import * as z from "zod";
import { type Caller, type Operation, type Output, ServiceError } from "../service.ts";

/** An operation whose input must fit `schema`; what does not is refused as AWS IoT refuses it. */
export function operation<Schema extends z.ZodType>(
  schema: Schema,
  run: (input: z.infer<Schema>, caller: Caller) => Promise<Output> | Output,
): Operation {
  return (input, caller) => run(parsed(schema, input), caller);
}

/** @throws ServiceError as AWS IoT refuses what does not fit. */
export function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const { issues } = result.error;
  throw invalid(issues.map(({ path, message }) => `${path.join(".") || "input"}: ${message}`).join("; "));
}

export function invalid(message: string): ServiceError {
  return new ServiceError("InvalidRequestException", 400, message);
}
export function notFound(what: string): ServiceError {
  return new ServiceError("ResourceNotFoundException", 404, `${what} does not exist.`);
}
export function alreadyExists(what: string, resourceId: string, resourceArn: string): ServiceError {
  return new ServiceError(
    "ResourceAlreadyExistsException",
    409,
    `${what} already exists with different properties.`,
    { resourceId, resourceArn },
  );
}
export function deleteConflict(message: string): ServiceError {
  return new ServiceError("DeleteConflictException", 409, message);
}

/** Without the members that were not given. */
export function onlyGiven<Members extends object>(
  members: Members,
): { readonly [Name in keyof Members]?: NonNullable<Members[Name]> } {
  const given = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- entries forget the members' types.
  return Object.fromEntries(given) as { [Name in keyof Members]?: NonNullable<Members[Name]> };
}

/** Names that AWS IoT gives things, groups and types. */
export const Name = z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/);
export const PageInput = {
  maxResults: z.number().int().min(1).max(250).nullish(),
  nextToken: z.string().nullish(),
};

/** One page of what is sorted by `key`. The token is the key of the last item, so a page survives changes. */
export function page<Item>(
  sorted: Iterable<Item>,
  key: (item: Item) => string,
  request: {
    readonly maxResults?: number | null | undefined;
    readonly nextToken?: string | null | undefined;
  },
): { items: Item[]; nextToken?: string } {
  const max = request.maxResults ?? 250;
  const after =
    request.nextToken === null || request.nextToken === undefined
      ? undefined
      : Buffer.from(request.nextToken, "base64url").toString();
  const items: Item[] = [];
  for (const item of sorted) {
    if (after !== undefined && key(item) <= after) continue;
    const last = items.at(-1);
    if (items.length === max && last !== undefined)
      return { items, nextToken: Buffer.from(key(last)).toString("base64url") };
    items.push(item);
  }
  return { items };
}
