import { Audit, AuditLog } from "@coalmine/contract/operator-api";
import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { verifyAudit } from "../pipeline/controller/audit.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../test/rig-cloud.ts";
import { exportAudit } from "./audit-export.ts";
import { auditLog } from "./audit-log.ts";
import { hold, resume } from "./decide.ts";
import { type Rig, startRig } from "./rig.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
/** A table would carry it out, and a page draw it. */
const REASON = '=1+1, <b>"seen"</b> & held';
const closing = new Closing();
let rig: Rig;
let rollout = "";
beforeAll(async () => {
  rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 2 });
  await rig.push("2222222bbbbb", "1.0.1");
  rollout = (await rig.controller().tick()).rollout ?? "";
  await hold(rig.api, { rollout, who: "ada", reason: REASON });
  await resume(rig.api, { rollout, who: "bo", reason: "goes on" });
});
afterAll(() => closing.close());

const list = async (query: object) => AuditLog.parse(await auditLog(rig.api, query));

test("the audit log is found by rollout, person and word, newest first, and says that it is whole", async () => {
  const all = await list({ rollout });
  const entries = await rig.api.log.entries(rollout);
  expect(all.lines.map(({ sequence }) => sequence)).toEqual(entries.map((_, index) => index).reverse());
  expect(all.verified).toEqual([
    { rollout, ok: true, entries: entries.length, head: entries.at(-1)?.sha256 },
  ]);
  expect((await list({ rollout: "another" })).lines).toEqual([]);
  expect((await list({ rollout, people: "true" })).lines.map(({ who, reason }) => [who, reason])).toEqual([
    ["bo", "goes on"],
    ["ada", REASON],
  ]);
  expect((await list({ who: "bo" })).lines.map(({ reason }) => reason)).toEqual(["goes on"]);
  expect((await list({ text: "SEEN" })).lines.map(({ who }) => who)).toEqual(["ada"]);
  expect(await list({ limit: 1 })).toMatchObject({ more: true, lines: [{ who: "bo" }] });
});

test("its files are for tables, for people, and to be verified by others; no cell of them is a formula, and no reason a tag", async () => {
  const { text: csv } = await exportAudit(rig.api, { as: "csv", text: "seen" });
  const [head, line, ...rest] = csv.split("\r\n");
  expect([head, rest]).toEqual(['"rollout","sequence","at","kind","who","reason","sentence"', [""]]);
  expect(line).toContain(`"ada","'=1+1, <b>""seen""</b> & held"`);

  const { text: html } = await exportAudit(rig.api, { as: "html" });
  const { verified } = await list({});
  expect(html).toContain('=1+1, &lt;b&gt;"seen"&lt;/b&gt; &amp; held');
  expect(html).toContain(`${rollout}: ${verified[0]?.entries} entries, whole, head ${verified[0]?.head}`);
  // It needs nothing else, wherever it is opened.
  expect(html).not.toMatch(/<(script|link|img)|src=|href=|url\(/);

  const { text: json } = await exportAudit(rig.api, { as: "json" });
  const [audit] = z.array(Audit).parse(JSON.parse(json));
  const stored = (audit?.entries ?? []).map((entry) => ({ rollout, ...entry }));
  expect(verifyAudit(stored)).toMatchObject({ ok: true, head: verified[0]?.head });
});
