import type { Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { noShadow, type ShadowDocument } from "../../cloud/shadows/document.ts";
import type { DeviceRoot } from "../ports.ts";
import type { ShadowId } from "./shadow-requests.ts";

const FOLDER = "work/aws.greengrass.ShadowManager/shadows";
const Section = z.record(z.string(), z.json());

/** Desired and reported as they stood on both sides when device and cloud last agreed. */
const Agreed = z.object({
  cloudVersion: z.number(),
  localVersion: z.number(),
  desired: Section.optional(),
  reported: Section.optional(),
});
export type Agreed = z.infer<typeof Agreed>;

const Kept = z.object({
  thingName: z.string(),
  shadowName: z.string(),
  document: z.object({
    desired: Section.optional(),
    reported: Section.optional(),
    desiredMetadata: Section,
    reportedMetadata: Section,
    version: z.number(),
    timestamp: z.number(),
    isDeleted: z.boolean(),
  }),
  agreed: Agreed.optional(),
});

export interface KeptShadow extends ShadowId {
  readonly document: ShadowDocument;
  readonly agreed: Agreed | undefined;
}

/** The device's shadows on its disk, a file each, and in memory for who reads them. */
export class ShadowStore {
  readonly #root: DeviceRoot;
  readonly #log: Log;
  readonly #kept = new Map<string, KeptShadow>();

  constructor(root: DeviceRoot, log: Log) {
    this.#root = root;
    this.#log = log;
  }

  async load(): Promise<void> {
    for (const file of await this.#root.list(FOLDER)) {
      if (!file.endsWith(".json")) continue;
      try {
        const { document, agreed, ...id } = Kept.parse(
          JSON.parse((await this.#root.readText(`${FOLDER}/${file}`)) ?? ""),
        );
        const whole = { ...noShadow, ...document };
        this.#kept.set(keyOf(id), { ...id, document: whole, agreed });
      } catch (failure) {
        this.#log.warn("a shadow on this device cannot be read", { file, why: messageOf(failure) });
      }
    }
  }

  get(id: ShadowId): KeptShadow {
    return this.#kept.get(keyOf(id)) ?? { ...id, document: noShadow, agreed: undefined };
  }

  /** Durable when it resolves. */
  async put(shadow: KeptShadow): Promise<void> {
    const key = keyOf(shadow);
    await this.#root.writeText(
      `${FOLDER}/${Buffer.from(key).toString("base64url")}.json`,
      JSON.stringify(shadow),
    );
    this.#kept.set(key, shadow);
  }

  /** Sorted; the classic shadow is not among them. */
  namesOf(thingName: string): readonly string[] {
    return [...this.#kept.values()]
      .filter((kept) => kept.thingName === thingName && kept.shadowName !== "" && !kept.document.isDeleted)
      .map(({ shadowName }) => shadowName)
      .toSorted();
  }
}

export function keyOf({ thingName, shadowName }: ShadowId): string {
  return `${thingName}\n${shadowName}`;
}
