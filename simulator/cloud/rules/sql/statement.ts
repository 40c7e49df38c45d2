import { withMember, type Evaluate } from "./expression.ts";
import type { MessageContext } from "./functions.ts";
import { isSqlObject, type SqlObject, type SqlValue } from "./value.ts";

export type SelectItem =
  | { readonly kind: "all" }
  | { readonly kind: "as"; readonly path: readonly string[]; readonly value: Evaluate };

export interface Statement {
  readonly select:
    | { readonly kind: "value"; readonly value: Evaluate }
    | { readonly kind: "items"; readonly items: readonly SelectItem[] };
  /** The topic filter. Without one the rule runs by Basic Ingest only. */
  readonly from: string | undefined;
  readonly where: Evaluate | undefined;
}

/** What a statement makes of a message: the outgoing payload, or nothing where WHERE does not hold. */
export function run(
  { select, where }: Statement,
  payload: SqlValue,
  context: MessageContext,
): { readonly output: SqlValue } | undefined {
  if (where !== undefined && where(payload, context) !== true) return undefined;
  if (select.kind === "value") return { output: select.value(payload, context) };
  const [first] = select.items;
  if (select.items.length === 1 && first?.kind === "all") return { output: payload };
  let output: SqlObject = {};
  for (const item of select.items)
    output =
      item.kind === "as"
        ? withMember(output, item.path, item.value(payload, context))
        : Object.assign({}, output, isSqlObject(payload) ? payload : {});
  return { output };
}
