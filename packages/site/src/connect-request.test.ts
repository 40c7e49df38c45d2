import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { ConnectRequest } from "./connect-request.ts";
import { Secret } from "./secret.ts";

const joining = (security: object, ssid = "Ward 7") => ({
  adapter: "wlan0",
  medium: { kind: "wifi", ssid, security },
});

test("whatever prints a request, or says why it is refused, prints no secret", () => {
  const word = fc.string({ unit: "grapheme-ascii", minLength: 6, maxLength: 63 }).map((text) => `~${text}~`);
  fc.assert(
    fc.property(word, (passphrase) => {
      const request = ConnectRequest.parse(joining({ kind: "sae", passphrase }));
      const printed = `${JSON.stringify(request)}${inspect(request, { depth: 9 })}${String(new Secret(passphrase))}`;
      expect(printed).not.toContain(passphrase);
      const refused = ConnectRequest.safeParse(joining({ kind: "wpa2-psk", passphrase: `${passphrase}ü` }));
      expect(refused.success).toBe(false);
      if (!refused.success) expect(z.prettifyError(refused.error)).not.toContain(passphrase);
    }),
  );
});

test("a passphrase has 8 to 63 characters or is a key; a network's name has at most 32 bytes, whatever its characters", () => {
  const psk = (passphrase: string) =>
    ConnectRequest.safeParse(joining({ kind: "wpa2-psk", passphrase })).success;
  expect([psk("1234567"), psk("12345678"), psk("x".repeat(63)), psk("x".repeat(64))]).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(psk("a0".repeat(32))).toBe(true);
  const named = (ssid: string) => ConnectRequest.safeParse(joining({ kind: "open" }, ssid)).success;
  expect([named("x".repeat(32)), named("ä".repeat(16)), named("ä".repeat(17)), named("")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
