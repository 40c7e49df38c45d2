import { mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  InvalidParameterException,
  InvalidRequestException,
  ListSecretsCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandInput,
} from "@aws-sdk/client-secrets-manager";
import { DrivenClock, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestCloud, type TestCloud } from "../protocol/test-cloud.ts";
import { openDiskStore } from "../store/disk-store.ts";
import { openVault, VaultKeyUnreadable } from "./vault.ts";

const DAY = 24 * 3600_000;
let clock: DrivenClock;
let cloud: TestCloud;
let secrets: SecretsManagerClient;
beforeEach(async () => {
  clock = new DrivenClock(Date.UTC(2026, 10, 23), () => new Promise((done) => setImmediate(done)));
  cloud = await startTestCloud({ clock, wallClock: systemClock });
  secrets = new SecretsManagerClient(cloud.client);
});
afterEach(async () => {
  secrets.destroy();
  await cloud.close();
});

const create = (SecretString = "one") =>
  secrets.send(new CreateSecretCommand({ Name: "site/key", SecretString }));
const value = async (more: Partial<GetSecretValueCommandInput> = {}) =>
  (await secrets.send(new GetSecretValueCommand({ SecretId: "site/key", ...more }))).SecretString;

test("a secret is told by its name or its ARN, as text or bytes", async () => {
  const { ARN } = await create();
  expect(ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:123456789012:secret:site\/key-.{6}$/);
  expect([await value(), await value({ SecretId: ARN })]).toEqual(["one", "one"]);
  expect(await value({ SecretId: ARN?.slice(0, -7) })).toBe("one");
  await expect(value({ SecretId: `${ARN?.slice(0, -6)}xxxxxx` })).rejects.toBeInstanceOf(
    ResourceNotFoundException,
  );
  await expect(create()).rejects.toBeInstanceOf(ResourceExistsException);
  const SecretBinary = Uint8Array.from([0, 255, 7]);
  await secrets.send(new PutSecretValueCommand({ SecretId: "site/key", SecretBinary }));
  const got = await secrets.send(new GetSecretValueCommand({ SecretId: "site/key" }));
  expect(got.SecretBinary).toEqual(SecretBinary);
});

test("versions move through their stages", async () => {
  const { VersionId: first } = await create();
  const { VersionId: second = "" } = await secrets.send(
    new UpdateSecretCommand({ SecretId: "site/key", SecretString: "two" }),
  );
  expect([
    await value(),
    await value({ VersionStage: "AWSPREVIOUS" }),
    await value({ VersionId: first }),
  ]).toEqual(["two", "one", "one"]);
  const pending = { SecretId: "site/key", SecretString: "three", VersionStages: ["AWSPENDING"] };
  const { VersionId: third = "" } = await secrets.send(new PutSecretValueCommand(pending));
  expect(await value()).toBe("two");
  const move = { SecretId: "site/key", VersionStage: "AWSCURRENT", MoveToVersionId: third };
  await expect(secrets.send(new UpdateSecretVersionStageCommand(move))).rejects.toBeInstanceOf(
    InvalidParameterException,
  );
  await secrets.send(new UpdateSecretVersionStageCommand({ ...move, RemoveFromVersionId: second }));
  expect([await value(), await value({ VersionStage: "AWSPREVIOUS" })]).toEqual(["three", "two"]);
  const { VersionIdsToStages } = await secrets.send(new DescribeSecretCommand({ SecretId: "site/key" }));
  expect(VersionIdsToStages).toEqual({ [second]: ["AWSPREVIOUS"], [third]: ["AWSPENDING", "AWSCURRENT"] });
});

test("a token that comes again with the same value changes nothing, with another it is refused", async () => {
  await create();
  const put = (SecretString: string) =>
    secrets.send(
      new PutSecretValueCommand({ SecretId: "site/key", SecretString, ClientRequestToken: "t".repeat(32) }),
    );
  await put("two");
  await put("two");
  await expect(put("three")).rejects.toBeInstanceOf(ResourceExistsException);
  expect(await value()).toBe("two");
});

test("a deleted secret can be restored within its days, and is gone after them", async () => {
  await create();
  const remove = (more: object) => secrets.send(new DeleteSecretCommand({ SecretId: "site/key", ...more }));
  await expect(remove({ RecoveryWindowInDays: 3 })).rejects.toBeInstanceOf(InvalidParameterException);
  const { DeletionDate } = await remove({ RecoveryWindowInDays: 7 });
  expect(DeletionDate).toEqual(new Date(clock.now() + 7 * DAY));
  await expect(value()).rejects.toBeInstanceOf(InvalidRequestException);
  const list = async (IncludePlannedDeletion: boolean) =>
    (await secrets.send(new ListSecretsCommand({ IncludePlannedDeletion }))).SecretList?.map(
      (one) => one.Name,
    );
  expect([await list(false), await list(true)]).toEqual([[], ["site/key"]]);
  await secrets.send(new RestoreSecretCommand({ SecretId: "site/key" }));
  expect(await value()).toBe("one");
  await remove({ RecoveryWindowInDays: 7 });
  await clock.runUntil(clock.now() + 7 * DAY);
  await expect(value()).rejects.toBeInstanceOf(ResourceNotFoundException);
  await create("again");
  await remove({ ForceDeleteWithoutRecovery: true });
  await expect(value()).rejects.toBeInstanceOf(ResourceNotFoundException);
});

test("nothing in the state directory tells a secret, and its key is its owner's alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "coalmine-vault-"));
  const plain = "viscous-secret-4711";
  const openAgain = async (run: (client: SecretsManagerClient) => Promise<void>) => {
    const store = await openDiskStore({ folder, log: silentLog });
    const one = await startTestCloud({ store, vault: await openVault(folder) });
    const client = new SecretsManagerClient(one.client);
    await run(client);
    client.destroy();
    await one.close();
    await store.close();
  };
  await openAgain(async (client) => {
    await client.send(new CreateSecretCommand({ Name: "s", SecretString: plain }));
  });
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), "latin1")),
  );
  expect(contents.some((text) => text.includes("secretsmanager/secrets"))).toBe(true);
  expect(
    contents.filter((text) => text.includes(plain) || text.includes(Buffer.from(plain).toString("base64"))),
  ).toEqual([]);
  expect((await stat(join(folder, "secrets.key"))).mode & 0o777).toBe(0o600);
  await openAgain(async (client) => {
    expect((await client.send(new GetSecretValueCommand({ SecretId: "s" }))).SecretString).toBe(plain);
  });
  await writeFile(join(folder, "secrets.key"), "short");
  await expect(openVault(folder)).rejects.toBeInstanceOf(VaultKeyUnreadable);
});
