/**
 * Imports a component bundle where only a closed list of globals exists and unseeded time and chance throw, and says
 * on its standard output what the bundle exports. A process of its own, since what is taken away does not come back.
 */
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";

/** Beyond ECMAScript. The compiler has the same list in the ports' `component-globals.d.ts`. */
const allowed = ["TextEncoder", "TextDecoder", "AbortController", "AbortSignal", "URL"];
/** V8 gives these to every realm, but the language does not have them. */
const notLanguage = new Set(["console", "WebAssembly"]);

const node = process;
const url = pathToFileURL(node.argv[2] ?? "").href;

// A fresh realm has the language's own globals and no others.
const language: unknown = runInContext("Object.getOwnPropertyNames(globalThis)", createContext({}));
const kept = new Set([
  ...allowed,
  ...(Array.isArray(language) ? language.map(String) : []).filter((name) => !notLanguage.has(name)),
]);

const refuse = (what: string) => (): never => {
  throw new Error(`${what} was called; a component takes time and chance from its ports`);
};
const refuseTime = refuse("new Date()");
// A proxy, so that dates made of a number stay dates and `instanceof` holds.
const drivenDate = new Proxy(Date, {
  construct: (target, values) =>
    values.length === 0 ? refuseTime() : Reflect.construct(target, values, target),
  apply: refuse("Date()"),
});
Object.defineProperty(Date, "now", { value: refuse("Date.now"), writable: true, configurable: true });
Object.defineProperty(Math, "random", { value: refuse("Math.random"), writable: true, configurable: true });
Object.defineProperty(globalThis, "Date", { value: drivenDate, writable: true, configurable: true });
for (const name of Object.getOwnPropertyNames(globalThis))
  if (!kept.has(name)) Reflect.deleteProperty(globalThis, name);

const bundle: unknown = await import(url);
const exported = new Map(typeof bundle === "object" && bundle !== null ? Object.entries(bundle) : []);
node.stdout.write(
  JSON.stringify({ portsVersion: exported.get("portsVersion"), start: typeof exported.get("start") }),
);
