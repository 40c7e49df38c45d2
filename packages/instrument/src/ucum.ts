import * as z from "zod";

/**
 * The unit atoms of UCUM that instruments here may state, by whether they take a prefix. The full table has some 300;
 * what is not here is refused, so that a misspelt unit is a refusal and not a new unit.
 * @see https://ucum.org/ucum section 3 and tables 2 to 23
 */
const METRIC = new Set(
  (
    "m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv kat " +
    "l L ar t bar u eV pc [iU] U osm eq Np B B[V] B[W] B[SPL] bit By Bd P St G dyn erg Oe Ci R RAD REM cal tex b"
  ).split(" "),
);
const PLAIN = new Set(
  (
    "10* 10^ % [ppth] [ppm] [ppb] [pptr] [pi] min h d wk mo a a_j deg ' '' gon circ [degF] [degR] " +
    "m[H2O] m[Hg] atm att [psi] [in_i] [ft_i] [yd_i] [mi_i] [nmi_i] [kn_i] [sin_i] [sft_i] [cin_i] [cft_i] [gal_us] " +
    "[lb_av] [oz_av] [lbf_av] [Btu] [HP] [pH] [NTU] [FNU] [RH] [CFU] [HPF] har"
  ).split(" "),
);
/** These two take a prefix although they end in a bracket, as blood pressure and ventilation do. */
for (const atom of ["m[H2O]", "m[Hg]"]) METRIC.add(atom);
const PREFIXES = "Y Z E P T G M k h da d c m u n p f a z y Ki Mi Gi Ti".split(" ");
const ATOM = /^(?:10[*^]|[^\d./(){}[\]]*(?:\[[^[\]]*\])?'{0,2})/;

/** Whether `code` is a UCUM expression (case sensitive) of units known here. */
export function isUcum(code: string): boolean {
  if (code === "" || /[^\x21-\x7e]/.test(code)) return false;
  const rest = term(code.startsWith("/") ? code.slice(1) : code);
  return rest === "";
}

/** Reads a product from the start of `text`; what follows it, or undefined where there is none. */
function term(text: string): string | undefined {
  let rest = component(text);
  while (rest !== undefined && /^[./]/.test(rest)) rest = component(rest.slice(1));
  return rest;
}

function component(text: string): string | undefined {
  if (text.startsWith("(")) {
    const rest = term(text.slice(1));
    return rest?.startsWith(")") === true ? annotated(rest.slice(1)) : undefined;
  }
  if (text.startsWith("{")) {
    const rest = annotated(text);
    return rest === text ? undefined : rest;
  }
  const factor = /^\d+(?![*^\d])/.exec(text)?.[0];
  if (factor !== undefined && !text.startsWith("10*") && !text.startsWith("10^"))
    return annotated(text.slice(factor.length));
  return unit(text);
}

/** An atom, perhaps prefixed, with its exponent. The longest that is known is meant. */
function unit(text: string): string | undefined {
  const [run = ""] = ATOM.exec(text) ?? [];
  for (let length = run.length; length > 0; length--) {
    const rest = text.slice(length).replace(/^[+-]?\d+/, "");
    if (isAtom(run.slice(0, length)) && (rest === "" || /^[./)\u007b]/.test(rest))) return annotated(rest);
  }
  return undefined;
}

function isAtom(text: string): boolean {
  if (METRIC.has(text) || PLAIN.has(text)) return true;
  return PREFIXES.some((prefix) => text.startsWith(prefix) && METRIC.has(text.slice(prefix.length)));
}

function annotated(text: string): string {
  return text.replace(/^\{[^{}]*\}/, "");
}

/** A unit in a configuration. */
export const UcumCode = z.string().min(1).max(32).refine(isUcum, {
  message:
    'a UCUM code is wanted, case sensitive, e.g. "Cel", "mPa.s", "/s", "%", "m3/h", "kW.h"; see https://ucum.org',
});
