import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { publicHalf } from "../../pipeline/supply/signing-key.ts";
import type { Settings } from "../handlers/operators/settings.ts";
import { bundleFunctions, programs } from "./code.ts";

const bundle = bundleFunctions();
afterAll(() => bundle.remove());

const settings: Settings = {
  COALMINE_ACCOUNT: "123456789012",
  COALMINE_ORIGIN: "https://console.example.com",
  COALMINE_ISSUER: "https://issuer.example.com/pool",
  COALMINE_CLIENT_ID: "console",
  COALMINE_AUTHORIZE_URL: "https://people.example.com/oauth2/authorize",
  COALMINE_TOKEN_URL: "https://people.example.com/oauth2/token",
  COALMINE_REVOKE_URL: "https://people.example.com/oauth2/revoke",
  COALMINE_LOGOUT_URL: "https://people.example.com/logout",
};
const target = {
  name: "fleet",
  region: "us-east-1",
  artifactBucket: "artifacts",
  lakeBucket: "lake",
  canaryGroup: "coalmine-canary",
  mainGroup: "coalmine-main",
};

/** Starts every program as the runtime does, asks the operators' how one signs in, and says what came of it. */
const start = `
const exported = {};
const modules = {};
for (const program of ${JSON.stringify(programs)}) {
  modules[program] = await import("./" + program + ".mjs");
  exported[program] = Object.values(modules[program]).map((one) => typeof one);
}
const http = { method: "GET", path: "/api/sign-in" };
const requestContext = { domainName: "a.example", http };
const event = { version: "2.0", rawPath: http.path, rawQueryString: "", headers: {}, requestContext, isBase64Encoded: false };
const { statusCode, body } = await modules.operators.operators(event);
console.log(JSON.stringify({ exported, statusCode, body: JSON.parse(body) }));
process.exit();
`;

test("every function's bundle starts as the runtime starts it, and the operators' answers", () => {
  // The runtime brings the AWS SDK.
  const packages = join(bundle.folder, "node_modules");
  mkdirSync(packages);
  symlinkSync(join(import.meta.dirname, "../../node_modules/@aws-sdk"), join(packages, "@aws-sdk"));
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", start], {
    cwd: bundle.folder,
    encoding: "utf8",
    env: {
      ...settings,
      AWS_REGION: "us-east-1",
      COALMINE_TARGET: target.name,
      COALMINE_TARGETS: JSON.stringify([target]),
      NOTICE_TOPIC: "arn:aws:sns:us-east-1:123456789012:coalmine-alerts",
      COALMINE_SIGNERS: JSON.stringify({
        version: 1,
        signers: [{ who: "ada", publicKey: publicHalf(generateKeyPairSync("ed25519").privateKey) }],
      }),
      REPORT_BUCKET: "artifacts",
    },
  });
  const { exported, ...answer } = z
    .looseObject({ exported: z.record(z.string(), z.array(z.string())) })
    .parse(JSON.parse(text));
  expect(Object.keys(exported)).toEqual([...programs]);
  for (const [program, types] of Object.entries(exported))
    expect([program, new Set(types)]).toEqual([program, new Set(["function"])]);
  expect(answer).toEqual({ statusCode: 200, body: { how: "provider", start: "/api/sign-in/start" } });
}, 60_000);
