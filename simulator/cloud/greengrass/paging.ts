import type { Input } from "../service.ts";
import { greengrassError } from "./errors.ts";

const PAGE_MAX = 100;
const PAGE_DEFAULT = 50;

/** One page of a list, and the token of the next. A token is the place it continues at. */
export function page<Item>(
  items: readonly Item[],
  input: Input,
): { readonly items: readonly Item[]; readonly nextToken?: string } {
  const size = input.maxResults ?? PAGE_DEFAULT;
  if (!Number.isInteger(size) || size < 1 || size > PAGE_MAX)
    throw greengrassError.validation(`maxResults must be from 1 to ${PAGE_MAX}.`, "maxResults");
  const start = input.nextToken === undefined ? 0 : startOf(String(input.nextToken));
  const end = start + size;
  return {
    items: items.slice(start, end),
    ...(end < items.length ? { nextToken: Buffer.from(`from ${end}`).toString("base64url") } : {}),
  };
}

function startOf(token: string): number {
  const match = /^from (\d{1,9})$/.exec(Buffer.from(token, "base64url").toString("utf8"));
  if (match === null)
    throw greengrassError.validation("nextToken is not one that was given out.", "nextToken");
  return Number(match[1]);
}
