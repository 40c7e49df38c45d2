import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const run = (words: readonly string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...words], {
    // No programs: as on a machine without NetworkManager.
    env: { PATH: "" },
    encoding: "utf8",
    timeout: 60_000,
  });

test("the program says how it is called, which setting is wrong, and what the machine lacks", () => {
  const folder = mkdtempSync(join(tmpdir(), "cm-technician-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "settings.json");
  const settings = {
    serial: "core-1",
    root: "device",
    claimEndpoint: "https://claims.example.com",
    rootCaFile: "ca.pem",
    region: "eu-west-1",
    iotDataEndpoint: "data.example.com",
    iotCredEndpoint: "credentials.example.com",
  };
  for (const words of [[], ["--settings", file, "--port", "x"], ["--what"]])
    expect(run(words)).toMatchObject({ status: 2, stderr: expect.stringContaining("--settings FILE") });
  writeFileSync(file, JSON.stringify({ ...settings, claimEndpoint: "http://claims.example.com" }));
  expect(run(["--settings", file])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/claimEndpoint[\s\S]*correct it and run this again/),
  });
  writeFileSync(file, JSON.stringify(settings));
  expect(run(["--settings", file]).stderr).toContain("apt install network-manager");
});
