import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Authenticator, type KnownCredentials } from "./authenticate.ts";
import { signedRequest } from "./signed-request.ts";
import { signatureOf } from "./sigv4.ts";

const DAY_MS = 24 * 3_600_000;

/** An account whose secret and clocks can change, and what its door says to a request signed with a secret. */
function account() {
  const clock = new DrivenClock(1_800_000_000_000, () => Promise.resolve());
  const caller = { identity: { kind: "account", principalArn: "arn:aws:iam::123456789012:user/u" } } as const;
  const known: { credentials: KnownCredentials | undefined } = {
    credentials: { secretAccessKey: "first", caller },
  };
  const authenticator = new Authenticator({
    resolveCredentials: () => known.credentials,
    region: "us-east-1",
    clock,
    wallClock: clock,
  });
  const ask = (secretAccessKey: string, signedAt = clock.now()): string => {
    const credentials = { accessKeyId: "AKIA", secretAccessKey };
    const endpoint = "http://127.0.0.1:1";
    const signer = { endpoint, region: "us-east-1", credentials, now: signedAt };
    const request = signedRequest({ service: "iot", method: "GET", path: "/things" }, signer);
    try {
      authenticator.authenticate(request, signatureOf(request));
      return "let in";
    } catch (failure) {
      return failure instanceof Error && "code" in failure ? String(failure.code) : "";
    }
  };
  return { clock, known, caller, ask };
}

test("a key that was derived once opens nothing for a secret that was replaced, nor for one that was taken away", () => {
  const { known, caller, ask } = account();
  expect([ask("first"), ask("first")]).toEqual(["let in", "let in"]);
  known.credentials = { secretAccessKey: "second", caller };
  expect([ask("first"), ask("second")]).toEqual(["InvalidSignatureException", "let in"]);
  known.credentials = undefined;
  expect(ask("second")).toBe("UnrecognizedClientException");
});

test("a key that was derived for one day opens nothing on the next", async () => {
  const { clock, ask } = account();
  const signedAt = clock.now();
  expect(ask("first", signedAt)).toBe("let in");
  await clock.runUntil(signedAt + DAY_MS);
  expect(ask("first", signedAt)).toBe("InvalidSignatureException");
  expect(ask("first")).toBe("let in");
});
