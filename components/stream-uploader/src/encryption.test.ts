import { topics } from "@coalmine/contract";
import { describe, expect, test } from "vitest";
import { curve, Device, nameOf } from "./device.fixture.ts";
import { rowName } from "./publisher.fixture.ts";

const HOUR_MS = 3_600_000;
const keyBytes = (seed: number): Uint8Array => new Uint8Array(32).map((_, at) => (at * 11 + seed * 97) % 256);
const hex = (seed: number): string => Buffer.from(keyBytes(seed)).toString("hex");
const secret = (secretId: string, field?: string) => ({
  kind: "secret",
  secretId,
  ...(field === undefined ? {} : { field }),
});
const file = (path: string) => ({ kind: "file", path });
const offline = () => ({ code: "NetworkError", isStored: false });

async function started(device: Device, encryption: object | undefined): Promise<void> {
  device.configuration = (encryption === undefined ? {} : { encryption }) as never;
  await device.start();
}
const names = async (device: Device): Promise<string[]> => (await device.bucket.rows()).map(rowName).sort();
const all = (count: number): string[] => curve(1, 1, count).map(nameOf).sort();
const segments = (device: Device): Uint8Array[] =>
  [...device.disk.contents()].filter(([path]) => path.endsWith(".seg")).map(([, bytes]) => bytes);
const isClear = (device: Device): boolean =>
  segments(device).some((bytes) => Buffer.from(bytes).includes("rheo-1"));
/** What a start says when it is refused, however long it waits before. */
async function refusalOf(device: Device, encryption: object | undefined): Promise<string> {
  let said = "";
  const starting = started(device, encryption).catch((failure: unknown) => {
    said = `${failure instanceof Error && "code" in failure ? String(failure.code) : ""} ${String(failure)}`;
  });
  await device.run(60_000);
  await starting;
  device.kill();
  return said;
}
const everythingSaid = (device: Device): string => JSON.stringify([device.logged, device.heartbeats]);

/** Batches of 20 points under each of these configurations in turn, offline, with a power cut between. */
async function lives(device: Device, configurations: readonly (object | undefined)[]): Promise<void> {
  device.bucket.trouble = offline;
  for (const [at, encryption] of configurations.entries()) {
    await started(device, encryption);
    device.publishBatch(`b-${at}`, curve(1, 1 + at * 20, 20));
    await device.run(1000);
    expect(device.acknowledged.has(`b-${at}`)).toBe(true);
    device.kill({ power: true });
  }
  device.bucket.trouble = () => undefined;
}

describe("keys", () => {
  test("from a secret, a field of one, and a file, raw or in digits: the log is encrypted, the lake is not", async () => {
    const places: [object, (device: Device) => void][] = [
      [secret("queue"), (device) => device.keyPlaces.secrets.set("queue", ` ${hex(1)}\n`)],
      [secret("queue"), (device) => device.keyPlaces.secrets.set("queue", keyBytes(1))],
      [
        secret("all", "queue"),
        (device) => device.keyPlaces.secrets.set("all", JSON.stringify({ queue: hex(1) })),
      ],
      [
        file("/etc/coalmine/queue.key"),
        (device) => device.keyPlaces.files.set("/etc/coalmine/queue.key", keyBytes(1)),
      ],
      [file("/queue.key"), (device) => device.keyPlaces.files.set("/queue.key", Buffer.from(`${hex(1)}\n`))],
    ];
    for (const [at, [place, put]] of places.entries()) {
      const device = new Device(`place ${at}`);
      put(device);
      await started(device, { currentKey: 1, keys: { "1": place } });
      device.publishBatch("a", curve(1, 1, 20));
      await device.run(1000);
      expect([segments(device).length, isClear(device)]).toEqual([1, false]);
      await device.run(HOUR_MS);
      expect(await names(device)).toEqual(all(20));
      expect(everythingSaid(device)).not.toContain(hex(1));
    }
    const clear = new Device("clear");
    await started(clear, undefined);
    clear.publishBatch("a", curve(1, 1, 20));
    await clear.run(1000);
    expect(isClear(clear)).toBe(true);
  });

  test("after a rotation and restarts all of it arrives once, whatever key encrypted it", async () => {
    const device = new Device("rotated");
    device.keyPlaces.secrets.set("one", hex(1)).set("two", hex(2));
    const keys = { "1": secret("one"), "2": secret("two") };
    await lives(device, [
      undefined,
      { currentKey: 1, keys: { "1": secret("one") } },
      { currentKey: 2, keys },
    ]);
    await started(device, { currentKey: 2, keys });
    device.publishBatch("again", curve(1, 1, 60));
    await device.run(2 * HOUR_MS);
    expect(await names(device)).toEqual(all(60));
    // Now that nothing needs it, the first key may go.
    device.kill({ power: true });
    device.keyPlaces.secrets.delete("one");
    await started(device, { currentKey: 2, keys: { "2": secret("two") } });
    device.publishBatch("b", curve(1, 61, 20));
    await device.run(2 * HOUR_MS);
    expect(await names(device)).toEqual(all(80));
  });

  test("what is refused is put aside encrypted, survives a power cut, and is opened by the keys of its time", async () => {
    const device = new Device("aside");
    device.keyPlaces.secrets.set("one", hex(1)).set("two", hex(2));
    const spoilt = (batch: string): void =>
      device.publish(topics.measurements, {
        json: { version: 1, batch, points: [{ ...curve(1, 1, 1)[0], value: "four" }] } as never,
      });
    const both = { "1": secret("one"), "2": secret("two") };
    for (const currentKey of [1, 2]) {
      await started(device, { currentKey, keys: both });
      spoilt(`b-${currentKey}`);
      await device.run(1000);
      device.kill({ power: true });
    }
    expect(isClear(device)).toBe(false);
    expect(await device.keptAside()).toEqual([]);
    const [one, two] = [new Map([[1, keyBytes(1)]]), new Map([[2, keyBytes(2)]])];
    expect(await device.keptAside({ known: one })).toEqual([expect.stringContaining('"batch":"b-1"')]);
    expect(await device.keptAside({ known: two })).toEqual([expect.stringContaining('"batch":"b-2"')]);
    // That nobody can open the first any more keeps nothing from going on.
    await started(device, { currentKey: 2, keys: { "2": secret("two") } });
    spoilt("b-3");
    await device.run(1000);
    expect(await device.keptAside({ known: two })).toHaveLength(2);
  });

  test("a rotation applies while it runs, from the next batch on", async () => {
    const device = new Device("live");
    device.keyPlaces.secrets.set("one", hex(1)).set("two", hex(2));
    await started(device, undefined);
    device.publishBatch("a", curve(1, 1, 20));
    await device.run(1000);
    for (const [at, encryption] of [
      { currentKey: 1, keys: { "1": secret("one") } },
      { currentKey: 2, keys: { "1": secret("one"), "2": secret("two") } },
    ].entries()) {
      expect(await device.validate?.({ encryption })).toEqual({ status: "ACCEPTED" });
      await device.configure({ encryption });
      device.publishBatch(`c-${at}`, curve(1, 21 + at * 20, 20));
      await device.run(1000);
    }
    expect(segments(device).map((bytes) => bytes[40])).toEqual([0, 1, 2]);
    // Applying the same again asks nobody.
    const { asked } = device.keyPlaces;
    await device.configure({ ...device.configuration, healthIntervalSeconds: 30 });
    expect(device.keyPlaces.asked).toBe(asked);
    await device.run(2 * HOUR_MS);
    expect(await names(device)).toEqual(all(60));
  });
});

describe("a key that cannot be had", () => {
  const keys = { "1": secret("one"), "2": secret("two") };

  test("one that old records need: the start is refused by name and remedy, and they arrive once it is there", async () => {
    const device = new Device("missing");
    device.keyPlaces.secrets.set("one", hex(1)).set("two", hex(2));
    await lives(device, [{ currentKey: 1, keys: { "1": secret("one") } }]);
    expect(await refusalOf(device, { currentKey: 2, keys: { "2": secret("two") } })).toMatch(
      /^ERR_LOG_KEY .*records 1 to 1 of readings need key 1: encryption\.keys does not name it.*"kind": "lost"/,
    );
    expect(await refusalOf(device, undefined)).toContain("need key 1");
    device.keyPlaces.secrets.delete("one");
    expect(await refusalOf(device, { currentKey: 2, keys })).toMatch(
      /need key 1: .*no secret one.*GetSecretValue/,
    );
    device.keyPlaces.secrets.set("one", hex(1));
    await started(device, { currentKey: 2, keys });
    await device.run(2 * HOUR_MS);
    expect(await names(device)).toEqual(all(20));
  });

  test("one that is another: the same, also where a deployment proposes it", async () => {
    const device = new Device("another");
    device.keyPlaces.secrets.set("one", hex(1)).set("other", hex(9));
    const good = { currentKey: 1, keys: { "1": secret("one") } };
    await lives(device, [good]);
    const bad = { currentKey: 1, keys: { "1": secret("other") } };
    const refusal = await refusalOf(device, bad);
    expect(refusal).toContain("encryption.keys.1 is another key than the one that encrypted them");
    expect(refusal).not.toContain(hex(9));
    device.bucket.trouble = offline;
    await started(device, good);
    expect(await device.validate?.({ encryption: bad })).toMatchObject({
      status: "REJECTED",
      message: expect.stringContaining("is another key"),
    });
    expect(await device.validate?.({})).toMatchObject({ status: "REJECTED" });
    // One that arrives nevertheless changes nothing.
    await device.configure({ encryption: bad });
    expect(device.logged.at(-1)).toMatchObject({ message: "the configuration is kept as it was" });
    device.bucket.trouble = () => undefined;
    device.publishBatch("more", curve(1, 21, 20));
    await device.run(2 * HOUR_MS);
    expect(await names(device)).toEqual(all(40));
  });

  test("the key of new records is waited for a while, as long as nothing could be encrypted", async () => {
    const device = new Device("late");
    device.clock.timer(5000, () => void device.keyPlaces.secrets.set("one", hex(1)));
    let isStarted = false;
    const starting = started(device, { currentKey: 1, keys }).then(() => (isStarted = true));
    await device.run(4000);
    expect(isStarted).toBe(false);
    await device.run(4000);
    await starting;
    device.publishBatch("a", curve(1, 1, 20));
    await device.run(1000);
    expect([device.acknowledged.has("a"), isClear(device)]).toEqual([true, false]);
    const never = new Device("never");
    expect(await refusalOf(never, { currentKey: 1, keys })).toMatch(/^ERR_LOG_KEY .*key 1 cannot be read/);
    expect(segments(never)).toEqual([]);
  });

  test("one that is no key is refused at once, and not shown", async () => {
    const device = new Device("short");
    device.keyPlaces.files.set("/k", Buffer.from("too short to be one"));
    device.keyPlaces.secrets.set("all", '{"queue": "short-secret"').set("long", `${hex(1)}00`);
    for (const place of [file("/k"), secret("all"), secret("all", "queue"), secret("long")]) {
      const said = await refusalOf(device, { currentKey: 1, keys: { "1": place } });
      expect(said).toMatch(
        /^ERR_LOG_KEY .*is no key: put 32 random bytes there, or as 64 hexadecimal digits/,
      );
      expect(said).not.toMatch(/too short|short-secret|0b/);
    }
  });

  test("one that is lost for good: what only it opens is given up and counted, and the rest goes on", async () => {
    const device = new Device("lost");
    device.keyPlaces.secrets.set("one", hex(1)).set("two", hex(2));
    await lives(device, [
      { currentKey: 1, keys: { "1": secret("one") } },
      { currentKey: 2, keys },
    ]);
    device.keyPlaces.secrets.delete("one");
    await started(device, { currentKey: 2, keys: { "1": { kind: "lost" }, "2": secret("two") } });
    await device.run(2 * HOUR_MS);
    expect(await names(device)).toEqual(curve(1, 21, 20).map(nameOf).sort());
    const { counters = {}, gauges } = device.heartbeats.at(-1)?.components[0] ?? {};
    expect(counters["lostRecords"]).toBeGreaterThanOrEqual(1);
    expect(counters["lake.planned"]).toBe((counters["lake.sent"] ?? 0) + (counters["lake.givenUp"] ?? 0));
    expect(gauges).toMatchObject({ backlogPoints: 0 });
  });
});

test("what cannot be is refused with key, value and what may be; a key that somebody wrote there is not shown", async () => {
  const device = new Device("config");
  await started(device, undefined);
  const refusal = async (configuration: object): Promise<string> => {
    const answer = await device.validate?.(configuration as never);
    return answer?.status === "REJECTED" ? answer.message : "accepted";
  };
  expect(await refusal({ encryption: { currentKey: 2, keys: { "1": file("/k") } } })).toContain(
    "encryption.currentKey = 2: must be one of keys that is not lost: 1",
  );
  expect(await refusal({ encryption: { currentKey: 1, keys: { "1": { kind: "lost" } } } })).toContain(
    "there is none",
  );
  expect(await refusal({ encryption: { keys: { "70000": file("/k") } } })).toContain("must be 1 to 65535");
  const pasted = [
    hex(5),
    { kind: "file", path: hex(5) },
    { kind: hex(5) },
    { kind: "secret", secretId: 7, value: hex(5) },
  ];
  for (const place of pasted) {
    const said = await refusal({ encryption: { currentKey: 1, keys: { "1": place } } });
    expect(said).toContain("encryption.keys.1");
    expect(said).not.toContain(hex(5).slice(0, 16));
  }
  for (const [key, value, range] of [
    ["whenFull", "drop", "must be reject, overwrite-oldest or downsample-oldest"],
    ["downsampleKeepOneIn", 1, "must be a whole number from 2 to 1,000"],
    ["sealAfterSeconds", 5, "must be 60 to 31,536,000"],
    ["timeToLiveSeconds", 1, "must be 60 to 315,360,000"],
    ["diskLimitBytes", 7, "must be a whole number from 4,194,304 to 1,099,511,627,776"],
  ] as const)
    expect(await refusal({ [key]: value })).toContain(`${key} = ${JSON.stringify(value)}: ${range}`);
});
