import type { Evaluate } from "./sql/expression.ts";
import type { MessageContext } from "./sql/functions.ts";
import { parseTemplateExpression } from "./sql/parse.ts";
import { toText, type SqlValue } from "./sql/value.ts";

/** Fills in what an action's field says; Undefined becomes nothing. */
export type Template = (payload: SqlValue, context: MessageContext) => string;

/**
 * A text with `${expression}` in it, over the incoming message. @throws ServiceError `SqlParseException`
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html
 */
export function template(source: string): Template {
  const parts: (string | Evaluate)[] = [];
  let at = 0;
  for (let open = source.indexOf("${"); open >= 0; open = source.indexOf("${", at)) {
    parts.push(source.slice(at, open));
    const { value, end } = parseTemplateExpression(source, open + 2);
    parts.push(value);
    at = end;
  }
  parts.push(source.slice(at));
  return (payload, context) =>
    parts
      .map((part) => {
        if (typeof part === "string") return part;
        const value = part(payload, context);
        return value === undefined ? "" : toText(value);
      })
      .join("");
}
