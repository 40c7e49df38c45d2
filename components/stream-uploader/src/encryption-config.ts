import * as z from "zod";

const KEY_ID_MAX = 65_535;
const KEYS_MAX = 16;

const KeySource = z.discriminatedUnion("kind", [
  z.object({
    kind: z
      .literal("secret")
      .describe("A secret of AWS Secrets Manager, kept on the device by its secret manager."),
    secretId: z.string().min(1).max(2048).describe("Name or ARN."),
    field: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("Of a secret that is a JSON object: which of its fields."),
  }),
  z.object({
    kind: z.literal("file").describe("A file of the device: 32 bytes, or 64 hexadecimal digits."),
    path: z
      .string()
      .regex(/^(\/[^/\0]+)+$/, "must be an absolute path")
      .max(4096)
      .describe("Absolute; readable by the component's user alone."),
  }),
  z.object({
    kind: z
      .literal("lost")
      .describe("The key is gone for good: what only it opens is given up, and counted."),
  }),
]);
export type KeySource = z.infer<typeof KeySource>;

/** Of what waits on the disk. Keys themselves never stand here: only where to find them. */
export const Encryption = z
  .object({
    currentKey: z
      .int()
      .optional()
      .describe("Encrypts from now on (AES-256-GCM). Without it the log is written in the clear."),
    keys: z
      .record(z.string(), KeySource)
      .default({})
      .describe(
        "By number, 1 to 65535; one number is one key for ever. Old ones stay while segments need them.",
      ),
  })
  .superRefine(({ currentKey, keys }, context) => {
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const ids = Object.keys(keys);
    if (ids.length > KEYS_MAX) refuse(["keys"], `must be at most ${KEYS_MAX} keys, not ${ids.length}`);
    for (const id of ids)
      if (!/^[1-9]\d{0,4}$/.test(id) || Number(id) > KEY_ID_MAX)
        refuse(["keys", id], `a key's number must be 1 to ${KEY_ID_MAX}`);
    const usable = ids.filter((id) => keys[id]?.kind !== "lost");
    if (currentKey !== undefined && !usable.includes(String(currentKey)))
      refuse(
        ["currentKey"],
        `must be one of keys that is not lost: ${usable.length === 0 ? "there is none" : usable.join(", ")}`,
      );
  });
export type Encryption = z.infer<typeof Encryption>;
