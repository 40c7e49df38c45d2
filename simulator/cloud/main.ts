import { enableCompileCache } from "node:module";
import { join } from "node:path";

/**
 * Starts a cloud and runs it until SIGTERM or SIGINT; what it can be told stands in `run.ts`. Most of a start is to strip
 * and compile the same sources again, so what was compiled is kept beside them, from before the first of them is read.
 */
enableCompileCache(join(import.meta.dirname, "../../.coalmine/cache/compiled"));
await import("./run.ts");
