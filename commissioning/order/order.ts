import { sign, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { ThingName } from "@coalmine/contract";
import {
  claimPaths,
  OrderAnswer,
  orderQuestion,
  type OrderRequest,
  type WipeOrder,
} from "@coalmine/contract/commissioning";
import type { Network } from "@coalmine/site";
import type { RunProgram } from "@coalmine/site/program";
import type { claimsDoor } from "../claims-door.ts";
import { type DurableFiles, modes, readIfThere } from "../durable-files.ts";
import type { CommissionOptions } from "../options.ts";
import { parsedJson } from "../parsed-json.ts";
import { placesOf } from "../places.ts";
import { CommissioningRefused } from "../refusal.ts";
import { wipe, type Wiped } from "../wipe/wipe.ts";

export interface OrderParts {
  readonly ask: ReturnType<typeof claimsDoor>;
  readonly network: Pick<Network, "adapters" | "forget">;
  readonly run: RunProgram;
  readonly files: DurableFiles;
}

export type Obeyed =
  | { readonly kind: "nothing-to-do"; readonly why: "not commissioned" | "in service" }
  | { readonly kind: "wiped"; readonly order: WipeOrder; readonly wiped: Wiped };

/**
 * Asks the operator's side what became of this device, and wipes it where somebody took it out of the fleet. The order is on
 * the disk before the key goes, by which it was asked for: cut anywhere, the next run goes on.
 */
export async function obeyOrder(
  settings: Pick<CommissionOptions, "root" | "serial" | "claimCodeFile">,
  parts: OrderParts,
): Promise<Obeyed> {
  const { run, files } = parts;
  const kept = join(settings.root, "wipe-order.json");
  const before = OrderAnswer.shape.order.safeParse(parsedJson((await readIfThere(kept)) ?? "")).data;
  const asked = before ?? (await askedFor(settings, parts));
  if (asked === "not commissioned" || asked === "in service") return { kind: "nothing-to-do", why: asked };
  if (before === undefined) await files.write(kept, JSON.stringify(asked), modes.privateKey);
  // Where it is no service, nothing runs that would write its files anew.
  await run("systemctl", ["stop", "greengrass.service"]);
  const wiped = await wipe(settings, parts);
  await files.erase(kept);
  return { kind: "wiped", order: asked, wiped };
}

async function askedFor(
  settings: Pick<CommissionOptions, "root" | "serial" | "claimCodeFile">,
  { ask }: Pick<OrderParts, "ask">,
): Promise<WipeOrder | "not commissioned" | "in service"> {
  const places = placesOf(settings);
  const [key, certificate] = await Promise.all([places.privateKey, places.certificate].map(readIfThere));
  if (key === undefined || certificate === undefined) return "not commissioned";
  const { raw, fingerprint256 } = new X509Certificate(certificate);
  const question: OrderRequest = {
    thing: ThingName.parse(settings.serial),
    certificate: raw.toString("base64"),
    signature: sign("sha256", Buffer.from(orderQuestion(settings.serial)), key).toString("base64"),
  };
  const { order } = await ask(claimPaths.order, question, OrderAnswer);
  if (order === undefined) return "in service";
  const own = fingerprint256.replaceAll(":", "").toLowerCase();
  if (order.certificateId !== own)
    throw new CommissioningRefused(
      "wrong-authority",
      `the order is of the certificate ${order.certificateId}, this device has ${own}: nothing was removed; have the exchange looked at`,
    );
  return order;
}
