import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { nodeBinary } from "./node-binary.ts";
import { hostPlatform, platforms } from "./platform.ts";

/** The real `npm pack`, from a registry of this test's own, for the platform that this machine is not. */
const platform = platforms.find((each) => each !== hostPlatform()) ?? "linux-arm64";
const name = `node-${platform}`;
const version = "24.0.0";
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let cache: string;
let tarball: Buffer;
let server: Server;
let fetched = 0;
const integrityOf = (bytes: Buffer) => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "node-binary-"));
  mkdirSync(join(folder, "package/bin"), { recursive: true });
  writeFileSync(join(folder, "package/package.json"), JSON.stringify({ name, version }));
  writeFileSync(join(folder, "package/bin/node"), "the other platform's node");
  execFileSync("tar", ["-czf", "node.tgz", "package"], { cwd: folder });
  tarball = readFileSync(join(folder, "node.tgz"));
  server = createServer((request, response) => {
    if (request.url?.endsWith(".tgz") === true) {
      fetched++;
      response.end(tarball);
      return;
    }
    const dist = {
      tarball: `http://${request.headers.host}/${name}-${version}.tgz`,
      integrity: integrityOf(tarball),
    };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        name,
        "dist-tags": { latest: version },
        versions: { [version]: { name, version, dist } },
      }),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("npm_config_registry", `http://127.0.0.1:${port}/`);
  vi.stubEnv("npm_config_cache", join(folder, "npm-cache"));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  cache = mkdtempSync(join(folder, "cache-"));
});

function lock(integrity: string): void {
  const entry = { version, integrity };
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ packages: { [`node_modules/${name}`]: entry } }),
  );
}

test("the other platform's Node is fetched once, and from then on taken from the cache", async () => {
  lock(integrityOf(tarball));
  const before = fetched;
  const first = await nodeBinary(folder, platform, cache);
  expect(new TextDecoder().decode(first)).toBe("the other platform's node");
  expect(fetched).toBe(before + 1);
  expect(await nodeBinary(folder, platform, cache)).toEqual(first);
  expect(fetched).toBe(before + 1);
});

test("a package in the cache that was damaged is not used", async () => {
  lock(integrityOf(tarball));
  await nodeBinary(folder, platform, cache);
  appendFileSync(join(cache, `${name}-${version}.tgz`), "damage");
  expect(new TextDecoder().decode(await nodeBinary(folder, platform, cache))).toBe(
    "the other platform's node",
  );
  expect(readFileSync(join(cache, `${name}-${version}.tgz`))).toEqual(tarball);
});

test("a package that is not the lockfile's is refused and not kept, whatever the registry says of it", async () => {
  lock(integrityOf(Buffer.from("what was locked")));
  await expect(nodeBinary(folder, platform, cache)).rejects.toThrow(
    /^ERR_NODE_INTEGRITY: .*not what the lockfile says/,
  );
  expect(() => readFileSync(join(cache, `${name}-${version}.tgz`))).toThrow(/ENOENT/);
});
