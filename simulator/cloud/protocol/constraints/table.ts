import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

/** What AWS's own model says of a shape's values: sizes (of numbers their value), a pattern, an enumeration. */
const ShapeRow = z.strictObject({
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  pattern: z.string().exactOptional(),
  values: z.array(z.string()).exactOptional(),
  /** Of a structure: the members that constrain something, with the names of their shapes. */
  members: z.record(z.string(), z.string()).exactOptional(),
  /** Of a list or a map. */
  item: z.string().exactOptional(),
  key: z.string().exactOptional(),
});
export type ShapeRow = z.infer<typeof ShapeRow>;

const ServiceTable = z.strictObject({
  source: z.string(),
  targetPrefix: z.string().exactOptional(),
  jsonVersion: z.string().exactOptional(),
  operations: z.record(
    z.string(),
    z.strictObject({
      http: z.tuple([z.string(), z.string(), z.number()]).readonly(),
      input: z.string().exactOptional(),
      members: z.array(z.string()),
      required: z.array(z.string()),
    }),
  ),
  shapes: z.record(z.string(), ShapeRow),
});
export type ServiceTable = z.infer<typeof ServiceTable>;

/** The table of a service, by its signing name; undefined where none was generated. */
export async function constraintsOf(service: string): Promise<ServiceTable | undefined> {
  const path = join(import.meta.dirname, `${service}.json`);
  const text = await readFile(path, "utf8").catch((failure: NodeJS.ErrnoException) => {
    if (failure.code === "ENOENT") return undefined;
    throw failure;
  });
  return text === undefined ? undefined : ServiceTable.parse(JSON.parse(text));
}
