import * as fc from "fast-check";
import { expect, test } from "vitest";
import { presetNames } from "./redaction-presets.ts";
import { Redactor } from "./redactor.ts";

const all = new Redactor({ presets: [...presetNames], patterns: [] });
const redacted = (text: string) => all.redact(text).text;

const key = `MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj
MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu
NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s`;
const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl";

/** What must never leave, and what a line with it may look like. */
const corpus: readonly (readonly [secret: string, line: string])[] = [
  ["jane.doe@hospital.example", "2026-11-23 09:00:00 INFO login by jane.doe@hospital.example ok"],
  ["jane.doe@hospital.example", '{"level":"INFO","user":"jane.doe@hospital.example"}'],
  ["jane.doe", '{"user":"jane.doe\\u0040hospital.example"}'],
  ["jane.doe", "GET /reset?mail=jane.doe%40hospital.example"],
  ["jörg.müller@klinik.example", "von <jörg.müller@klinik.example>:"],
  ["a+b_c%d@x-y.co.uk", "mailto:a+b_c%d@x-y.co.uk?subject=x"],
  ["root@[10.0.0.7]", "to root@[10.0.0.7] refused"],
  ["192.168.17.4", "connect to 192.168.17.4:8883 failed"],
  ["10.0.0.255", '{"peer":"10.0.0.255"}'],
  ["2001:db8:85a3::8a2e:370:7334", "from [2001:db8:85a3::8a2e:370:7334]:443"],
  ["fe80::1ff:fe23:4567:890a", "via fe80::1ff:fe23:4567:890a%eth0"],
  ["2001:0db8:0000:0000:0000:ff00:0042:8329", "addr 2001:0db8:0000:0000:0000:ff00:0042:8329 up"],
  ["2001:db8::", "prefix 2001:db8:: announced"],
  ["::ffff:192.0.2.128", "mapped ::ffff:192.0.2.128"],
  ["s3cr3t-token_1.2~3+4/5==", "Authorization: Bearer s3cr3t-token_1.2~3+4/5=="],
  ["abc123", 'headers: {"authorization":"bearer abc123"}'],
  ["abc123", "auth=Bearer%20abc123&x=1"],
  [token, `token ${token} accepted`],
  [token, `{"jwt":"${token}"}`],
  [key, `ERROR -----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----`],
  [
    "MIIEvQIBADANBg",
    `{"pem":"-----BEGIN RSA PRIVATE KEY-----\\n${key.replaceAll("\n", "\\n")}\\n-----END RSA PRIVATE KEY-----\\n"}`,
  ],
  ["MIIEvQIBADANBg", `cut off -----BEGIN CERTIFICATE-----\n${key}`],
  ["00123456", "patient MRN: 00123456 admitted"],
  ["00123456", "mrn=00123456"],
  ["00123456", '{"mrn":"00123456","ward":3}'],
  ["AB-445566-7", "Medical record number AB-445566-7"],
  ["445566", "medical_record_no: #445566"],
  ["778899", '{"patientId": "778899"}'],
  ["778899", "PATIENT-ID 778899"],
];

/** Lines of a PEM block that lost its beginning: known only because they stand alone. */
const strays: typeof corpus = [
  ["oqFvAp8Gy0iz5sxj", `NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s\n-----END PRIVATE KEY-----`],
  ["MzEfYyjiWA4R4", "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu"],
];

test.each([...corpus, ...strays])("%j does not leave with %j", (secret, line) => {
  expect(redacted(line)).not.toContain(secret);
});

test("what is no secret stays as it is, byte for byte", () => {
  for (const line of [
    "2026-11-23T09:00:00.123Z [INFO] viscosity 4.2 mPa·s at 37.0 °C",
    "version 1.2.3 of 10:20:30 is up",
    "at f (file:///a/b.mjs:12:34)",
    '{"level":"INFO","message":"12 readings of boot 3, sequence 4711"}',
    "std::vector is C++",
    "09:00:00 to 10:20:30",
    "bearing 7 replaced",
  ])
    expect(all.redact(line)).toEqual({ text: line, replaced: 0 });
});

test("a secret is found wherever it stands", () => {
  const filler = fc.string({
    unit: fc.constantFrom(" ", ",", ";", "\n", "\t", "(", ")", "[", "{", '"', "'", "°", "µ", "𝄞"),
    maxLength: 40,
  });
  fc.assert(
    fc.property(
      filler,
      filler,
      fc.constantFrom(...corpus.map(([secret, line]) => ({ secret, line }))),
      (before, after, one) => {
        expect(redacted(`${before} ${one.line} ${after}`)).not.toContain(one.secret);
      },
    ),
    { numRuns: 500 },
  );
});

test("own expressions are replaced by their name, and each replacement is counted", () => {
  const own = new Redactor({ presets: [], patterns: [{ name: "badge", pattern: String.raw`B-\d{4}` }] });
  expect(own.redact("B-1234 and B-5678")).toEqual({ text: "[badge] and [badge]", replaced: 2 });
});

test("a cut goes through no secret", () => {
  const text = `${"x".repeat(50)} Bearer ${"t".repeat(40)} after`;
  for (let cut = 60; cut < 95; cut++) expect(all.safeCut(text, cut)).toBe(51);
  expect(all.safeCut(text, 30)).toBe(30);
});

test("no expression takes more than linear time, whatever the text", () => {
  const startedMs = performance.now();
  for (const unit of [
    "a",
    "a.",
    "1.",
    "1:",
    "@",
    "-----BEGIN A-----",
    "mrn",
    "MRN:1",
    "bearer ",
    "eyJaaaaa.",
  ])
    all.redact(unit.repeat(100_000 / unit.length));
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});
