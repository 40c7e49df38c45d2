import type { Instant } from "@coalmine/ports";

/** What a prefix without a time of its own gets. */
const USUAL = "!{timestamp:yyyy/MM/dd/HH}/";
const expression = /!\{timestamp:([^}]*)\}/g;
/** Java's letters for the parts of a time, in UTC; what stands in quotes stands for itself. */
const letters = /'([^']*)'|yyyy|MM|dd|HH|mm|ss/g;

/**
 * A prefix with its times written out; `at` is when the oldest record of the object came.
 * @see https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
 */
export function prefixAt(prefix: string, at: Instant): string {
  const whole = prefix.includes("!{") ? prefix : `${prefix}${USUAL}`;
  return whole.replaceAll(expression, (_, format: string) => timeAs(format, new Date(at).toISOString()));
}

function timeAs(format: string, iso: string): string {
  const parts: Readonly<Record<string, string>> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
  };
  return format.replaceAll(letters, (part, quoted: string | undefined) => quoted ?? parts[part] ?? part);
}

/** Why a prefix is not taken, if so: what AWS knows and this cloud does not write, and what nobody knows. */
export function prefixTrouble(prefix: string): string | undefined {
  const unknown = prefix
    .replaceAll(expression, "")
    .replaceAll("!{firehose:error-output-type}", "")
    .match(/!\{[^}]*\}?/)?.[0];
  return unknown === undefined ? undefined : `the expression ${unknown} is not written here`;
}
