import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { officialErrors, officialOperations } from "./client.ts";
import { clientDevices } from "./client-devices.ts";
import { commandLine } from "./command-line.ts";
import { configuration } from "./configuration.ts";
import { deviceOfCallers, type DeviceOfCallers } from "./device-of-callers.ts";
import { lifecycle } from "./lifecycle.ts";
import { messaging } from "./messaging.ts";
import { shadowsAndSecrets } from "./shadows-and-secrets.ts";

const exercises = new Map(
  [messaging, configuration, lifecycle, commandLine, shadowsAndSecrets, clientDevices].flatMap((family) =>
    Object.entries(family),
  ),
);

let it: DeviceOfCallers;
beforeAll(async () => {
  it = await deviceOfCallers();
}, 120_000);
afterAll(() => it.rig.close());

test.each(officialOperations)(
  "%s is answered, or refused in the nucleus's words, to the official client [core-device-8.32] [core-device-8.35]",
  async (operation) => {
    const exercise = exercises.get(operation);
    if (exercise === undefined)
      throw new Error(`the official client has ${operation}; say here how it is used`);
    await exercise(it);
    expect(it.called).toContain(operation);
  },
);

test("what the secret manager keeps is sealed on the disk [core-device-8.34]", async () => {
  const kept = await readFile(join(it.root, "work/aws.greengrass.SecretManager/secrets.json"), "utf8");
  expect(kept).toContain(it.secretArn);
  expect(kept).not.toContain("open sesame");
  expect(kept).not.toContain(Buffer.from("open sesame").toString("base64"));
});

/** A nucleus without client devices gives no error of theirs; the other two its code never throws. */
const never = [
  "ComponentNotFoundError",
  "InvalidClientDeviceAuthTokenError",
  "InvalidCredentialError",
  "InvalidRecipeDirectoryPathError",
];

test("each modelled error that a nucleus gives was seen, and none that is not of its operation [core-device-8.33]", () => {
  const seen = new Set<string>();
  for (const [operation, codes] of it.refused)
    for (const code of codes) {
      seen.add(code);
      if (code !== "no modelled error") expect(officialErrors(operation), operation).toContain(code);
    }
  const all = [...new Set(officialOperations.flatMap(officialErrors))];
  expect(all.filter((code) => !seen.has(code)).toSorted()).toEqual(never);
});
