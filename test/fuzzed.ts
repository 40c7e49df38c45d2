import * as fc from "fast-check";

/** Seconds that one target has. CI runs every target for so long; `npm run test:long` gives each a minute. */
const SECONDS = process.env["COALMINE_LONG"] === "1" ? 60 : 1.5;

/** Tries a property with as much chance as its time allows; a failure names the seed that makes it again. */
export async function fuzzed<Tried>(
  property: fc.IAsyncProperty<Tried> | fc.IProperty<Tried>,
  { seconds = SECONDS } = {},
): Promise<void> {
  await fc.assert(property, { numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000 });
}
