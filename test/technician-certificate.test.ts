import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Closing, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect } from "vitest";
import { authorityPem, PASSWORD, pkcs12 } from "../commissioning/eap/eap-certificate.fixture.ts";
import { lineConsole } from "../commissioning/terminal/line-console.ts";
import { walk } from "../commissioning/terminal/terminal.ts";
import { CertificateAuthority } from "../simulator/cloud/identity/certificate-authority.ts";
import { axeOn } from "./axe.ts";
import { browserTest, found } from "./browser.ts";
import { filesBelow } from "./files-below.ts";
import { type LocalRegion, startLocalRegion } from "./local-region.ts";
import { type NewDevice, newDevice, PAGE_CODE } from "./technician-site.ts";

const closing = new Closing();
let folder: string;
let region: LocalRegion;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certificate-"));
  region = await startLocalRegion(join(folder, "cloud"));
});
afterAll(async () => {
  await closing.close();
  if ("browser" in found) await found.browser.close();
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

/** Which files of the device hold what was handed over; none holds its password. */
async function keptBy({ root }: NewDevice): Promise<readonly string[]> {
  const files = await filesBelow(root);
  for (const { path, text } of files) expect(text.includes(PASSWORD), path).toBe(false);
  return files
    .filter(({ text }) => text.includes(pkcs12.toString("latin1")))
    .map(({ path, mode }) => `${path.slice(root.length)} ${mode}`);
}

browserTest(
  "802.1X by a certificate, from a phone's files and in the terminal by its path: it is in one file of its owner's, and its password in none",
  120_000,
  async (browser) => {
    const device = await newDevice(region, folder, "core-eap", closing);
    const authority = await CertificateAuthority.open({
      random: new SeededRandom("hospital"),
      wallClock: systemClock,
    });
    device.site.change({
      ethernet: { plugged: true, accounts: [{ identity: "device-7" }] },
      authenticationServer: {
        ...authority.serverCertificate("radius.hospital.example"),
        believes: authorityPem,
      },
    });
    const [file, photo] = [join(folder, "device-7.p12"), join(folder, "photo.p12")];
    await writeFile(file, pkcs12);
    await writeFile(photo, new Uint8Array(100_000));

    const served = await device.serve();
    closing.add(served, (page) => page.close());
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true });
    const view = await context.newPage();
    const press = async (label: string, then: string) => {
      await view.click(`.buttons button:text-is("${label}")`);
      await view.waitForSelector(then);
    };
    await view.goto(served.url);
    await view.fill("#code", PAGE_CODE);
    await view.click("button.primary");
    await press("English", "#site");
    await view.fill("#site", "st-mary");
    await view.fill("#technician", "Ada");
    await press("Go on", 'h2:text-is("Clock")');
    await press("Compare with this phone", 'h2:text-is("Network")');
    await press("By cable with 802.1X (eth0)", "#passphrase");
    await press("With a certificate", "#certificate");
    for (const field of await view.locator('input[type="file"]').all())
      expect((await field.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await view.fill("#identity", "device-7");
    await view.setInputFiles("#certificate", photo);
    await view.waitForSelector('.note.bad:has-text("too large")');
    expect(await axeOn(view)).toEqual([]);
    await view.setInputFiles("#certificate", file);
    await view.fill("#key-password", "not this one");
    await press("Connect", '.note.bad:has-text("The password does not open the file")');
    await view.fill("#key-password", PASSWORD);
    await press("Connect", '.findings:has-text("connected as")');
    const kept = ["/commissioning/eap/eth0/client.p12 600"];
    expect(await keptBy(device)).toEqual(kept);

    const { flow } = await device.power();
    const [input, output] = [new PassThrough(), new PassThrough()];
    let shown = "";
    output.on("data", (text) => (shown += String(text)));
    // By cable, with a certificate, connect: who, a file that is not there, the right one, no key, its password, no authority.
    const lines = ["3", "2", "", "device-7", `${file}.gone`, file, "", PASSWORD, ""];
    input.end(`${lines.join("\n")}\n`);
    expect(await walk(flow, lineConsole(input, output, false))).toBe("left");
    expect(shown).toMatch(/This file cannot be read[\s\S]*eth0 connected as/);
    expect(await keptBy(device)).toEqual(kept);
  },
);
