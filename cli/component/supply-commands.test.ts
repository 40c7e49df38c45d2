import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkout } from "../../pipeline/build/fixture-checkout.ts";
import { tinyBuild } from "../../pipeline/publish/tiny-build.fixture.ts";
import { envelopeFile } from "../../pipeline/supply/statement.ts";
import { runCommand } from "../command.fixture.ts";
import { places } from "../system/state.ts";
import { addComponentCommands } from "./commands.ts";

const folder = mkdtempSync(join(tmpdir(), "coalmine-supply-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const run = (...words: string[]) =>
  runCommand((program) => addComponentCommands(program, places(folder, {})), "component", ...words);
const NAME = "coalmine.test.Tiny";

test("a key is followed by another one as docs/runbook/signing-key.md says, and at no step is a release refused that should pass", async () => {
  const dist = join(folder, "dist");
  const signers = join(folder, "signers.json");
  await tinyBuild(checkout, dist, [NAME]);
  const build = () => {
    // What `npm run build` does with a committed signature.
    const file = envelopeFile(NAME, "1.0.0");
    copyFileSync(join(folder, "recipes/signed", basename(file)), join(dist, file));
  };
  const verify = () => run("verify", "--signers", signers);
  const trust = (...lists: string[]) =>
    writeFileSync(
      signers,
      JSON.stringify({ version: 1, signers: lists.flatMap((list) => JSON.parse(list).signers) }),
    );

  const old = await run("key", join(folder, "old.pem"), "--who", "ada");
  trust(old.out);
  const first = await run("sign", "--key", join(folder, "old.pem"));
  expect(first.out).toMatch(/^coalmine\.test\.Tiny 1\.0\.0: signed\nsigned by the key [0-9a-f]{64}$/);
  build();
  expect(await verify()).toMatchObject({ code: 0, out: `${NAME} 1.0.0: is what was signed` });

  // 1. The new key is trusted beside the old one, before it signs anything.
  const fresh = await run("key", join(folder, "new.pem"), "--who", "ada");
  trust(old.out, fresh.out);
  expect((await verify()).code).toBe(0);
  // 2. It signs what runs, without a new release: both signatures stand.
  expect((await run("sign", "--key", join(folder, "new.pem"))).out).toContain("signed by a further key");
  build();
  expect((await verify()).code).toBe(0);
  // 3. The old one is no longer trusted: what both signed still passes, what it alone signs does not.
  trust(fresh.out);
  expect((await verify()).code).toBe(0);
  rmSync(join(folder, "recipes/signed"), { recursive: true });
  await run("sign", "--key", join(folder, "old.pem"));
  build();
  const stolen = await verify();
  expect(stolen.code).toBe(7);
  expect(stolen.out).toMatch(/^ERR_SUPPLY_SIGNATURE: .*none of these keys is trusted/);
  const json = JSON.parse((await run("verify", "--signers", signers, "--json")).out);
  expect(json.components).toMatchObject([{ component: NAME, fault: { code: "ERR_SUPPLY_SIGNATURE" } }]);
});

test("a key file that others may read signs nothing", async () => {
  const file = join(folder, "open.pem");
  await run("key", file, "--who", "ada");
  writeFileSync(join(folder, "copied.pem"), readFileSync(file), { mode: 0o644 });
  const { code, err } = await run("sign", "--key", join(folder, "copied.pem"));
  expect(code).toBe(2);
  expect(err).toMatch(/has the mode 644, so others may have the key/);
});
