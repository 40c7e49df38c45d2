import * as fc from "fast-check";

/** Seconds that one target has. CI runs every target for so long; `npm run test:long` gives each a minute. */
const SECONDS = process.env["COALMINE_LONG"] === "1" ? 60 : 1.5;

/**
 * Tries a property with as much chance as its time allows; a failure names the seed that makes it again. Time is up in the
 * midst of a try: nobody may clear away what it works on before it has ended too.
 */
export async function fuzzed<Tried>(
  property: fc.IAsyncProperty<Tried> | fc.IProperty<Tried>,
  { seconds = SECONDS } = {},
): Promise<void> {
  let last: unknown;
  const run = property.run.bind(property);
  property.run = (...tried: Parameters<typeof run>): never => {
    last = run(...tried);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one or the other kind's own answer.
    return last as never;
  };
  try {
    await fc.assert(property, { numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000 });
  } finally {
    await last;
  }
}
