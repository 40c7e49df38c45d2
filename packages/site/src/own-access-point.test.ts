import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownAccessPoint } from "./own-access-point.ts";
import type { RunProgram } from "./program.ts";
import { Secret } from "./secret.ts";

test("its passphrase is on no command line; phones are told of the page by DHCP and by every name; closed, nothing of it is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "own-"));
  const calls: { line: string; stdin: string | undefined }[] = [];
  let refuses = false;
  const run: RunProgram = async (command, args, { stdin } = {}) => {
    calls.push({ line: [command, ...args].join(" "), stdin });
    const isUp = args.includes("up");
    return isUp && refuses
      ? {
          code: 4,
          stdout: "",
          stderr: "Error: Connection activation failed: IP configuration could not be reserved\n",
        }
      : { code: 0, stdout: "", stderr: "" };
  };
  const point = ownAccessPoint(run, folder);
  const own = { ssid: "coalmine-core-01", passphrase: new Secret("K7QF-2M9X") };
  expect(await point.open("wlan0", own)).toEqual({ kind: "open", address: "10.42.7.1" });
  const lines = calls.map(({ line }) => line);
  expect(lines.join("\n")).not.toContain("K7QF");
  expect(lines[1]).toMatch(
    /ifname wlan0 con-name coalmine-own ssid coalmine-core-01 .*mode ap .*ipv4\.method shared/,
  );
  // Letters and digits as they are, the hyphen as nmcli's passwd-file wants it.
  expect(calls.at(-1)?.stdin).toBe("802-11-wireless-security.psk:K7QF\\0552M9X\n");
  expect(await readFile(join(folder, "coalmine.conf"), "utf8")).toBe(
    "dhcp-option=114,http://10.42.7.1/captive\naddress=/#/10.42.7.1\n",
  );
  await point.close("wlan0");
  expect(calls.at(-1)?.line).toBe("nmcli connection delete coalmine-own");
  refuses = true;
  expect(await point.open("wlan0", own)).toEqual({
    kind: "not-open",
    why: "IP configuration could not be reserved",
  });
  expect(calls.at(-1)?.line).toBe("nmcli connection delete coalmine-own");
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
