import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

function run(words: readonly string[]) {
  // No programs: as on a machine without NetworkManager.
  const env = { PATH: "" };
  return spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...words], {
    env,
    encoding: "utf8",
  });
}

test("without NetworkManager it says what to install; without settings, how it is called", () => {
  const folder = mkdtempSync(join(tmpdir(), "cm-network-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const settings = join(folder, "settings.json");
  const endpoints = { iotDataEndpoint: "a-ats.iot.eu-west-1.amazonaws.com", iotCredEndpoint: "localhost" };
  writeFileSync(
    settings,
    JSON.stringify({
      serial: "core-1",
      site: "ward-7",
      root: ".",
      claimEndpoint: "https://claims.example.com",
      rootCaFile: "ca.pem",
      region: "eu-west-1",
      ...endpoints,
    }),
  );
  const without = run(["--settings", settings]);
  expect(without.stderr).toContain("apt install network-manager");
  expect(without.status).toBe(1);
  for (const words of [[], ["--settings", settings, "--language", "la"], ["--what"]]) {
    const { status, stderr } = run(words);
    expect(status).toBe(2);
    expect(stderr).toContain("--language en|es|pt|it|de");
  }
});
